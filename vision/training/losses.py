"""What a classifier is trained towards: its targets, its loss, and how often it sees each class."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


def one_hot(indices: NDArray[np.int64], count: int) -> torch.Tensor:
    """Rows (n, count) of 0 and 1; all zero where the index is -1."""
    rows = torch.zeros(len(indices), count)
    known = np.flatnonzero(indices >= 0)
    rows[known, indices[known]] = 1.0
    return rows


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Cross-entropy against mixed targets (n, classes); a row of zeros (no label) counts nothing."""
    mass = targets.sum(dim=1, keepdim=True)
    smooth = targets * (1 - smoothing) + mass * smoothing / targets.shape[1]
    return -(smooth * functional.log_softmax(logits, dim=1)).sum() / mass.sum().clamp(min=1.0)


def class_balanced_weights(labels: NDArray[np.int64]) -> torch.Tensor:
    """Sampling weights (n,) that turn the frequency of each combination of labels (n, attributes) into its root."""
    _, place, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    return torch.from_numpy(1.0 / np.sqrt(counts[place]))
