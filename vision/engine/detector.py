"""A detector: images in, boxes with class and score out."""

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
from .taxonomy import Taxonomy

OVERLAP_LIMIT = 0.7
"""Two boxes that may show the same garment show it if they overlap by more (IoU), as in ultralytics."""

SAME_BOX = 0.9
"""And two that name different things if they overlap by more than this: one garment that is hard to name."""

MOST_DETECTIONS = 100


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found in one image, by falling score: boxes (n, 4) as fractions, scores and classes (n)."""

    boxes: Boxes
    scores: NDArray[np.float32]
    classes: NDArray[np.intp]


class Detector:
    """A detection network with the image preparation and the thresholds that belong to it."""

    def __init__(self, spec: ModelSpec, network: Network, taxonomy: Taxonomy) -> None:
        self.spec = spec
        self.network = network
        self._groups = _group(spec, taxonomy)

    def find(self, images: Sequence[Image.Image]) -> list[Detections]:
        """The boxes in each image, in one batch; see `select` for what counts as one."""
        squares = [letterbox(image, self.spec.input_size) for image in images]
        output = self.network.infer(to_batch([square for square, _ in squares]))
        found = []
        for raw, (_, geometry), image in zip(output, squares, images, strict=True):
            boxes, scores, classes = select(raw, self.spec.threshold, self._groups)
            found.append(Detections(geometry.to_fractions(boxes, image.width, image.height), scores, classes))
        return found


def _group(spec: ModelSpec, taxonomy: Taxonomy) -> NDArray[np.intp]:
    """For each class the number of what it belongs to: its top-level category, or the value itself if it has none.

    A shirt and a blouse in one place are one garment seen as two; a shirt and a coat are worn over each other.
    """
    codes = [taxonomy.code_of(spec.role, name) for name in spec.classes]
    kinds = [taxonomy.parent_of(spec.role, code) or code for code in codes]
    return np.array([kinds.index(kind) for kind in kinds], np.intp)


def select(
    raw: Tensor, threshold: float, groups: NDArray[np.intp]
) -> tuple[Boxes, NDArray[np.float32], NDArray[np.intp]]:
    """From a network's (4 + classes, anchors) to corner boxes in pixels, scores and classes, by falling score.

    Boxes at or above `threshold` after non-maximum suppression, at most `MOST_DETECTIONS`: beyond `OVERLAP_LIMIT` among
    classes of one group (`groups` says which, for each class), beyond `SAME_BOX` among all.
    """
    scores = raw[4:].max(axis=0)
    candidates = np.flatnonzero(scores >= threshold)
    if len(candidates) > 10 * MOST_DETECTIONS:
        candidates = candidates[np.argpartition(-scores[candidates], 10 * MOST_DETECTIONS)[: 10 * MOST_DETECTIONS]]
    centre, extent = raw[:2, candidates].T, raw[2:4, candidates].T
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], axis=1)
    classes = raw[4:, candidates].argmax(axis=0)
    kept = suppress(boxes, scores[candidates], groups[classes], OVERLAP_LIMIT, SAME_BOX)[:MOST_DETECTIONS]
    return boxes[kept], scores[candidates[kept]], classes[kept]
