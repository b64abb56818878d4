"""Images that were uploaded before anybody said that they are to be a product."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Merchant
from catalog.models.image import FILES
from core.ids import PUBLIC_ID_LENGTH, public_id


class UploadDraft(models.Model):
    """What somebody is putting together on the page for a new product. There is no product before they say so.

    Its files are `PendingFile`s until then, so that they go with their time like those of an upload that broke off.
    catalog.services.drafts writes these.
    """

    # The product that is made of it gets the same one: saying so twice makes one product.
    public_id = models.CharField(max_length=PUBLIC_ID_LENGTH, unique=True)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    sku = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()  # no page of the admin shows it

    def __str__(self) -> str:
        return self.name or self.sku or self.public_id


class DraftImage(models.Model):
    """An image of a draft: what a `ProductImage` says of its file, and nothing that a product's image has beyond."""

    draft = models.ForeignKey(UploadDraft, models.CASCADE, related_name="images")
    public_id = models.CharField(max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id)
    original = models.FileField(max_length=200)
    display = models.FileField(max_length=200)
    thumbnail = models.FileField(max_length=200)
    small = models.FileField(max_length=200)
    original_name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        default_permissions = ()
        ordering = ("position", "id")
        constraints = (
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0, size__gt=0), name="draft_image_size"),
            models.UniqueConstraint(fields=("draft", "sha256"), name="draft_image_once"),
        )

    def __str__(self) -> str:
        return self.original_name

    @property
    def files(self) -> dict[str, str]:
        """The names of its files in the storage, by field."""
        return {field: str(getattr(self, field)) for field in FILES}
