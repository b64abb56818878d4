"""A product as such: its name, its SKU and its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from catalog.models import Product, ProductImage
from catalog.services.writing import audit, check_version, locked_for, locked_image, save
from core.db import atomic
from core.errors import Conflict, Invalid
from core.ids import public_id
from core.text import has_control_characters, looks_empty, lookup_key, require_name_length, tidied

SKU_LENGTH = 64
NAME_LENGTH = 200


def clean_sku(sku: str | None) -> str | None:
    """Return the SKU tidied, or None for an empty one.

    Raises:
        Invalid: `sku_too_long`, `sku_control_characters`, `sku_looks_empty`.
    """
    text = tidied(sku or "")
    if has_control_characters(text):
        raise Invalid("sku_control_characters", _("The SKU holds characters that cannot be seen. Type it again."))
    if looks_empty(text):
        raise Invalid("sku_looks_empty", _("The SKU has no character that can be seen. Type one, or leave it empty."))
    if len(text) > SKU_LENGTH:
        raise Invalid(
            "sku_too_long",
            _("The SKU has %(length)d characters; at most %(limit)d are possible. Shorten it."),
            {"length": len(text), "limit": SKU_LENGTH},
        )
    return text or None


def clean_name(name: str) -> str:
    """Return the name tidied.

    Raises:
        Invalid: `name_too_long`, `name_control_characters`, `name_looks_empty`.
    """
    text = tidied(name)
    if has_control_characters(text):
        raise Invalid("name_control_characters", _("The name holds characters that cannot be seen. Type it again."))
    if looks_empty(text):
        raise Invalid("name_looks_empty", _("The name has no character that can be seen. Type one, or leave it empty."))
    require_name_length(text, NAME_LENGTH)
    return text


def sku_taken() -> Conflict:
    """Return the refusal of an SKU that another product of the merchant has."""
    return Conflict("sku_taken", _("Another product of this shop has this SKU already. Give another one."))


def check_sku_free(merchant_id: int, sku: str | None, but: int | None = None) -> None:
    """Refuse an SKU that another product of the merchant has, in whatever spelling; `but` is the product's own id.

    Raises:
        Conflict: `sku_taken`.
    """
    if sku is None:
        return
    same = Product.objects.filter(merchant_id=merchant_id, sku_key=lookup_key(sku))
    if (same if but is None else same.exclude(pk=but)).exists():
        raise sku_taken()


def check_new_product(*, actor: Actor, merchant: Merchant, name: str, sku: str | None) -> tuple[str, str | None]:
    """Return the name and the SKU tidied if a product may be created with them. Raises as `create_product` does."""
    actor.require_edit(merchant.pk)
    name, sku = clean_name(name), clean_sku(sku)
    check_sku_free(merchant.pk, sku)
    return name, sku


@atomic
def create_product(
    *, actor: Actor, merchant: Merchant, name: str = "", sku: str | None = None, number: str | None = None
) -> Product:
    """Create a draft.

    Args:
        actor: who creates it.
        merchant: whose product it is.
        name: may be empty.
        sku: may be empty.
        number: its public id, if files were written under that already.

    Raises:
        Invalid: the name or SKU is too long or holds control characters.
        Conflict: `sku_taken`, in whatever spelling.
        Forbidden: the actor may only look.
    """
    name, sku = check_new_product(actor=actor, merchant=merchant, name=name, sku=sku)
    try:
        with transaction.atomic():
            product = Product.objects.create(
                public_id=number or public_id(), merchant=merchant, name=name, sku=sku, created_by=actor.user
            )
    except IntegrityError as error:  # somebody took the SKU between the check and now
        raise sku_taken() from error
    audit(actor, "product.create", product, sku=sku, name=name)
    return product


@dataclass(frozen=True)
class Renaming:
    """A product's name and SKU before and after somebody changed them."""

    before: dict[str, str | None]
    after: dict[str, str | None]

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns to save: none where nothing changes."""
        return ("name", "sku", "sku_key") if self.after != self.before else ()


def rename(product: Product, name: str | None, sku: str | None) -> Renaming:
    """Give a locked product another name or SKU; None leaves it, an empty SKU removes it. `save_renamed` writes it.

    Raises:
        Invalid: the name or SKU is too long or holds control characters.
        Conflict: `sku_taken`.
    """
    before = {"name": product.name, "sku": product.sku}
    if name is not None:
        product.name = clean_name(name)
    if sku is not None:
        product.sku = clean_sku(sku)
        check_sku_free(product.merchant_id, product.sku, but=product.pk)
    return Renaming(before, {"name": product.name, "sku": product.sku})


def save_renamed(actor: Actor, product: Product, renaming: Renaming, *fields: str) -> None:
    """Save these fields with what the renaming changed, and put that on record.

    Raises:
        Conflict: `sku_taken`, by somebody who was quicker.
    """
    try:
        with transaction.atomic():
            save(product, *fields, *renaming.fields)
    except IntegrityError as error:
        raise sku_taken() from error
    if renaming.fields:
        audit(actor, "product.update", product, before=renaming.before, after=renaming.after)


@atomic
def update_product(
    *, actor: Actor, product: Product, name: str | None = None, sku: str | None = None, version: int | None = None
) -> Product:
    """Change the name or the SKU; None leaves it, an empty SKU removes it.

    Raises as `create_product` does, and Conflict `stale` if the product was changed since that version.
    """
    product = locked_for(actor, product)
    check_version(product, version)
    renaming = rename(product, name, sku)
    if renaming.fields:
        save_renamed(actor, product, renaming)
    return product


@atomic
def reorder_images(*, actor: Actor, product: Product, order: Sequence[str]) -> None:
    """Put the product's images in another order, by their public ids; the first one stands for the product in lists.

    Raises:
        Conflict: `other_images`: these are not the product's images, each of them once; or `archived`.
    """
    product = locked_for(actor, product)
    images = {image.public_id: image for image in product.images.current()}
    if len(order) != len(images) or set(order) != set(images):
        raise Conflict("other_images", _("The product has other photos by now. Name each one of them once."))
    places = {images[public_id].pk: place for place, public_id in enumerate(order)}
    moved = [image for image in images.values() if image.position != places[image.pk]]
    for image in moved:
        image.position = places[image.pk]
    if moved:
        ProductImage.objects.bulk_update(moved, ["position"])
        save(product)
        audit(actor, "image.reorder", product, images=list(order))


@atomic
def archive_image(*, actor: Actor, image: ProductImage) -> None:
    """Take an image away from its product; it stays until it is deleted for good, or put back."""
    product, image = locked_image(actor, image)
    if image.archived_at is not None:
        return
    image.archived_at, image.archived_by = timezone.now(), actor.user
    image.save(update_fields=["archived_at", "archived_by"])
    save(product)
    audit(actor, "image.archive", product, image=image.public_id, name=image.original_name)
