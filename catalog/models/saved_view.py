"""Views of the list of products that people save."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Merchant
from core.ids import PUBLIC_ID_LENGTH, public_id


class SavedView(models.Model):
    """A list of products as a person likes to have it: search, filters, order and columns under a name."""

    MOST = 30  # of a person in a merchant

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="product_views")
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("query"), max_length=2000, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name
