"""Looking at long images, such as detail pages of products, part by part, and joining what the parts show.

A page of 860 by 15,000 pixels is 24 pixels wide in a network's square. So such images are looked at in windows that
overlap by half: whatever is not longer than half a window is whole in one of them. What a window's edge cuts gives way
to the whole garment of the next window; a garment that no window holds is put together from its pieces.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .results import Box

LONGEST = 2.2
"""Images whose longer side is more than so many times the shorter are looked at in windows."""

MOST_WINDOWS = 40
"""Of one image; beyond, the windows get longer. With these, 860 by 24,000 pixels still have windows of 4:3."""

_LENGTH = 4 / 3  # of a window, in shorter sides
_ROOM = 1.2  # of a window around a box, in the box's lengths
_EDGE = 0.015  # a box that comes so close to a window's edge, in its lengths, is cut by it
_SAME = 0.5  # overlap (IoU) of what two views show of one garment
_SAME_NAMED_OTHERWISE = 0.7  # and where they name it differently
_INSIDE = 0.5  # the share of a box that must lie inside another to be a part of it
_INSIDE_NAMED_OTHERWISE = 0.75

MOST_JOINED = 300
"""Boxes of one image, the surest: joining compares each with each."""

Region = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Found:
    """A box that one view of an image shows: its corners in pixels, score, class, and the scores of all classes.

    `view` numbers the views from the first window on; 0 is the whole image. `cut` says whether the view ends at the
    box's beginning and at its end, along the longer side, where the image goes on. `group` says which boxes may show
    the same garment, see `detector.select`.
    """

    view: int
    box: Box
    score: float
    kind: int
    scores: NDArray[np.float32]
    group: int
    cut: tuple[bool, bool] = (False, False)

    @property
    def rank(self) -> tuple[int, float]:
        """Whom to believe first: whole garments of windows, then those of the whole image, then pieces."""
        return (2 if any(self.cut) else int(not self.view)), -self.score


def windows(width: int, height: int) -> list[Region]:
    """The windows of an image of this size, in order; none for one that is looked at as a whole only."""
    short, long = sorted((width, height))
    if long <= LONGEST * short:
        return []
    # n windows of length l that overlap by half are (n + 1) / 2 * l long together.
    length = max(short * _LENGTH, 2 * long / (MOST_WINDOWS + 1))
    count = math.ceil(2 * long / length - 1e-6) - 1
    starts = [round(index * (long - length) / (count - 1)) for index in range(count)]
    ends = [min(long, start + math.ceil(length)) for start in starts]
    spans = zip(starts, ends, strict=True)
    return [(0, start, width, end) if height == long else (start, 0, end, height) for start, end in spans]


def window_around(box: Box, width: int, height: int) -> Region:
    """The part of an image of this size that shows a box (in fractions) as a window would.

    All of an image that is looked at as a whole only.
    """
    if not windows(width, height):
        return 0, 0, width, height
    axis = int(height >= width)
    short, long = sorted((width, height))
    start, end = box[axis] * long, box[axis + 2] * long
    length = min(float(long), max(short * _LENGTH, (end - start) * _ROOM))
    first = round(min(max((start + end - length) / 2, 0.0), long - length))
    last = min(long, first + math.ceil(length))
    return (0, first, width, last) if axis else (first, 0, last, height)


def cut_by(box: Box, region: Region, width: int, height: int) -> tuple[bool, bool]:
    """Whether the edges of a window of an image cut a box (pixels of the image) at its beginning and its end."""
    axis = int(height >= width)
    start, end = region[axis], region[axis + 2]
    near = _EDGE * (end - start)
    at_start = start > 0 and box[axis] <= start + near
    at_end = end < (height if axis else width) and box[axis + 2] >= end - near
    return at_start, at_end


def join(found: Sequence[Found], width: int, height: int) -> list[Found]:
    """Each garment of an image once, of all that its views show, by falling score."""
    found = sorted(found, key=lambda one: -one.score)[:MOST_JOINED]
    kept: list[Found] = []
    for one in sorted((one for one in found if not any(one.cut)), key=lambda one: one.rank):
        if not any(_is_same(one, other) or (not one.view and _covers(one, other)) for other in kept):
            kept.append(one)
    seen = list(kept)
    pieces = _put_together([one for one in found if any(one.cut)], int(height >= width))
    for one in sorted(pieces, key=lambda one: (any(one.cut), -_area(one))):
        if not any(_is_same(one, other) or _is_part(one, other) for other in seen):
            kept.append(one)
        seen.append(one)  # what is a part of something that is there already stands for that
    return sorted(kept, key=lambda one: -one.score)


def _area(one: Found) -> float:
    left, top, right, bottom = one.box
    return (right - left) * (bottom - top)


def _shared(one: Found, other: Found) -> float:
    """The area that both boxes cover."""
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    return max(width, 0.0) * max(height, 0.0)


def _inside(one: Found, other: Found) -> float:
    """The share of a box that lies inside another."""
    return _shared(one, other) / max(_area(one), 1e-9)


def _is_same(one: Found, other: Found) -> bool:
    """Whether boxes of different views show the same garment. Those of one view were told apart there."""
    limit = _SAME if one.group == other.group else _SAME_NAMED_OTHERWISE
    shared = _shared(one, other)
    return one.view != other.view and shared > limit * (_area(one) + _area(other) - shared)


def _covers(whole: Found, other: Found) -> bool:
    """Whether a box of the whole image only blurs what a window shows better: that garment, or several like it."""
    return other.view > 0 and whole.group == other.group and _inside(other, whole) > _INSIDE


def _is_part(piece: Found, other: Found) -> bool:
    """Whether a cut box is a piece of a garment that another view shows whole, whatever the piece was taken for."""
    limit = _INSIDE if piece.group == other.group else _INSIDE_NAMED_OTHERWISE
    return piece.view != other.view and _inside(piece, other) > limit


def _put_together(pieces: Sequence[Found], axis: int) -> Iterator[Found]:
    """The pieces, joined where one goes on where the other's view ends; `axis` is that of the longer side."""
    waiting = sorted(pieces, key=lambda one: (one.view, -one.score))
    while waiting:
        one = waiting.pop(0)
        while (nearest := next((other for other in waiting if _goes_on(one, other, axis)), None)) is not None:
            waiting.remove(nearest)
            better = max(one, nearest, key=lambda piece: piece.score)
            (left, top, right, bottom), (x1, y1, x2, y2) = one.box, nearest.box
            union = (min(left, x1), min(top, y1), max(right, x2), max(bottom, y2))
            one = replace(better, view=nearest.view, box=union, cut=(one.cut[0], nearest.cut[1]))
        yield one


def _goes_on(one: Found, other: Found, axis: int) -> bool:
    """Whether `other`, of the next window, shows more of what the end of a window cut from `one`."""
    if not (one.cut[1] and other.cut[0] and one.group == other.group and other.view == one.view + 1):
        return False
    across = 1 - axis
    shared = min(one.box[across + 2], other.box[across + 2]) - max(one.box[across], other.box[across])
    together = max(one.box[across + 2], other.box[across + 2]) - min(one.box[across], other.box[across])
    meet = min(one.box[axis + 2], other.box[axis + 2]) > max(one.box[axis], other.box[axis])
    return meet and one.box[axis] <= other.box[axis] and shared > _SAME * together
