"""Two garments side by side, each from an image of its own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from vision.engine.results import Box
from vision.evaluation.outfits import Outfit, WornGarment
from vision.training.dataset import LabelledImage, open_upright

HEIGHT = 640
MARGIN = 0.04
QUALITY = 90
GROUNDS = ("white", "#f3f1ec", "#dcdcdc", "#e9e2d8", "#c9d3da", "#2b2b2b")


def write_pairs(folder: Path, images: Sequence[LabelledImage], count: int, seed: str = "pairs") -> list[Outfit]:
    """Write `count` images of two garments, by turns in the two ways in which merchants put them together.

    One way is two whole images at the same height; the other is garments that are cut out by their boxes, of different
    sizes, with a plain ground around them. Only images with a good box are used, none of them again while there are
    others. The same seed gives the same pairs.
    """
    good = [image for image in images if image.box is not None and image.box_ok and image.labels["category"]]
    chance = random.Random(seed)
    queue: list[LabelledImage] = []
    pairs = []
    for number in range(count):
        if len(queue) < 2:
            queue = chance.sample(good, len(good))
        two = queue.pop(), queue.pop()
        path = folder / f"pair-{number:03}.jpg"
        if number % 2:
            parts = [_part(one, MARGIN, round(HEIGHT * chance.uniform(0.65, 1))) for one in two]
            pairs.append(_join(path, parts, chance.randrange(20, 120), chance.choice(GROUNDS)))
        else:
            pairs.append(_join(path, [_part(one, 1.0, HEIGHT) for one in two], 0, GROUNDS[0]))
    return pairs


def _part(labelled: LabelledImage, margin: float, height: int) -> tuple[Image.Image, WornGarment]:
    """An image cut to its garment and a margin (fraction of its sides), with the garment's box in what is left."""
    assert labelled.box is not None
    image = open_upright(labelled.path)
    x1, y1, x2, y2 = labelled.box
    left, top = round(max(0.0, x1 - margin) * image.width), round(max(0.0, y1 - margin) * image.height)
    right, bottom = round(min(1.0, x2 + margin) * image.width), round(min(1.0, y2 + margin) * image.height)
    width = max(1, round((right - left) * height / (bottom - top)))
    box = (
        (x1 * image.width - left) / (right - left),
        (y1 * image.height - top) / (bottom - top),
        (x2 * image.width - left) / (right - left),
        (y2 * image.height - top) / (bottom - top),
    )
    cut = image.crop((left, top, right, bottom)).resize((width, height))
    return cut, WornGarment(labelled.labels, box)


def _join(path: Path, parts: Sequence[tuple[Image.Image, WornGarment]], gap: int, ground: str) -> Outfit:
    """Write the parts side by side, `gap` pixels apart and from the edges."""
    width = sum(image.width for image, _ in parts) + gap * (len(parts) + 1)
    whole = Image.new("RGB", (width, max(image.height for image, _ in parts) + 2 * gap), ground)
    garments, left = [], gap
    for image, garment in parts:
        top = (whole.height - image.height) // 2
        whole.paste(image, (left, top))
        garments.append(WornGarment(garment.labels, _moved(garment.box, (left, top), image.size, whole.size)))
        left += image.width + gap
    whole.save(path, "JPEG", quality=QUALITY)
    return Outfit(path, tuple(garments))


def _moved(box: Box, corner: tuple[int, int], size: tuple[int, int], whole: tuple[int, int]) -> Box:
    """Where a box of a part lies in the whole image, by the part's corner and size in pixels."""
    x1, y1, x2, y2 = box
    return (
        (corner[0] + x1 * size[0]) / whole[0],
        (corner[1] + y1 * size[1]) / whole[1],
        (corner[0] + x2 * size[0]) / whole[0],
        (corner[1] + y2 * size[1]) / whole[1],
    )
