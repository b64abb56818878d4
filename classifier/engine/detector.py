"""A detector: photographs in, boxes with class and score out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .manifest import ModelSpec
from .matching import Boxes, suppress
from .preprocess import letterbox, to_batch
from .runtime import Network, Tensor

OVERLAP_LIMIT = 0.7
MOST_DETECTIONS = 100


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found in one photograph, by falling score: boxes (n, 4) as fractions, scores and classes (n)."""

    boxes: Boxes
    scores: NDArray[np.float32]
    classes: NDArray[np.intp]


class Detector:
    """A detection network with the picture preparation and the thresholds that belong to it."""

    def __init__(self, spec: ModelSpec, network: Network) -> None:
        self.spec = spec
        self.network = network

    def find(self, images: Sequence[Image.Image]) -> list[Detections]:
        """The boxes in each photograph, in one batch. One region counts once, whatever its classes."""
        squares = [letterbox(image, self.spec.input_size) for image in images]
        output = self.network.infer(to_batch([square for square, _ in squares]))
        found = []
        for raw, (_, geometry), image in zip(output, squares, images, strict=True):
            boxes, scores, classes = select(raw, self.spec.threshold)
            found.append(Detections(geometry.to_fractions(boxes, image.width, image.height), scores, classes))
        return found


def select(raw: Tensor, threshold: float) -> tuple[Boxes, NDArray[np.float32], NDArray[np.intp]]:
    """From a network's (4 + classes, anchors) to corner boxes in pixels, scores and classes, by falling score.

    Boxes at or above `threshold` after class-agnostic non-maximum suppression, at most `MOST_DETECTIONS`.
    """
    scores = raw[4:].max(axis=0)
    candidates = np.flatnonzero(scores >= threshold)
    if len(candidates) > 10 * MOST_DETECTIONS:
        candidates = candidates[np.argpartition(-scores[candidates], 10 * MOST_DETECTIONS)[: 10 * MOST_DETECTIONS]]
    centre, extent = raw[:2, candidates].T, raw[2:4, candidates].T
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)
    kept = suppress(boxes, scores[candidates], OVERLAP_LIMIT)[:MOST_DETECTIONS]
    chosen = candidates[kept]
    return boxes[kept], scores[chosen], raw[4:, chosen].argmax(axis=0)
