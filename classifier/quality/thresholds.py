"""From which confidence on a proposal is auto-accepted: calibrated on people's decisions, applied to proposals.

A class with enough decisions has a threshold of its own. The others share one that is calibrated on them together, and
where these are too few as well, nothing is accepted. A merchant with enough decisions of its own goes before all, and
what its owner chose (`classifier/quality/chosen.py`) before that.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import record
from catalog.models import Decision, Product
from catalog.proposal import Acceptance, Proposal, ProposedValue
from catalog.selectors import Taxonomy, todays_values
from classifier.models import AcceptanceThreshold, MerchantThreshold, Prediction
from classifier.precision import Outcome, Point, choose, curve, least_decisions
from classifier.quality import metrics
from core.db import atomic
from core.errors import Forbidden, Invalid

TARGET_PRECISION = 0.98


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a threshold holds, by ids. None stands for all merchants, or all classes without one of their own."""

    merchant: int | None
    attribute: int
    value: int | None
    model_version: int

    def __str__(self) -> str:
        return AcceptanceThreshold.scope_of(self.merchant, self.attribute, self.value, self.model_version)


Outcomes = dict[Scope, list[Outcome]]


def _decided(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.right is not None for outcome in outcomes)


def _outcomes(**only: Any) -> Outcomes:
    """Read every proposal that was decided or accepted, by merchant and class.

    What a person said of an accepted value is left out: hardly anybody looks at these in earnest. They count for
    coverage, by the decision that accepted.
    """
    today = todays_values()
    looked_at = (Decision.Answers.PROPOSAL, Decision.Answers.SAMPLE)
    read: dict[bool, QuerySet[Decision]] = {
        True: metrics.verdicts().filter(answers__in=looked_at, **only),
        False: metrics.accepted().filter(**only),
    }
    found: Outcomes = defaultdict(list)
    for decided, decisions in read.items():
        rows = decisions.values_list(
            "product__merchant_id", "attribute_id", "proposed_value_id", "proposed_by_id", "proposed_confidence",
            "value_id",
        )  # fmt: skip
        for merchant, attribute, proposed, model, confidence, value in rows.iterator():
            assert confidence is not None  # the database sees to it that an answer has one
            right = today.get(value) == today.get(proposed) if decided else None
            found[Scope(merchant, attribute, today[proposed], model)].append(Outcome(confidence, right))
    return found


def _by_scope(fine: Outcomes, precision: float) -> Outcomes:
    """Gather the outcomes of each scope that gets a row: see the module."""
    classes: Outcomes = defaultdict(list)
    for scope, outcomes in fine.items():
        classes[Scope(None, scope.attribute, scope.value, scope.model_version)] += outcomes
    least = least_decisions(precision)
    shared: Outcomes = defaultdict(list)
    merchants: Outcomes = defaultdict(list)
    for scope, outcomes in fine.items():
        merchants[scope] += outcomes
        if _decided(classes[Scope(None, scope.attribute, scope.value, scope.model_version)]) < least:
            shared[Scope(None, scope.attribute, None, scope.model_version)] += outcomes
            merchants[Scope(scope.merchant, scope.attribute, None, scope.model_version)] += outcomes
    everywhere = {scope: found for scope, found in {**classes, **shared}.items() if _decided(found)}
    return everywhere | {scope: found for scope, found in merchants.items() if _decided(found) >= least}


def _figures(outcomes: list[Outcome], precision: float) -> dict[str, Any]:
    point = choose(curve(outcomes), precision)
    figures: dict[str, Any] = {"precision": precision, "decisions": _decided(outcomes), "calibrated_at": timezone.now()}
    if point is None:
        return {**figures, "threshold": None, "above": 0, "right": 0, "lower_bound": None, "coverage": None}
    return {
        **figures,
        "threshold": point.threshold,
        "above": point.decisions,
        "right": point.right,
        "lower_bound": point.lower_bound,
        "coverage": point.coverage,
    }


def require_calibration(actor: Actor, precision: float) -> None:
    """Raise Forbidden or Invalid as `calibrate` does, without calibrating."""
    may_change = actor.user is not None and actor.user.has_perm("classifier.change_acceptancethreshold")
    if not actor.sees_all_merchants or not (actor.is_system or may_change):
        raise Forbidden("forbidden", _("You may not change what is auto-accepted."))
    if not 0.5 <= precision < 1:
        raise Invalid("bad_precision", _("The precision must be at least 0.5 and below 1."))


