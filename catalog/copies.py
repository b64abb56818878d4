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
    return _encoded(_shrunk(image, scale, Image.Resampling.LANCZOS), 88, optimize=True)


def thumbnails(image: Image.Image) -> tuple[bytes, bytes]:
    """Encode the two small copies, of THUMBNAIL_SIDE and SMALL_SIDE; of an elongated image its beginning.

    The smaller one is made of the larger one, and both with a filter for shrinking that costs half of what the display
    copy's does: that one is looked at, and read by networks.
    """
    width, height = image.size
    if is_elongated(width, height):  # as a whole it would be a line
        most = int(ELONGATED * min(width, height))
        image = image.crop((0, 0, min(width, most), min(height, most)))
    larger = _shrunk(image, THUMBNAIL_SIDE / max(image.size), Image.Resampling.HAMMING)
    smaller = _shrunk(larger, SMALL_SIDE / max(larger.size), Image.Resampling.HAMMING)
    return _encoded(larger, 82, optimize=False), _encoded(smaller, 82, optimize=False)


def _shrunk(image: Image.Image, scale: float, resampling: Image.Resampling) -> Image.Image:
    """Resize, never enlarge."""
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, resampling, reducing_gap=2.0)


def _encoded(image: Image.Image, quality: int, *, optimize: bool) -> bytes:
    """JPEG; optimised it is a sixth smaller where it is large, and takes twice as long."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=optimize)
    return buffer.getvalue()
