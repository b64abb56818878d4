"""What follows from deleting an image. Connected in `apps.py`."""

from __future__ import annotations

from typing import Any

from catalog import files
from catalog.models import ProductImage


def image_deleted(sender: type[ProductImage], instance: ProductImage, **kwargs: Any) -> None:
    """Leave word for the sweep that the image's files are to be deleted, in the transaction that deletes the row."""
    files.delete_image_files(instance)
