"""What canvases are made of: reduced images with their boxes, and how one is laid into a place on a canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.engine.results import Box

Pixels = NDArray[np.uint8]
Targets = NDArray[np.float32]
"""The garments of an image or canvas (n, 5): class index and x1, y1, x2, y2, as fractions or in pixels."""
Place = tuple[int, int, int, int]
"""Left, top, width and height on a canvas, in pixels."""

BOTTOM, ONEPIECE = "Bottom", "Onepiece"
LEAST_VISIBLE = 0.2
LEAST_SIDE = 5
SMALLEST = 8
"""Pixels that an image takes up on a canvas at least; below, nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An image file and its garments, boxes as fractions; `worn` if people wear them."""

    path: Path
    targets: Targets
    worn: bool = False

    def open(self) -> Image.Image:
        """The pixels, RGB."""
        with Image.open(self.path) as image:
            return image.convert("RGB")


@dataclass(frozen=True, slots=True)
class Manner:
    """How an image is laid into its place: `scale`, the least and greatest factor of what would just fit, and how often
    it is cropped first, as merchants crop at neck and waist."""

    scale: tuple[float, float]
    crop: float = 0.0


def targets_of(boxes: Sequence[tuple[int, Box]]) -> Targets:
    """Class indices and boxes as an array (n, 5)."""
    return np.array([(index, *box) for index, box in boxes], np.float32).reshape(-1, 5)


def lay(
    canvas: Pixels, place: Place, piece: Piece, manner: Manner, classes: Sequence[str], chance: np.random.Generator
) -> Targets:
    """Draw the image into a place of the canvas, scaled, stretched a little and maybe mirrored.

    Returns the garments in pixels of the canvas that are still to be seen.
    """
    image = piece.open()
    left, top, width, height = place
    cropped = chance.random() < manner.crop
    region = crop_of(piece.targets, image.size, classes, chance) if cropped else (0, 0, *image.size)
    extent = region[2] - region[0], region[3] - region[1]
    scale = min(width / extent[0], height / extent[1])
    scale *= math.exp(chance.uniform(math.log(manner.scale[0]), math.log(manner.scale[1])))
    stretched = [scale * math.exp(chance.uniform(-0.08, 0.08)) for _ in range(2)]
    size = extent[0] * stretched[0], extent[1] * stretched[1]
    # Where there is room it lies anywhere inside its place, else any part of it shows.
    offset = [
        chance.uniform(min(0.0, room - side), max(0.0, room - side))
        for room, side in zip((width, height), size, strict=True)
    ]
    shown = (
        max(0, int(offset[0])),
        max(0, int(offset[1])),
        min(width, int(offset[0] + size[0])),
        min(height, int(offset[1] + size[1])),
    )
    if shown[2] - shown[0] < SMALLEST or shown[3] - shown[1] < SMALLEST:
        return targets_of([])
    origin = np.array([region[0] - offset[0] / stretched[0], region[1] - offset[1] / stretched[1]] * 2)
    source = np.clip(
        np.array(shown) / np.array(stretched * 2) + origin, np.array(region[:2] * 2), np.array(region[2:] * 2)
    )
    resized = image.resize(
        (shown[2] - shown[0], shown[3] - shown[1]), Image.Resampling.BILINEAR, box=tuple(source), reducing_gap=2.0
    )
    mirrored = chance.random() < 0.5
    pixels = np.asarray(resized)
    canvas[top + shown[1] : top + shown[3], left + shown[0] : left + shown[2]] = pixels[:, ::-1] if mirrored else pixels
    found = _moved(piece.targets, image.size, source, np.array(shown), mirrored)
    found[:, 1:] += np.array([left, top] * 2, np.float32)
    return found


def _moved(
    targets: Targets, size: tuple[int, int], source: NDArray[np.float64], shown: NDArray[np.intp], mirrored: bool
) -> Targets:
    """Where garments are that were at `targets` of an image, of which `source` now fills `shown` (both x1 to y2)."""
    boxes = targets[:, 1:] * np.array(size * 2, np.float32)
    whole = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    boxes = np.clip(boxes, np.tile(source[:2], 2), np.tile(source[2:], 2))
    visible = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / np.maximum(whole, 1e-9)
    factor = (shown[2:] - shown[:2]) / np.maximum(source[2:] - source[:2], 1e-9)
    boxes = (boxes - np.tile(source[:2], 2)) * np.tile(factor, 2)
    if mirrored:
        boxes[:, [0, 2]] = (shown[2] - shown[0]) - boxes[:, [2, 0]]
    boxes += np.tile(shown[:2], 2)
    moved = np.concatenate([targets[:, :1], boxes], axis=1).astype(np.float32)
    extent = boxes[:, 2:] - boxes[:, :2]
    kept: Targets = moved[(visible > LEAST_VISIBLE) & (extent > LEAST_SIDE).all(axis=1)]
    return kept


def crop_of(
    targets: Targets, size: tuple[int, int], classes: Sequence[str], chance: np.random.Generator
) -> tuple[int, int, int, int]:
    """A part of an image as merchants crop it, in pixels: below the neck, to the waist, from the waist, or a band.

    Images of one-piece garments are cropped below the neck only; one without garments anywhere.
    """
    edges = _crop_edges(targets, classes, chance) if len(targets) else _any_part(chance)
    x1, y1, x2, y2 = (int(min(max(edge, 0.0), 1.0) * side) for edge, side in zip(edges, (*size, *size), strict=True))
    return (x1, y1, x2, y2) if x2 - x1 > 40 and y2 - y1 > 40 else (0, 0, *size)


def _any_part(chance: np.random.Generator) -> Box:
    (x1, y1), (x2, y2) = chance.uniform(0, 0.3, 2), chance.uniform(0.5, 0.7, 2)
    return float(x1), float(y1), float(x1 + x2), float(y1 + y2)


def _crop_edges(targets: Targets, classes: Sequence[str], chance: np.random.Generator) -> Box:
    kinds = [classes[int(index)] for index in targets[:, 0]]
    top, bottom = float(targets[:, 2].min()), float(targets[:, 4].max())
    bottoms = [float(row[2]) for kind, row in zip(kinds, targets, strict=True) if kind == BOTTOM]
    waist = sum(bottoms) / len(bottoms) if bottoms else top + 0.45 * (bottom - top)
    waist += float(chance.normal(0, 0.03))
    x1, y1, x2, y2 = 0.0, 0.0, 1.0, 1.0
    way = 0.0 if ONEPIECE in kinds else chance.random()
    if way < 0.35:
        y1 = top + chance.uniform(-0.03, 0.04)
    elif way < 0.6:
        y1, y2 = chance.choice([0.0, max(0.0, top - 0.02)]), waist + chance.uniform(-0.02, 0.12)
    elif way < 0.8:
        y1, y2 = waist - chance.uniform(-0.02, 0.12), chance.choice([1.0, min(1.0, bottom + 0.03)])
    else:
        y1 = chance.uniform(0, 0.3)
        y2 = y1 + chance.uniform(0.45, 0.7)
    if chance.random() < 0.6:
        x1 = float(targets[:, 1].min()) - chance.uniform(-0.02, 0.15)
        x2 = float(targets[:, 3].max()) + chance.uniform(-0.02, 0.15)
    return x1, y1, x2, y2
