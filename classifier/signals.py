"""What follows from saving an image or renaming a product. Connected in `apps.py`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from catalog.models import Product, ProductImage
from classifier.jobs import requests, spool
from classifier.models import Classification, ClassifyRequest


def image_saved(
    sender: type[ProductImage],
    instance: ProductImage,
    raw: bool,
    created: bool,
    update_fields: Collection[str] | None,
    **kwargs: Any,
) -> None:
    """Queue the classification of an image; one that was put away or back changes its product's proposal."""
    if raw:  # loaded from a fixture: rows that it belongs to may not be there yet
        return
    if instance.archived_at is not None:
        requests.propose_again(product_id=instance.product_id)
        return
    bulk = getattr(instance, "bulk", False)  # set by catalog.services.uploads: many of the merchant wait
    priority = Classification.Priority.BULK if bulk else Classification.Priority.INTERACTIVE
    request = requests.request_first if created else requests.request_classification
    request(image=instance, priority=priority)
    if update_fields is not None and "archived_at" in update_fields:
        requests.propose_again(product_id=instance.product_id)


def product_saved(
    sender: type[Product],
    instance: Product,
    raw: bool,
    created: bool,
    update_fields: Collection[str] | None,
    **kwargs: Any,
) -> None:
    """Build the proposal of a product with another name or SKU again: they hint at which garment it is."""
    if raw or created or not {"name", "sku"} & set(update_fields or ()):
        return
    if instance.images.filter(current_classification__isnull=False).exists():
        requests.propose_again(product_id=instance.pk)


def request_deleted(sender: type[ClassifyRequest], instance: ClassifyRequest, **kwargs: Any) -> None:
    """Delete the files of a request that goes together with its merchant."""
    spool.remove(instance)
