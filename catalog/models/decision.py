"""What was decided of products, and the current values that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.audit_labels import in_name_of
from accounts.channels import Channel
from accounts.models import ApiKey, Merchant, Operation
from catalog.models.product import Product
from catalog.models.taxonomy import Attribute, AttributeValue

if TYPE_CHECKING:
    from catalog.models.of_classifier import ModelVersion, Prediction


class Decision(models.Model):
    """One answer to "what is this product's value?". Append-only: the one that counts has the highest id."""

    class Kind(models.TextChoices):
        """Whether a decision sets a value, says that there is none, leaves it open, or takes an earlier one back."""

        SET = "set", _("set")
        NOT_APPLICABLE = "not_applicable", _("not applicable")
        OPEN = "open", _("left open")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Source(models.TextChoices):
        """Who decides: people, imports and keys count before what was auto-accepted."""

        HUMAN = "human", _("person")
        AUTO = "auto", _("auto-accepted")
        IMPORT = "import", _("import")

    class Answers(models.TextChoices):
        """How the proposal stood that a decision answers. Figures of quality are counted from this."""

        NOTHING = "", _("no proposal")
        PROPOSAL = "proposal", _("a proposal")
        SAMPLE = "sample", _("a sample of what would have been auto-accepted")
        ACCEPTED = "accepted", _("what was auto-accepted")
        PUBLISHED = "published", _("published as it stood")

    product = models.ForeignKey(Product, models.CASCADE, related_name="decisions", verbose_name=_("product"))
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    kind = models.CharField(_("kind"), max_length=14, choices=Kind.choices)
    value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("value")
    )
    source = models.CharField(_("source"), max_length=6, choices=Source.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, blank=True, related_name="+")
    impersonator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("impersonator"),
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    prediction: models.ForeignKey[Prediction | None, Prediction | None] = models.ForeignKey(
        "classifier.Prediction",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="decisions",
        verbose_name=_("prediction"),
    )
    # What was proposed for the product as a whole. `prediction` is of the garment that was chosen in the end.
    answers = models.CharField(_("answers"), max_length=9, choices=Answers.choices, default=Answers.NOTHING, blank=True)
    proposed_value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed")
    )
    proposed_confidence = models.FloatField(_("confidence"), null=True, blank=True)
    proposed_by: models.ForeignKey[ModelVersion | None, ModelVersion | None] = models.ForeignKey(
        "classifier.ModelVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("model")
    )
    operation = models.ForeignKey(
        Operation, models.SET_NULL, null=True, blank=True, related_name="decisions", verbose_name=_("operation")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(kind="set", value__isnull=False)
                | Q(kind__in=("not_applicable", "open", "withdrawn"), value=None),
                name="decision_value",
            ),
            models.CheckConstraint(condition=Q(source__in=("human", "auto", "import")), name="decision_source"),
            models.CheckConstraint(
                condition=Q(
                    answers__in=("", "published"), proposed_value=None, proposed_confidence=None, proposed_by=None
                )
                | Q(
                    answers__in=("proposal", "sample", "accepted", "published"),
                    proposed_value__isnull=False,
                    proposed_confidence__isnull=False,
                    proposed_by__isnull=False,
                ),
                name="decision_answers",
            ),
        )
        indexes = (
            models.Index(fields=("product", "attribute", "-id"), name="decision_product"),
            models.Index(fields=("created_at",), name="decision_created_at"),
            # For the admin's list, where most of the values hardly ever come.
            models.Index(fields=("kind",), name="decision_kind"),
            models.Index(fields=("source",), name="decision_source_id"),
            models.Index(fields=("channel",), name="decision_channel"),
        )

    def __str__(self) -> str:
        return f"{self.attribute}: {self.value or self.get_kind_display()}"

    @property
    def actor_name(self) -> str:
        """Whom pages name as the author."""
        if self.user is not None:
            return in_name_of(self.user, self.impersonator)
        return self.api_key.name if self.api_key is not None else str(_("system"))


class ProductAttribute(models.Model):
    """A product's current value of an attribute, kept so that lists can filter on it; see catalog.values."""

    class State(models.TextChoices):
        """How the value came about."""

        UNSET = "unset", _("open")
        PROPOSED = "proposed", _("proposed")
        AUTO = "auto", _("auto-accepted")
        DECIDED = "decided", _("decided")
        NOT_APPLICABLE = "not_applicable", _("not applicable")

    product = models.ForeignKey(Product, models.CASCADE, related_name="attributes")
    # The product's, so that an index leads from a merchant's value to its products in their order.
    merchant = models.ForeignKey(Merchant, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("value")
    )
    state = models.CharField(_("state"), max_length=14, choices=State.choices, default=State.UNSET)
    confidence = models.FloatField(_("confidence"), null=True, blank=True)
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("current value")
        verbose_name_plural = _("current values")
        ordering = ("attribute__position", "attribute_id")
        constraints = (
            models.UniqueConstraint(fields=("product", "attribute"), name="current_value_once"),
            models.CheckConstraint(
                condition=Q(state__in=("proposed", "auto", "decided"), value__isnull=False)
                | Q(state__in=("unset", "not_applicable"), value=None),
                name="current_value_state",
            ),
            models.CheckConstraint(
                condition=Q(confidence=None) | Q(confidence__gte=0, confidence__lte=1), name="current_value_confidence"
            ),
        )
        indexes = (
            models.Index(fields=("attribute", "value", "product"), name="current_value_value"),
            models.Index(fields=("attribute", "state", "confidence"), name="current_value_doubt"),
            models.Index(fields=("merchant", "attribute", "value", "product"), name="current_value_merchant"),
            models.Index(fields=("merchant", "attribute", "state", "product"), name="current_value_merchant_state"),
        )

    def __str__(self) -> str:
        return f"{self.attribute_id}: {self.value_id or self.state}"
