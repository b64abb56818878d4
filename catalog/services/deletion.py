"""Deleting for good what was archived before. Rows go at once, files with the next sweep of a worker."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import Product, ProductImage, ProductImageQuerySet
from catalog.services.writing import audit
from core.db import atomic
from core.errors import Conflict, Forbidden


@atomic
def delete_product(*, actor: Actor, product: Product) -> None:
    """Delete an archived product with its images, decisions and whatever models said. Idempotent.

    Raises:
        Conflict: `not_archived`.
        Forbidden: the actor is neither an owner nor an administrator.
    """
    actor.require_manage(product.merchant_id, "catalog.delete_product")
    locked = Product.objects.select_for_update().filter(pk=product.pk).first()
    if locked is None:
        return
    if locked.status != Product.Status.ARCHIVED:
        raise Conflict("not_archived", _("This product is not archived. Archive it before you delete it for good."))
    audit(actor, "product.delete", locked, name=locked.name, sku=locked.sku, images=locked.images.count())
    _delete(locked)


@atomic
def delete_of_closed(*, actor: Actor, product: Product) -> None:
    """Delete a product of a merchant that is closed for good, whatever its status. Idempotent.

    Raises:
        Conflict: `open`: its merchant is not closed.
        Forbidden: the actor is not the system.
    """
    if not actor.is_system:
        raise Forbidden("forbidden", _("Only the sweep deletes what a closed shop had."))
    locked = Product.objects.select_for_update().filter(pk=product.pk).first()
    if locked is None:
        return
    if locked.merchant.is_active:
        raise Conflict("open", _("The shop is not closed."))
    _delete(locked)


def _delete(locked: Product) -> None:
    images = locked.images.all()
    locked.decisions.all().delete()  # first: they protect the predictions that they answer
    _delete_findings(images)
    locked.delete()


@atomic
def delete_image(*, actor: Actor, image: ProductImage) -> None:
    """Delete an archived image with whatever models saw in it. Decisions stay. Idempotent.

    Raises:
        Conflict: `not_archived`.
        Forbidden: the actor is neither an owner nor an administrator.
    """
    actor.require_manage(image.product.merchant_id, "catalog.delete_productimage")
    product = Product.objects.select_for_update().filter(pk=image.product_id).first()
    locked = ProductImage.objects.filter(pk=image.pk).first()
    if product is None or locked is None:
        return
    if locked.archived_at is None:
        raise Conflict("not_archived", _("The product still shows this photo. Remove it there first."))
    audit(actor, "image.delete", product, image=locked.public_id, name=locked.original_name)
    # A decision keeps what it answers in columns of its own; the prediction itself goes with the image.
    product.decisions.filter(prediction__garment__image=locked).update(prediction=None)
    _delete_findings(ProductImage.objects.filter(pk=locked.pk))
    locked.delete()


def _delete_findings(images: ProductImageQuerySet) -> None:
    """Delete the garments found in the images, and see to it that no worker adds any: it finds its lease gone."""
    for image in images:
        list(image.classifications.select_for_update().values_list("pk", flat=True))
        # Before their jobs: MySQL's cascade would first take the job away from a garment, which must have one.
        image.garments.all().delete()
