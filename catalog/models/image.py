"""Images of products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.copies import is_elongated
from catalog.models.product import Product
from core.ids import PUBLIC_ID_LENGTH, public_id

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification, Garment


FILES = ("original", "display", "thumbnail", "small")


class ProductImageQuerySet(models.QuerySet["ProductImage"]):
    """Images, and who may see which."""

    def visible_to(self, actor: Actor) -> ProductImageQuerySet:
        """Images of products that the actor may know of.

        Removed ones only for who may delete them for good, and for who removed them: that may have been a slip.
        """
        visible = self.filter(product__in=Product.objects.visible_to(actor))
        by_key = actor.api_key is not None and actor.merchant is not None and actor.can_edit(actor.merchant.pk)
        if actor.sees_all_merchants or actor.is_owner or by_key:
            return visible
        shown = Q(archived_at=None)
        return visible.filter(shown | Q(archived_by=actor.user) if actor.user is not None else shown)

    def current(self) -> ProductImageQuerySet:
        """Images that are not archived, in the merchant's order."""
        return self.filter(archived_at=None).order_by("position", "id")


class ProductImage(models.Model):
    """One image of a product: the file as uploaded, an upright copy without EXIF, and a thumbnail."""

    public_id = models.CharField(
        _("number"), max_length=PUBLIC_ID_LENGTH, unique=True, default=public_id, editable=False
    )
    product = models.ForeignKey(Product, models.CASCADE, related_name="images", verbose_name=_("product"))
    original = models.FileField(_("file"), max_length=200)
    display = models.FileField(_("display copy"), max_length=200, editable=False)
    thumbnail = models.FileField(_("thumbnail"), max_length=200, editable=False)
    # For lists; images of before there was one have none.
    small = models.FileField(_("small thumbnail"), max_length=200, editable=False, blank=True, default="")
    original_name = models.CharField(_("original name"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    size = models.PositiveIntegerField(_("bytes"), editable=False)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    current_classification: models.ForeignKey[Classification | None, Classification | None] = models.ForeignKey(
        "classifier.Classification", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    archived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("removed by"),
    )

    objects = ProductImageQuerySet.as_manager()

    shown_garments: list[Garment]  # where `catalog.selectors.shown_garments` has read them

    bulk = False  # on the instance being saved only: many of the merchant wait, so it is queued behind other work

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ("position", "id")
        constraints = (models.CheckConstraint(condition=Q(width__gt=0, height__gt=0, size__gt=0), name="image_size"),)
        indexes = (
            models.Index(fields=("product", "position", "id"), name="image_product"),
            models.Index(fields=("sha256",), name="image_sha256"),
            models.Index(fields=("original_name",), name="image_name"),
            models.Index(fields=("archived_at",), name="image_archived"),
        )

    def __str__(self) -> str:
        return self.original_name

    @property
    def files(self) -> dict[str, str]:
        """The names of its files in the storage, by field."""
        names = {field: str(getattr(self, field)) for field in FILES}
        return {field: name for field, name in names.items() if name}

    @property
    def elongated(self) -> bool:
        """Whether it is shown as a page of its own width; its thumbnail shows its beginning only."""
        return is_elongated(self.width, self.height)
