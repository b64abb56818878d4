"""What follows from saving a photograph, and from deleting a product. Connected in `apps.py`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from catalog.models import Product, ProductImage
from classifier import services
from classifier.models import Classification, DeletedProduct


def image_saved(
    sender: type[ProductImage], instance: ProductImage, raw: bool, update_fields: Collection[str] | None, **kwargs: Any
) -> None:
    """Queue the classification of a photograph; one that was put away or back changes its product's proposal."""
    if raw:  # loaded from a fixture: rows that it belongs to may not be there yet
        return
    if instance.archived_at is not None:
        services.propose_again(product_id=instance.product_id)
        return
    bulk = getattr(instance, "bulk", False)  # set by the door: nobody waits at a screen
    priority = Classification.Priority.BULK if bulk else Classification.Priority.INTERACTIVE
    services.request_classification(image=instance, priority=priority)
    if update_fields is not None and "archived_at" in update_fields:
        services.propose_again(product_id=instance.product_id)


def product_deleted(sender: type[Product], instance: Product, **kwargs: Any) -> None:
    """Leave word for the sweep that the files in the product's folder are this database's to delete."""
    DeletedProduct.objects.get_or_create(public_id=instance.public_id)
