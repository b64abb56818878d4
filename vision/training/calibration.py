"""Confidences that mean what they say: temperature scaling (Guo et al. 2017, "On calibration of modern networks")."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
GOLDEN = (math.sqrt(5) - 1) / 2


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Probabilities (n, classes) of logits divided by a temperature."""
    scaled = logits.astype(np.float64) / temperature
    exponent = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(exponent / exponent.sum(axis=1, keepdims=True))


def negative_log_likelihood(logits: NDArray[np.floating], targets: NDArray[np.int64], temperature: float) -> float:
    """Mean negative log-likelihood of the true classes, in nats; targets of -1 (not offered) are left out."""
    known = targets >= 0
    chosen = softmax(logits[known], temperature)[np.arange(known.sum()), targets[known]]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: NDArray[np.floating], targets: NDArray[np.int64]) -> float:
    """The temperature in 0.2..5 of least negative log-likelihood, by golden-section search on its logarithm."""
    low, high = math.log(0.2), math.log(5.0)
    for _ in range(40):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        if negative_log_likelihood(logits, targets, math.exp(left)) < negative_log_likelihood(
            logits, targets, math.exp(right)
        ):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def reliability_bins(
    confidence: NDArray[np.floating], right: NDArray[np.bool_], bins: int = BINS
) -> list[dict[str, Any]]:
    """What answers of about the same confidence (n) are worth: mean confidence and accuracy of each equal-width bin.

    Bins without an answer are left out.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        {
            "from": index / bins,
            "to": (index + 1) / bins,
            "n": int((place == index).sum()),
            "confidence": float(confidence[place == index].mean()),
            "accuracy": float(right[place == index].mean()),
        }
        for index in np.unique(place).tolist()
    ]


def calibration_error(bins: Sequence[dict[str, Any]]) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy, weighted by the size of the bins."""
    total: int = sum(row["n"] for row in bins)
    gaps: float = sum(row["n"] * abs(row["accuracy"] - row["confidence"]) for row in bins)
    return gaps / max(1, total)


def expected_calibration_error(probabilities: NDArray[np.floating], targets: NDArray[np.int64]) -> float:
    """The calibration error of the top confidences. A target of -1 (a class that is not offered) is a wrong answer."""
    return calibration_error(reliability_bins(probabilities.max(axis=1), probabilities.argmax(axis=1) == targets))
