"""A folder of images without a garment."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image

from vision.evaluation.negatives.cut import BACKGROUND, asset_cuts, backgrounds
from vision.evaluation.negatives.drawn import DRAWINGS, SHARES, draw
from vision.training.dataset import LabelledImage

CUT = "cut"
BACKGROUND_SHARE = 0.2
QUALITY = 88


@dataclass(frozen=True, slots=True)
class Negative:
    """An image without a garment; `kind` says what it shows instead, such as `chart` or `background`."""

    path: Path
    kind: str


def write_negatives(folder: Path, images: Sequence[LabelledImage], split: str, count: int) -> list[Negative]:
    """Write `count` JPEGs into a folder that exists.

    Args:
        folder: where the files go; those of an earlier time with the same name are replaced.
        images: labelled garments, of whose surroundings a fifth of the images is made; those of `split` are used.
        split: `train` or `val`; no image of one is in the other.
        count: how many to write.
    """
    made = islice(_all(images, split, count), count)
    written = []
    for number, (kind, image) in enumerate(made):
        path = folder / f"negative-{split}-{number:04}-{kind.replace(' ', '-')}.jpg"
        image.save(path, "JPEG", quality=QUALITY)
        written.append(Negative(path, kind))
    return written


def _all(images: Sequence[LabelledImage], split: str, count: int) -> Iterator[tuple[str, Image.Image]]:
    for image in asset_cuts(split):
        yield CUT, image
    of_split = [image for image in images if image.split == split]
    chance = random.Random(f"backgrounds of {split}")
    for image in islice(backgrounds(of_split, chance), round(BACKGROUND_SHARE * count)):
        yield BACKGROUND, image
    kinds = [kind for kind in DRAWINGS for _ in range(SHARES.get(kind, 1))]
    number = 0
    while True:
        kind = kinds[number % len(kinds)]
        yield kind, draw(kind, f"{split} {number}")
        number += 1