@atomic
def calibrate(
    *, actor: Actor, precision: float = TARGET_PRECISION, merchant: Merchant | None = None
) -> list[AcceptanceThreshold]:
    """Calibrate all thresholds again; they hold for proposals that are written from now on.

    What an administrator switched off stays off.

    Args:
        actor: who calibrates.
        precision: the share of auto-accepted values that shall be right.
        merchant: calibrate the thresholds of this merchant's own only, and leave those of all merchants and of
            others as they are.

    Returns:
        Every threshold that was calibrated, wide scopes first; `threshold` is None where nothing is accepted.

    Raises:
        Forbidden: the actor may not change thresholds.
        Invalid: `bad_precision`, unless it is from 0.5 to below 1.
    """
    require_calibration(actor, precision)
    rows = AcceptanceThreshold.objects.all() if merchant is None else merchant.acceptancethreshold_set.all()
    before = {row.scope: row for row in rows.select_for_update()}
    kept = []
    for scope, outcomes in _by_scope(_outcomes(), precision).items():
        if merchant is not None and scope.merchant != merchant.pk:
            continue
        row = before.pop(str(scope), None) or AcceptanceThreshold(
            merchant_id=scope.merchant,
            attribute_id=scope.attribute,
            value_id=scope.value,
            model_version_id=scope.model_version,
            scope=str(scope),
        )
        for name, value in _figures(outcomes, precision).items():
            setattr(row, name, value)
        row.save()
        kept.append(row.pk)
    rows.filter(enabled=True).exclude(pk__in=kept).delete()
    thresholds = list(
        rows.select_related("merchant", "attribute", "value", "model_version").order_by(
            "attribute__position", "model_version", "merchant", "value__position", "pk"
        )
    )
    record(
        actor=actor,
        action="acceptancethreshold.calibrate",
        subject_type="acceptancethreshold",
        subject_id="all",
        merchant_id=None if merchant is None else merchant.pk,
        precision=precision,
        thresholds={row.scope: row.threshold for row in thresholds if row.threshold is not None},
    )
    return thresholds


def curve_of(threshold: AcceptanceThreshold) -> list[Point]:
    """Return the curve that the threshold is chosen from, on the decisions of today."""
    fine = _outcomes(attribute=threshold.attribute_id, proposed_by=threshold.model_version_id)
    scope = Scope(threshold.merchant_id, threshold.attribute_id, threshold.value_id, threshold.model_version_id)
    return curve(_by_scope(fine, threshold.precision).get(scope, []))


def _ruling(
    thresholds: Mapping[str, AcceptanceThreshold], merchant: int, attribute: int, value: int, model_version: int
) -> AcceptanceThreshold | None:
    """The threshold that decides: of the class before the shared one, of the merchant before that of all merchants."""
    for of_value in (value, None):
        for of_merchant in (merchant, None):
            row = thresholds.get(AcceptanceThreshold.scope_of(of_merchant, attribute, of_value, model_version))
            if row is not None and row.rules:
                return row
    return None


def is_sampled(product: Product, attribute: str) -> bool:
    """Whether the product's value goes to review even if it could be accepted: a share that chance chose for good.

    By hash, so that looking again never lets a value slip out of the sample.
    """
    digest = hashlib.sha256(f"{product.public_id}:{attribute}".encode()).digest()
    return int.from_bytes(digest[:8]) < settings.OTJANG_SAMPLE_SHARE * 2**64


def mark(proposal: Proposal, *, product: Product, taxonomy: Taxonomy) -> Proposal:
    """Return the proposal with the values marked that clear their threshold: to be accepted, or a sample for review."""
    thresholds = {
        row.scope: row for row in AcceptanceThreshold.objects.filter(Q(merchant=None) | Q(merchant=product.merchant_id))
    }
    chosen = {row.attribute_id: row for row in MerchantThreshold.objects.filter(merchant=product.merchant_id)}
    calibrated = any(row.enabled and row.threshold is not None for row in thresholds.values())
    if not calibrated and not any(row.threshold is not None for row in chosen.values()):
        return proposal
    proposed = [value for candidate in proposal.candidates for value in candidate.attributes.values()]
    asked = [value.prediction for value in proposed]
    versions = dict(Prediction.objects.filter(pk__in=asked).order_by().values_list("pk", "model_version_id"))

    def marked(code: str, proposed: ProposedValue) -> ProposedValue:
        value = taxonomy.resolve(code, proposed.value)
        version = versions.get(proposed.prediction)
        if value is None or version is None:
            return proposed
        attribute = taxonomy.attributes[code].pk
        own = chosen.get(attribute)
        if own is not None and (own.threshold is None or own.model_version_id == version):
            least = own.threshold
        else:
            ruling = _ruling(thresholds, product.merchant_id, attribute, value.pk, version)
            least = ruling.threshold if ruling is not None and ruling.enabled else None
        if least is None or proposed.confidence < least:
            return proposed
        return replace(proposed, acceptance=Acceptance.SAMPLE if is_sampled(product, code) else Acceptance.ACCEPT)

    return Proposal(
        tuple(
            replace(candidate, attributes={code: marked(code, value) for code, value in candidate.attributes.items()})
            for candidate in proposal.candidates
        )
    )
