"""Metrics of classification: accuracy, F1, confusion and coverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def classification_metrics(
    probabilities: NDArray[np.floating], targets: NDArray[np.int64], classes: Sequence[str], minimum: int = 10
) -> dict[str, Any]:
    """Micro and macro metrics of probabilities (n, classes) against targets (n,).

    A target of -1 (a class that is not offered) counts as wrong, and a class of probability 0 was not said. Macro-F1 is
    the mean over the classes with at least `minimum` targets; `per_class` holds precision, recall, F1 and n of each.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    first = order[:, 0]
    said = np.take_along_axis(probabilities, order[:, :3], axis=1) > 0
    per_class = {}
    for index, name in enumerate(classes):
        hits = int(((first == index) & (targets == index)).sum())
        predicted, actual = int((first == index).sum()), int((targets == index).sum())
        per_class[name] = {
            "n": actual,
            "precision": hits / predicted if predicted else 0.0,
            "recall": hits / actual if actual else 0.0,
            "f1": 2 * hits / (predicted + actual) if predicted + actual else 0.0,
        }
    counted = [found["f1"] for found in per_class.values() if found["n"] >= minimum]
    return {
        "n": len(targets),
        "not_offered": int((targets < 0).sum()),
        "top1": float((first == targets).mean()),
        "top3": float(((order[:, :3] == targets[:, None]) & said).any(axis=1).mean()),
        "macro_f1": float(np.mean(counted)) if counted else 0.0,
        "macro_classes": len(counted),
        "per_class": per_class,
    }


def confusion_matrix(predicted: NDArray[np.int64], targets: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Counts (count, count): a row for each true class, a column for each predicted one; targets of -1 left out."""
    matrix = np.zeros((count, count), np.int64)
    known = targets >= 0
    np.add.at(matrix, (targets[known], predicted[known]), 1)
    return matrix


def coverage_rows(confidence: NDArray[np.floating], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """For thresholds in steps of 0.05: the share of answers (n) at or above it, and how many of these are right.

    A confidence of 0 does not count as an answer. Precision is None where nothing is that sure.
    """
    rows = []
    for percent in range(0, 100, 5):
        covered = (confidence >= percent / 100) & (confidence > 0)
        rows.append(
            {
                "threshold": percent / 100,
                "n": int(covered.sum()),
                "coverage": float(covered.mean()),
                "precision": float(right[covered].mean()) if covered.any() else None,
            }
        )
    return rows
