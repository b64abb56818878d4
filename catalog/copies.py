"""The copies that pages show of an image: one to look at, which the networks read as well, and a small one."""

from __future__ import annotations

import io
import math

from PIL import Image

DISPLAY_SIDE = 1600  # px, longer side
THUMBNAIL_SIDE = 400
SMALL_SIDE = 160  # what lists show at 48 to 80 px, on screens of two and more pixels each
ELONGATED = 2.2  # longer side by shorter one; from here on an image is a page to read rather than a photo to look at
MOST_PIXELS = 16_000_000  # of an image that copies are made from
_PAGE_WIDTH = 720  # px, shorter side that the display copy of such an image keeps: DISPLAY_SIDE / ELONGATED
_PAGE_PIXELS = 12_000_000  # of that copy: 720 x 16,600


def is_elongated(width: int, height: int) -> bool:
    """Say whether an image is so tall or wide that it is shown as a page of its own width, not fitted into a square."""
    return max(width, height) > ELONGATED * min(width, height)


def display_copy(image: Image.Image) -> bytes:
    """Encode the copy that pages show: legible, so that a tall page keeps its width and not only its length."""
    width, height = image.size
    scale = DISPLAY_SIDE / max(width, height)
    if is_elongated(width, height):
        scale = min(_PAGE_WIDTH / min(width, height), math.sqrt(_PAGE_PIXELS / (width * height)))
    return _encoded(image, scale, 88)


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """Encode a small copy; of an elongated image its beginning, because as a whole it would be a line.

    Args:
        image: the whole image.
        side: px, the copy's longer one.
    """
    width, height = image.size
    if is_elongated(width, height):
        most = int(ELONGATED * min(width, height))
        image = image.crop((0, 0, min(width, most), min(height, most)))
    return _encoded(image, side / max(image.size), 82)


def _encoded(image: Image.Image, scale: float, quality: int) -> bytes:
    """JPEG, never enlarged."""
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()
