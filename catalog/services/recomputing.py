"""Writing again what follows from a product's own rows, where something else is stored."""

from __future__ import annotations

from catalog.models import Product, ProductTerm
from catalog.selectors import Taxonomy, images_wait
from catalog.services.writing import lock_product
from catalog.values.recompute import recompute_values
from catalog.values.status import show_waiting, update_status
from core.db import atomic


@atomic
def recompute(*, product_id: int, failed_images: int, taxonomy: Taxonomy) -> None:
    """Write a product's current values, status, counters and search terms again. Idempotent.

    Nothing is decided, proposed or auto-accepted by it, and the version stays, as for `write_proposal`.

    Args:
        product_id: of the product.
        failed_images: how many of its current images could not be classified.
        taxonomy: the taxonomy.

    Raises:
        Gone: it was deleted.
    """
    product = lock_product(product_id)
    values = recompute_values(product, taxonomy, accept=False)
    if product.status != Product.Status.ARCHIVED:
        waits = images_wait(product)
        show_waiting(product, waits=waits)
        if not waits:
            update_status(product, values)
    product.failed_images = failed_images
    product.save(update_fields=["status", "failed_images", "updated_at"])
    following = product.following
    Product.objects.filter(pk=product.pk).update(**following)
    ProductTerm.change(product, "", following["search_text"])
