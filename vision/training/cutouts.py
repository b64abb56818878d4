"""Garments cut out of images of single flat garments, for drawn figures to wear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.engine.results import Box
from vision.training.dataset import LabelledImage, open_upright
from vision.training.pieces import Pixels

WORKING_SIDE = 200
"""Pixels on the longer side at which garments are told from their ground."""
KEPT_SIDE = 220
LEAST_BOX = 30
SHARES = (0.35, 0.97)
LEAST_COVER = 0.85
ITERATIONS = 3


@dataclass(frozen=True, slots=True)
class Cutout:
    """A garment's pixels (h, w, 3), its mask (h, w) of 0 to 255, its labels and the index of its class."""

    pixels: Pixels
    mask: NDArray[np.uint8]
    category: str
    sleeve_length: str
    index: int


def cut_out(row: LabelledImage, index: int) -> Cutout | None:
    """The garment of an image of a single one, cut out along its outline; None where the outline looks wrong.

    Wrong is one that leaves out much of the garment's box or fills nearly all of it.
    """
    assert row.box is not None
    image = open_upright(row.path)
    mask = outline(image, row.box)
    if mask is None:
        return None
    whole = Image.fromarray(mask * np.uint8(255)).resize(image.size, Image.Resampling.BILINEAR)
    box = whole.point(lambda value: 255 if value > 127 else 0).getbbox()
    if box is None:
        return None
    scale = min(1.0, KEPT_SIDE / max(box[2] - box[0], box[3] - box[1]))
    size = max(1, round((box[2] - box[0]) * scale)), max(1, round((box[3] - box[1]) * scale))
    pixels, alpha = (np.asarray(layer.resize(size, Image.Resampling.BOX, box=box)) for layer in (image, whole))
    return Cutout(pixels, alpha, row.labels["category"], row.labels["sleeve_length"], index)


def outline(image: Image.Image, box: Box) -> NDArray[np.uint8] | None:
    """A mask of 0 and 1 of the garment in the box, `WORKING_SIDE` pixels on the longer side (GrabCut, Rother 2004)."""
    import cv2

    scale = WORKING_SIDE / max(image.size)
    small = np.array(image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale)))))
    height, width = small.shape[:2]
    x1, y1 = max(1, int(box[0] * width)), max(1, int(box[1] * height))
    x2, y2 = min(width - 1, int(box[2] * width)), min(height - 1, int(box[3] * height))
    if x2 - x1 < LEAST_BOX or y2 - y1 < LEAST_BOX:
        return None
    mask = np.zeros((height, width), np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(small, mask, (x1, y1, x2 - x1, y2 - y1), *models, ITERATIONS, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # nothing in the box differs from what is around it
        return None
    garment = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(garment)
    if count < 2:
        return None
    largest = (labels == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
    closed = np.asarray(cv2.morphologyEx(largest, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    rows, columns = np.nonzero(closed)
    share = closed.sum() / ((x2 - x1) * (y2 - y1))
    cover = min(np.ptp(columns) / (x2 - x1), np.ptp(rows) / (y2 - y1))
    return closed if SHARES[0] < share < SHARES[1] and cover >= LEAST_COVER else None
