"""What a detector sees in an image and in its mirror image, joined.

It should see the same in both, and does not where it is in doubt: a garment that one side misses, the other finds, and
where they call it by different names, neither is sure. Known as test-time augmentation. It costs a second pass, which
is saved where the first leaves no doubt (`plain`): a photo of a single garment, mostly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .matching import Boxes, overlaps
from .runtime import Tensor

SAME_BOX = 0.8
"""Boxes of the two sides show the same garment if they overlap (IoU) by more than this."""

FAINT = 0.1
"""Scores below this say nothing of what a box shows."""


PLAIN = 0.9
"""A lone garment with at least this score is not looked at again."""

ONE_PLACE = 0.5
"""All boxes of a lone garment overlap (IoU) with the surest one by more than this."""


def plain(raw: Tensor) -> bool:
    """Whether a network's output (4 + classes, anchors) shows one garment, and nothing else that could be one."""
    strength = raw[4:].max(axis=0)
    seen = raw[:, strength >= FAINT]
    if not seen.shape[1] or strength.max() < PLAIN:
        return False
    corners = np.concatenate([seen[:2] - seen[2:4] / 2, seen[:2] + seen[2:4] / 2]).T.astype(np.float32)
    surest = int(seen[4:].max(axis=0).argmax())
    return bool((overlaps(corners[surest : surest + 1], corners) > ONE_PLACE).all())


def beside(straight: Tensor, mirror: Tensor, width: int) -> Tensor:
    """A network's outputs (4 + classes, anchors) for an image and for its mirror image, `width` pixels wide, as one.

    The anchors (twice as many) of the mirror image come second, their boxes turned back.
    """
    turned = mirror.copy()
    turned[0] = width - turned[0]
    joined: Tensor = np.concatenate([straight, turned], axis=1)
    return joined


def agreed(boxes: Boxes, class_scores: NDArray[np.float32], both: Tensor) -> NDArray[np.float32]:
    """The class scores (n, classes) of `boxes` (n, 4), in which both sides of `both` (see `beside`) have a say.

    Where each side has a box in the same place, the mean of the two, scaled so that the highest stays as it was.
    """
    agreed_scores = class_scores.copy()
    opinions = [_opinions(boxes, side) for side in np.split(both, 2, axis=1)]
    for index, (first, second) in enumerate(zip(*opinions, strict=True)):
        if first is not None and second is not None:
            mean = (first + second) / 2
            agreed_scores[index] = mean * (class_scores[index].max() / mean.max())
    return agreed_scores


def _opinions(boxes: Boxes, side: Tensor) -> list[NDArray[np.float32] | None]:
    """For each box the class scores of the surest box that one side has in its place."""
    strength = side[4:].max(axis=0)
    seen = side[:, strength >= FAINT]
    corners = np.concatenate([seen[:2] - seen[2:4] / 2, seen[:2] + seen[2:4] / 2]).T
    near = overlaps(boxes, corners.astype(np.float32)) > SAME_BOX
    surest = np.argsort(-seen[4:].max(axis=0), kind="stable") if seen.size else np.zeros(0, np.intp)
    found = [next((index for index in surest if near[box, index]), None) for box in range(len(boxes))]
    return [None if index is None else seen[4:, index] for index in found]
