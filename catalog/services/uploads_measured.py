"""What is counted, and written to the log, of images that come in."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from catalog.models import Product, ProductImage
from core import logs, tracing
from core.metrics import Counter

logger = logging.getLogger(__name__)

STORED = Counter("otjang_uploads_stored_total", "Images that were stored.")
REFUSED = Counter("otjang_uploads_refused_total", "Files that upload validation turned away, by code.", ("code",))


def stored(product: Product, images: Sequence[ProductImage]) -> None:
    """Count images that are committed, and join the id of the request to theirs, which a worker's lines carry."""
    STORED.add(len(images))
    names = [image.public_id for image in images]
    logger.info("%d images stored", len(images), extra=logs.fields(product=product.public_id, images=names))
    tracing.note(product=product.public_id, images=names)
