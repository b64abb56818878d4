"""Images that are fetched from addresses that callers named."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Merchant
from catalog.models.image import ProductImage
from catalog.models.product import Product
from core.ids import PUBLIC_ID_LENGTH, public_id
from core.outgoing import MOST_CHARACTERS


class FetchedImage(models.Model):
    """One address whose image is to become one of a product, and how far that is: see catalog.services.fetching."""

    class State(models.TextChoices):
        """Where it is."""

        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    public_id = models.CharField(max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, models.CASCADE, related_name="fetches")
    # Who asked: the image is added in their name, with the permissions that they have then.
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    url = models.CharField(max_length=MOST_CHARACTERS)
    place = models.PositiveSmallIntegerField()  # among the product's images
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    lease_token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    image = models.ForeignKey(ProductImage, models.SET_NULL, null=True, related_name="+")
    # Why it was refused, or is tried again, as catalog.imports.refusals writes it; {} for no reason.
    reason = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        default_permissions = ()  # no page of the admin shows it
        ordering = ("id",)
        indexes = (
            models.Index(fields=("state", "next_at"), name="fetched_image_due"),
            models.Index(fields=("product", "id"), name="fetched_image_product"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(state__in=("waiting", "done", "refused")), name="fetched_image_state"),
        )

    def __str__(self) -> str:
        return self.url

    @property
    def error(self) -> dict[str, str] | None:
        """Code and sentence of what went wrong, in the active language."""
        if not self.reason:
            return None
        sentence, params = gettext(self.reason["text"]), self.reason["params"]
        return {"code": self.reason["code"], "message": sentence % params if params else sentence}
