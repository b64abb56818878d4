"""From which confidence on proposals are auto-accepted, and what a candidate would have changed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Merchant, Operation
from catalog.models import Attribute, AttributeValue
from classifier.models.registry import ModelSet, ModelVersion
from classifier.precision import least_decisions


class AcceptanceThreshold(models.Model):
    """From which confidence on one model's proposals are auto-accepted.

    A scope is a model version's attribute, all of its classes or one, in all merchants or one. Confidences of another
    version mean something else, so a new model starts without thresholds.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, null=True, blank=True, verbose_name=_("merchant"))
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    value = models.ForeignKey(
        AttributeValue, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("proposed value")
    )
    model_version = models.ForeignKey(ModelVersion, models.PROTECT, related_name="+", verbose_name=_("model"))
    scope = models.CharField(max_length=100, unique=True, editable=False)  # the four above; NULLs would not collide
    enabled = models.BooleanField(
        _("in use"), default=True, help_text=_("Off: nothing of this scope is auto-accepted.")
    )
    precision = models.FloatField(_("required precision"))
    decisions = models.PositiveIntegerField(_("decisions"), help_text=_("of people, on proposals of this scope"))
    threshold = models.FloatField(_("threshold"), null=True, blank=True)
    above = models.PositiveIntegerField(_("decisions above"), default=0)
    right = models.PositiveIntegerField(_("of these right"), default=0)
    lower_bound = models.FloatField(_("lower bound of precision"), null=True, blank=True)
    coverage = models.FloatField(_("coverage"), null=True, blank=True)
    calibrated_at = models.DateTimeField(_("calibrated"))

    class Meta:
        verbose_name = _("acceptance threshold")
        verbose_name_plural = _("acceptance thresholds")
        ordering = ("attribute", "model_version", "merchant", "value")
        constraints = (
            models.CheckConstraint(
                condition=Q(threshold=None) | Q(threshold__gte=0, threshold__lte=1), name="acceptance_threshold"
            ),
        )

    def __str__(self) -> str:
        return f"{self.attribute} {self.value or ''}".strip()

    @staticmethod
    def scope_of(merchant: int | None, attribute: int, value: int | None, model_version: int) -> str:
        """Name a scope by its ids, with `-` for all."""
        return f"{merchant or '-'}:{attribute}:{value or '-'}:{model_version}"

    @property
    def rules(self) -> bool:
        """Whether it decides for its scope; one with too few decisions leaves that to a wider scope."""
        return not self.enabled or self.decisions >= least_decisions(self.precision)


class QualityFigures(models.Model):
    """The figures of the page of quality as a worker counted them, where a request would take too long for that."""

    scope = models.CharField(max_length=40, unique=True, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, null=True, blank=True, related_name="+")
    weeks = models.PositiveSmallIntegerField()
    figures = models.JSONField(default=dict)  # classifier.quality.counting.Figures reads and writes them
    counted_at = models.DateTimeField()

    class Meta:
        default_permissions = ()  # the page of quality shows it
        verbose_name = _("figures of quality")
        verbose_name_plural = _("figures of quality")

    def __str__(self) -> str:
        return self.scope

    @staticmethod
    def scope_of(merchant: int | None, weeks: int) -> str:
        """Name a scope by the merchant's id, with `-` for all, and the weeks."""
        return f"{merchant or '-'}:{weeks}"


class MerchantThreshold(models.Model):
    """What an owner chose for an attribute in place of the calibrated thresholds: nothing, or from a confidence on.

    A confidence holds for the model that it was chosen on; once another one serves, the calibrated ones hold again.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="chosen_thresholds", verbose_name=_("merchant"))
    attribute = models.ForeignKey(Attribute, models.PROTECT, related_name="+", verbose_name=_("attribute"))
    model_version = models.ForeignKey(
        ModelVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("model")
    )
    threshold = models.FloatField(_("threshold"), null=True, blank=True, help_text=_("Empty: nothing is accepted."))
    chosen_at = models.DateTimeField(_("chosen"), auto_now=True)

    class Meta:
        verbose_name = _("merchant's threshold")
        verbose_name_plural = _("merchants' thresholds")
        constraints = (
            models.UniqueConstraint(fields=("merchant", "attribute"), name="merchant_threshold_once"),
            models.CheckConstraint(
                condition=Q(threshold=None, model_version=None)
                | Q(threshold__gte=0, threshold__lte=1, model_version__isnull=False),
                name="merchant_threshold",
            ),
        )

    def __str__(self) -> str:
        return f"{self.merchant} · {self.attribute}"


class ShadowReport(models.Model):
    """What a candidate would have changed for products of the catalogue, and whether people agree."""

    operation = models.OneToOneField(
        Operation, models.CASCADE, related_name="shadow_report", verbose_name=_("operation")
    )
    candidate = models.ForeignKey(ModelSet, models.PROTECT, related_name="+", verbose_name=_("candidate"))
    figures = models.JSONField(_("figures"), default=dict)  # classifier.registry.shadow documents both
    changes = models.JSONField(_("changes"), default=list)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("shadow report")
        verbose_name_plural = _("shadow reports")
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.candidate)
