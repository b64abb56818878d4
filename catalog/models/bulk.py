"""What a bulk operation does to each of its products."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Operation
from catalog.models.product import Product


class BulkChange(models.Model):
    """One product of a bulk operation: that it waits for it, or what became of it.

    The rows are stored when the operation starts, which fixes its products, and each is written in the transaction that
    changes its product: whatever is killed, no product is changed twice, or changed without being counted.
    """

    class Outcome(models.TextChoices):
        """What became of the product."""

        PENDING = "pending", _("waiting")
        DONE = "done", _("done")
        UNCHANGED = "unchanged", _("was so already")
        REFUSED = "refused", _("not possible")
        FAILED = "failed", _("failed")

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="changes", verbose_name=_("operation"))
    product = models.ForeignKey(
        Product, models.SET_NULL, null=True, related_name="bulk_changes", verbose_name=_("product")
    )
    outcome = models.CharField(_("outcome"), max_length=9, choices=Outcome.choices, default=Outcome.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)  # the code of a refusal
    # A catalog.services.undo.ProductState, and the version that the change made: by these it is undone.
    before = models.JSONField(_("before"), null=True)
    version = models.PositiveIntegerField(_("version"), null=True)

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("operation", "product"), name="bulk_change_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=("pending", "done", "unchanged", "refused", "failed")),
                name="bulk_change_outcome",
            ),
        )
        indexes = (models.Index(fields=("operation", "outcome", "id"), name="bulk_change_outcome_id"),)

    def __str__(self) -> str:
        return f"{self.product_id}: {self.outcome}"
