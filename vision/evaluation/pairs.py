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
QUALITY = 90


def write_pairs(folder: Path, images: Sequence[LabelledImage], count: int, seed: str = "pairs") -> list[Outfit]:
    """Write `count` images, each of two whole images of one garment that are scaled to the same height.

    Only images with a good box are used, none twice while there are enough. The same seed gives the same pairs.
    """
    good = [image for image in images if image.box is not None and image.box_ok and image.labels["category"]]
    chance = random.Random(seed)
    queue: list[LabelledImage] = []
    pairs = []
    for number in range(count):
        if len(queue) < 2:
            queue = chance.sample(good, len(good))
        pairs.append(_join(folder / f"pair-{number:03}.jpg", queue.pop(), queue.pop()))
    return pairs


def _join(path: Path, first: LabelledImage, second: LabelledImage) -> Outfit:
    parts = []
    for labelled in (first, second):
        image = open_upright(labelled.path)
        parts.append(image.resize((max(1, round(image.width * HEIGHT / image.height)), HEIGHT)))
    whole = Image.new("RGB", (sum(part.width for part in parts), HEIGHT))
    garments, left = [], 0
    for part, labelled in zip(parts, (first, second), strict=True):
        whole.paste(part, (left, 0))
        garments.append(WornGarment(labelled.labels, _moved(labelled.box, left, part.width, whole.width)))
        left += part.width
    whole.save(path, "JPEG", quality=QUALITY)
    return Outfit(path, tuple(garments))


def _moved(box: Box | None, left: int, width: int, whole: int) -> Box:
    """Where a box of a part lies in the whole image."""
    assert box is not None
    x1, y1, x2, y2 = box
    return (left + x1 * width) / whole, y1, (left + x2 * width) / whole, y2
