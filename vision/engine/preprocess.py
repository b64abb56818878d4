"""From an image to the arrays that the networks take.

Training and serving share these functions, so that a network never meets in service what it was not trained on.
Images are upright RGB Pillow images; boxes are (x1, y1, x2, y2) as fractions of width and height.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .results import Box

Shapes = tuple[tuple[int, int], ...]
"""What a network may get, (height, width) in pixels each."""

PADDING_GREY = 114
CROP_MARGIN = 0.04


class Letterbox(NamedTuple):
    """How an image was fitted into a canvas: scale factors and offsets, in pixels of the canvas."""

    scale_x: float
    scale_y: float
    left: int
    top: int

    def to_fractions(self, boxes: NDArray[np.floating], width: int, height: int) -> NDArray[np.float32]:
        """Boxes (n, 4) in pixels of the canvas as fractions of the image of `width` x `height`, clipped to it."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        extent = np.array([self.scale_x * width, self.scale_y * height] * 2, np.float32)
        fractions: NDArray[np.float32] = np.clip((boxes - offset) / extent, 0.0, 1.0).astype(np.float32)
        return fractions


def fit(
    image: Image.Image, shape: tuple[int, int], region: tuple[int, int, int, int] | None = None
) -> tuple[Image.Image, Letterbox]:
    """Resize `region` (pixels; the whole image by default) into the middle of a grey canvas of `shape`.

    `shape` is (height, width) in pixels.
    """
    left, top, right, bottom = region or (0, 0, image.width, image.height)
    width, height = right - left, bottom - top
    scale = min(shape[0] / height, shape[1] / width)
    fitted = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Reducing by whole factors first costs little sharpness and saves most of the time on large images.
    resized = image.resize(fitted, Image.Resampling.BILINEAR, box=(left, top, right, bottom), reducing_gap=2.0)
    offset = ((shape[1] - fitted[0]) // 2, (shape[0] - fitted[1]) // 2)
    canvas = Image.new("RGB", (shape[1], shape[0]), (PADDING_GREY,) * 3)
    canvas.paste(resized, offset)
    return canvas, Letterbox(fitted[0] / width, fitted[1] / height, *offset)


def letterbox(
    image: Image.Image, shape: tuple[int, int], region: tuple[int, int, int, int] | None = None
) -> tuple[NDArray[np.uint8], Letterbox]:
    """An image, or a region of it in pixels, as a detector sees it: (*shape, 3) RGB bytes, and the way back."""
    canvas, geometry = fit(image, shape, region)
    return np.asarray(canvas), geometry


def nearest_shape(shapes: Sequence[tuple[int, int]], width: int, height: int) -> tuple[int, int]:
    """Of these shapes (height, width) the one whose proportions are nearest to those of `width` x `height` pixels."""
    return min(shapes, key=lambda shape: abs(math.log(shape[0] * width / (shape[1] * height))))


def written(shapes: Sequence[tuple[int, int]]) -> str:
    """Shapes as people write them, height first: `352 x 352, 384 x 256 or 256 x 384`."""
    *others, last = (f"{height} x {width}" for height, width in shapes)
    return f"{', '.join(others)} or {last}" if others else last


def crop_region(width: int, height: int, box: Box, margin: float = CROP_MARGIN) -> tuple[int, int, int, int]:
    """`box` in pixels, grown on each side by `margin` of its longer side, clipped; never empty."""
    x1, y1, x2, y2 = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    grow = margin * max(x2 - x1, y2 - y1)
    left = min(max(0, round(x1 - grow)), width - 1)
    top = min(max(0, round(y1 - grow)), height - 1)
    right = max(left + 1, min(width, round(x2 + grow)))
    bottom = max(top + 1, min(height, round(y2 + grow)))
    return left, top, right, bottom


def crop_garment(
    image: Image.Image, box: Box, shapes: Sequence[tuple[int, int]], margin: float = CROP_MARGIN
) -> NDArray[np.uint8]:
    """A garment as a classifier sees it, in the nearest of `shapes`: RGB bytes of its box with some margin around."""
    region = crop_region(image.width, image.height, box, margin)
    left, top, right, bottom = region
    canvas, _ = fit(image, nearest_shape(shapes, right - left, bottom - top), region)
    return np.asarray(canvas)


def to_batch(canvases: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Canvases of one shape (height, width, 3) as one network input (n, 3, height, width), RGB in 0..1."""
    height, width, colours = canvases[0].shape
    batch = np.empty((len(canvases), colours, height, width), np.float32)
    for planes, canvas in zip(batch, canvases, strict=True):
        planes[...] = canvas.transpose(2, 0, 1)
        planes /= np.float32(255.0)  # while they are in the processor's cache
    return batch
