"""Images of which some garments have no good box: the half-trained network fills the gaps where it is sure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vision.engine.detector import Detections, Detector
from vision.engine.matching import overlaps
from vision.engine.results import Box
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.training.dataset import LabelledImage, open_upright

LEAST_SCORE = 0.3
DOUBTFUL, SURE = 0.35, 0.6
"""A find that no label explains is a garment from SURE on; between the two the image is left out."""
SAME, SAME_ROUGH = 0.5, 0.4
"""How much (IoU) a find overlaps a garment's box, and its rough box, at least."""
BATCH = 16

Boxes = tuple[tuple[int, Box], ...]


def fill_gaps(detector: Detector, images: Sequence[Sequence[LabelledImage]], taxonomy: Taxonomy) -> list[Boxes | None]:
    """Class index and box of every garment of each image (its rows), None where the network is not sure enough.

    The detector's classes are top-level categories, its threshold at most LEAST_SCORE.
    """
    filled: list[Boxes | None] = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        found = detector.find([open_upright(rows[0].path) for rows in batch])
        filled += [
            _fill(rows, detections, detector.spec.classes, taxonomy)
            for rows, detections in zip(batch, found, strict=True)
        ]
    return filled


def _fill(rows: Sequence[LabelledImage], found: Detections, classes: Sequence[str], taxonomy: Taxonomy) -> Boxes | None:
    """The good boxes, for each rough one the find in its place, and sure finds that no row explains."""
    kinds = [taxonomy.parent_of(CATEGORY, row.labels[CATEGORY]) if row.labels[CATEGORY] else None for row in rows]
    shared = overlaps(found.boxes, np.array([row.box for row in rows], np.float32).reshape(-1, 4))
    boxes: list[tuple[int, Box]] = []
    explained: set[int] = set()
    for number, (row, kind) in enumerate(zip(rows, kinds, strict=True)):
        if kind in classes and row.box is not None and row.box_ok:
            boxes.append((classes.index(kind), row.box))
        if kind not in classes or row.box_ok:
            explained |= set(np.flatnonzero(shared[:, number] > SAME).tolist())
            continue
        fits = [
            index
            for index in range(len(found.boxes))
            if index not in explained
            and classes[found.classes[index]] == kind
            and shared[index, number] > SAME_ROUGH
            and found.scores[index] > LEAST_SCORE
        ]
        if not fits:
            return None
        best = max(fits, key=lambda index: float(shared[index, number]))
        explained.add(best)
        boxes.append((int(found.classes[best]), _box(found, best)))
    for index in range(len(found.boxes)):
        known = np.array([box for _, box in boxes], np.float32).reshape(-1, 4)
        if index in explained or (overlaps(found.boxes[index : index + 1], known) > SAME).any():
            continue
        if found.scores[index] > SURE:
            boxes.append((int(found.classes[index]), _box(found, index)))
        elif found.scores[index] > DOUBTFUL:
            return None
    return tuple(boxes) or None


def _box(found: Detections, index: int) -> Box:
    x1, y1, x2, y2 = (float(edge) for edge in found.boxes[index])
    return x1, y1, x2, y2
