"""Parts of images in which no garment is to be seen, though the whole image shows some."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageStat

from vision.engine.compat import prepare_ultralytics
from vision.engine.results import Box
from vision.training.dataset import LabelledImage, open_upright

BACKGROUND = "background"
# Where ultralytics' two example images show no garment: buildings, a bus, pavement, blurred rows of seats, faces.
ASSET_CUTS: dict[str, tuple[str, tuple[Box, ...]]] = {
    "val": (
        "bus.jpg",
        (
            (0.0, 0.0, 1.0, 0.35),
            (0.38, 0.0, 0.76, 0.23),
            (0.6, 0.0, 1.0, 0.3),
            (0.43, 0.27, 0.87, 0.62),
            (0.66, 0.3, 0.88, 0.48),
            (0.02, 0.2, 0.4, 0.355),
            (0.0, 0.86, 1.0, 1.0),
            (0.44, 0.6, 0.8, 0.78),
            (0.115, 0.365, 0.205, 0.415),
            (0.32, 0.375, 0.385, 0.44),
        ),
    ),
    "train": (
        "zidane.jpg",
        (
            (0.0, 0.0, 0.36, 0.4),
            (0.0, 0.0, 0.18, 0.6),
            (0.34, 0.0, 0.66, 0.26),
            (0.86, 0.0, 1.0, 0.5),
            (0.7, 0.05, 0.85, 0.31),
            (0.42, 0.28, 0.53, 0.44),
        ),
    ),
}
MARGIN = 0.06
"""What is left out around a garment's box, as its box may be a little too small."""
LEAST_STRIP = 0.14
"""The narrowest strip beside a garment that is used, as a fraction of the image's side."""
MOST_CONTRAST = 28.0
"""Strips of a greater standard deviation are left out: a second garment may lie there, which no label names."""
SIZES = ((400, 533), (533, 400), (480, 480))


def asset_cuts(split: str) -> Iterator[Image.Image]:
    """Parts of the example images that come with ultralytics."""
    prepare_ultralytics()
    from ultralytics.utils import ASSETS

    name, boxes = ASSET_CUTS[split]
    image = open_upright(Path(ASSETS) / name)
    for box in boxes:
        cut = _cut(image, box)
        scale = max(1.0, 320 / min(cut.size))
        yield cut.resize((round(cut.width * scale), round(cut.height * scale)), Image.Resampling.BICUBIC)


def backgrounds(images: Sequence[LabelledImage], chance: random.Random) -> Iterator[Image.Image]:
    """What lies around a garment, without it: by turns a strip that is continued, and the image with its garment
    painted over with such a strip."""
    for number, labelled in enumerate(chance.sample(list(images), len(images))):
        if labelled.box is None or not labelled.box_ok:
            continue
        strip = _widest_strip(labelled.box)
        if strip is None:
            continue
        image = open_upright(labelled.path)
        if max(ImageStat.Stat(_cut(image, strip)).stddev) > MOST_CONTRAST:
            continue
        if number % 2:
            yield _continued(_cut(image, strip), chance.choice(SIZES))
        else:
            yield _painted_over(image, labelled.box, strip)


def _cut(image: Image.Image, box: Box) -> Image.Image:
    x1, y1, x2, y2 = box
    return image.crop(
        (round(x1 * image.width), round(y1 * image.height), round(x2 * image.width), round(y2 * image.height))
    )


def _widest_strip(box: Box) -> Box | None:
    """The widest of the four strips beside a box, None where all are narrow."""
    x1, y1, x2, y2 = box
    strips: list[tuple[float, Box]] = [
        (x1 - MARGIN, (0.0, 0.0, x1 - MARGIN, 1.0)),
        (1.0 - x2 - MARGIN, (x2 + MARGIN, 0.0, 1.0, 1.0)),
        (y1 - MARGIN, (0.0, 0.0, 1.0, y1 - MARGIN)),
        (1.0 - y2 - MARGIN, (0.0, y2 + MARGIN, 1.0, 1.0)),
    ]
    width, strip = max(strips)
    return strip if width >= LEAST_STRIP else None


def _continued(strip: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The strip and its mirror images side by side until they cover the size."""
    whole = Image.new("RGB", size)
    for column in range(-(-size[0] // strip.width)):
        for line in range(-(-size[1] // strip.height)):
            tile = strip.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if column % 2 else strip
            tile = tile.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if line % 2 else tile
            whole.paste(tile, (column * strip.width, line * strip.height))
    return whole


def _painted_over(image: Image.Image, box: Box, strip: Box) -> Image.Image:
    filling = _continued(_cut(image, strip), image.size)
    mask = Image.new("L", image.size, 0)
    x1, y1, x2, y2 = (edge + sign * MARGIN for edge, sign in zip(box, (-1, -1, 1, 1), strict=True))
    corners = (x1 * image.width, y1 * image.height, x2 * image.width, y2 * image.height)
    ImageDraw.Draw(mask).rectangle(corners, fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(MARGIN / 4 * min(image.size)))
    return Image.composite(filling, image, soft)
