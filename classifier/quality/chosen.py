"""What an owner chooses for the own merchant in place of the calibrated thresholds, attribute by attribute."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import record
from catalog.models import Attribute, Decision
from catalog.selectors import todays_values
from classifier.models import AcceptanceThreshold, Deployment, MerchantThreshold
from classifier.precision import Outcome, Point, curve
from classifier.quality import metrics
from core.db import atomic
from core.errors import Forbidden, Invalid

LEAST, MOST = 0.5, 1.0  # confidences that may be chosen
_READ = 5000  # decisions of a merchant on an attribute, the newest ones
_LOOKED_AT = (Decision.Answers.PROPOSAL, Decision.Answers.SAMPLE)


@dataclass(frozen=True, slots=True)
class AttributeChoice:
    """An attribute with what is accepted of it, and the curve of the merchant's own decisions on the active models."""

    attribute: Attribute
    chosen: MerchantThreshold | None
    model_version: int | None  # that the curve is of; None as long as nobody has decided on its proposals
    points: list[Point]
    calibrated: float | None  # the lowest calibrated threshold in use; None if nothing is accepted

    @property
    def mode(self) -> str:
        """How it is now: `shared`, `off` or `own`."""
        if self.chosen is None or (self.chosen.threshold is not None and self.is_of_old_model):
            return "shared"
        return "off" if self.chosen.threshold is None else "own"

    @property
    def is_of_old_model(self) -> bool:
        """Whether the chosen confidence was of a model that no longer serves."""
        return self.chosen is not None and self.chosen.model_version_id not in (None, self.model_version)

    @property
    def percent(self) -> float:
        """The chosen confidence in percent, or one to begin with."""
        own = self.chosen.threshold if self.chosen is not None and self.mode == "own" else None
        return round(100 * (own if own is not None else self.calibrated or 0.95), 1)

    @property
    def calibrated_percent(self) -> str:
        """The lowest calibrated threshold, in percent."""
        return "" if self.calibrated is None else f"{100 * self.calibrated:.1f} %"

    @property
    def at_own(self) -> Point | None:
        """What accepting from the chosen confidence on would have meant."""
        if self.mode != "own" or self.chosen is None or self.chosen.threshold is None:
            return None
        above = [point for point in self.points if point.threshold >= self.chosen.threshold]
        return above[-1] if above else None


def _active_versions() -> list[int]:
    deployment = Deployment.objects.select_related("active").first()
    return [] if deployment is None else list(deployment.active.versions.values_list("pk", flat=True))


def _outcomes(merchant: Merchant, attribute: Attribute, versions: list[int]) -> dict[int, list[Outcome]]:
    """What people of the merchant said of proposals, and what was accepted of them, by the model that proposed."""
    today = todays_values()
    found: dict[int, list[Outcome]] = {}
    only = {"product__merchant": merchant, "attribute": attribute, "proposed_by__in": versions}
    for decided, decisions in (
        (True, metrics.verdicts().filter(answers__in=_LOOKED_AT, **only)),
        (False, metrics.accepted().filter(**only)),
    ):
        rows = decisions.order_by("-pk").values_list(
            "proposed_by_id", "proposed_value_id", "proposed_confidence", "value_id"
        )
        for version, proposed, confidence, value in rows[:_READ]:
            assert version is not None  # the database sees to that
            assert confidence is not None
            right = today.get(value) == today.get(proposed) if decided else None
            found.setdefault(version, []).append(Outcome(confidence, right))
    return found


def choices_of(merchant: Merchant) -> list[AttributeChoice]:
    """Return all attributes in use with what the merchant accepts of them."""
    versions = _active_versions()
    chosen = {row.attribute_id: row for row in MerchantThreshold.objects.filter(merchant=merchant)}
    listed = []
    for attribute in Attribute.objects.filter(active=True).order_by("position", "pk"):
        outcomes = _outcomes(merchant, attribute, versions)
        version = max(outcomes, key=lambda one: len(outcomes[one]), default=None)
        shared = AcceptanceThreshold.objects.filter(
            attribute=attribute, model_version__in=versions, enabled=True, threshold__isnull=False
        )
        in_use = [row.threshold for row in shared if row.merchant_id in (None, merchant.pk) and row.rules]
        listed.append(
            AttributeChoice(
                attribute=attribute,
                chosen=chosen.get(attribute.pk),
                model_version=version,
                points=curve(outcomes[version]) if version is not None else [],
                calibrated=min((one for one in in_use if one is not None), default=None),
            )
        )
    return listed


def _model_of(merchant: Merchant, attribute: Attribute) -> int:
    outcomes = _outcomes(merchant, attribute, _active_versions())
    if not outcomes:
        raise Invalid("no_decisions", _("Nobody has decided on proposals of this attribute yet."))
    return max(outcomes, key=lambda one: len(outcomes[one]))


@atomic
def choose(*, actor: Actor, merchant: Merchant, attribute: Attribute, mode: str, threshold: float | None) -> None:
    """Choose what is auto-accepted of an attribute; it holds for proposals that are written from now on.

    Args:
        actor: an owner.
        merchant: the merchant.
        attribute: what it is about.
        mode: `shared` (as calibrated for all), `off` (nothing) or `own`.
        threshold: with `own`, the confidence from 0.5 to 1.

    Raises:
        Forbidden: the actor does not own the merchant.
        Invalid: `bad_mode`, `bad_threshold`, `no_decisions`.
    """
    if not actor.is_owner or actor.merchant is None or actor.merchant.pk != merchant.pk:
        raise Forbidden("forbidden", _("Only an owner of the shop may do this."))
    own = MerchantThreshold.objects.filter(merchant=merchant, attribute=attribute)
    if mode == "shared":
        own.delete()
    elif mode == "off":
        MerchantThreshold.objects.update_or_create(
            merchant=merchant, attribute=attribute, defaults={"threshold": None, "model_version": None}
        )
    elif mode == "own":
        if threshold is None or not LEAST <= threshold <= MOST:
            raise Invalid("bad_threshold", _("Choose from 50 % to 100 %."))
        MerchantThreshold.objects.update_or_create(
            merchant=merchant,
            attribute=attribute,
            defaults={"threshold": threshold, "model_version_id": _model_of(merchant, attribute)},
        )
    else:
        raise Invalid("bad_mode", _("There is no such choice."))
    record(
        actor=actor,
        action="acceptancethreshold.choose",
        subject_type="merchant",
        subject_id=str(merchant.pk),
        merchant_id=merchant.pk,
        attribute=attribute.code,
        mode=mode,
        threshold=threshold if mode == "own" else None,
    )
