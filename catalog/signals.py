"""What follows from deleting an image or a product. Connected in `apps.py`."""

from __future__ import annotations

from typing import Any

from catalog import files
from catalog.models import Product, ProductImage, ProductTerm


def image_deleted(sender: type[ProductImage], instance: ProductImage, **kwargs: Any) -> None:
    """Leave word for the sweep that the image's files are to be deleted, in the transaction that deletes the row."""
    files.delete_image_files(instance)


def product_deleted(sender: type[Product], instance: Product, **kwargs: Any) -> None:
    """Take a product out of the search: its terms have no index by which the database would find them."""
    ProductTerm.change(instance, instance.search_text, "")
