"""Overlap of boxes, and who belongs to whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""(n, 4) x1, y1, x2, y2 in any one unit."""


def overlaps(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every box of `first` (n) with every box of `second` (m), as (n, m)."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    ratio: NDArray[np.float32] = (shared / np.maximum(union, 1e-9)).astype(np.float32)
    return ratio


def suppress(
    boxes: Boxes, scores: NDArray[np.float32], groups: NDArray[np.intp], within: float, across: float
) -> NDArray[np.intp]:
    """Non-maximum suppression: indices of the boxes kept, by falling score.

    A box goes when it overlaps a better one that stayed by more than the limit (IoU), which is `within` for two boxes
    of the same of the `groups` (n), and `across` for others.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, groups = boxes[order], groups[order]
    clashes = overlaps(boxes, boxes) > np.where(groups[:, None] == groups, within, across)
    kept: list[int] = []
    free = np.ones(len(order), bool)
    for rank in range(len(order)):
        if free[rank]:
            kept.append(rank)
            free &= ~clashes[rank]
    return order[kept]


def match(values: NDArray[np.float32], least: float) -> dict[int, int]:
    """One-to-one pairs row -> column with the greatest sum of `values` (n, m), using only those of at least `least`.

    Hungarian method by shortest augmenting paths (Jonker and Volgenant 1987), O(n² (n + m)). Every row also has a
    column of its own that is worth nothing: taking it means to stay alone.
    """
    rows, columns = values.shape
    worth = np.concatenate([np.where(values >= least, values, -1.0), np.zeros((rows, rows))], axis=1)
    cost = -worth.astype(np.float64)
    total = columns + rows
    row_price, column_price = np.zeros(rows), np.zeros(total)
    owner = np.full(total, -1)
    for start in range(rows):
        distance, previous = np.full(total, np.inf), np.full(total, -1)
        done = np.zeros(total, bool)
        row, reached, column = start, 0.0, -1
        while True:
            slack = reached + cost[row] - row_price[row] - column_price
            nearer = ~done & (slack < distance)
            distance[nearer], previous[nearer] = slack[nearer], column
            column = int(np.argmin(np.where(done, np.inf, distance)))
            reached = float(distance[column])
            if owner[column] < 0:
                break
            done[column] = True
            row = int(owner[column])
        row_price[start] += reached
        row_price[owner[done]] += reached - distance[done]
        column_price[done] -= reached - distance[done]
        while column >= 0:  # hand the columns on along the path
            before = int(previous[column])
            owner[column] = owner[before] if before >= 0 else start
            column = before
    return {int(row): column for column, row in enumerate(owner[:columns]) if row >= 0}
