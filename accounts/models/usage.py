"""What merchants send through the API, day by day."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.merchants import Merchant


class Usage(models.Model):
    """What came in for a merchant through the API on one day of the site's time zone."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="usage", verbose_name=_("merchant"))
    day = models.DateField(_("day"))
    images = models.PositiveIntegerField(_("photos"), default=0)
    bytes = models.PositiveBigIntegerField(_("bytes"), default=0)

    class Meta:
        verbose_name = _("use of the API")
        verbose_name_plural = _("use of the API")
        ordering = ("-day", "merchant")
        default_permissions = ()  # who sees the merchant sees it
        constraints = (models.UniqueConstraint(fields=("merchant", "day"), name="usage_once"),)

    def __str__(self) -> str:
        return f"{self.merchant} · {self.day}"
