"""Canvases without a garment: what lies around garments in images, and drawings of what merchants upload."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vision.evaluation.negatives.drawn import DRAWINGS, draw
from vision.training.pieces import Piece, Pixels

TRIES = 12


def cut_surroundings(piece: Piece, shape: tuple[int, int], chance: np.random.Generator) -> Pixels | None:
    """A canvas of `shape` (height, width) from a part of the image that touches no garment; None if none was found."""
    boxes = piece.targets[:, 1:]
    for _ in range(TRIES):
        low = chance.uniform(0, 0.75, 2)
        high = low + chance.uniform(0.15, 0.5, 2)
        touched = (boxes[:, :2] < high).all(axis=1) & (boxes[:, 2:] > low).all(axis=1)
        if (high <= 1).all() and not touched.any():
            image = piece.open()
            extent = np.array([image.width, image.height] * 2)
            region = tuple((np.concatenate([low, high]) * extent).tolist())
            return np.array(image.resize(shape[::-1], Image.Resampling.BILINEAR, box=region, reducing_gap=2.0))
    return None


def drawn_negative(shape: tuple[int, int], chance: np.random.Generator) -> Pixels:
    """A canvas of `shape` (height, width) with a drawing: a chart, a page of text, a room, a pattern.

    Of the same kinds as those of the quality run, but none of these.
    """
    kind = list(DRAWINGS)[chance.integers(len(DRAWINGS))]
    image = draw(kind, f"train {chance.integers(2**31)}")
    return np.array(image.resize(shape[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0))
