"""The classifiers' loss, and the soft targets that it takes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional


def one_hot(indices: NDArray[np.int64], count: int) -> torch.Tensor:
    """Targets (n, count) of 0 and 1 for class indices (n); a row of zeros where the index is -1 (no label)."""
    rows = torch.zeros(len(indices), count)
    known = np.flatnonzero(indices >= 0)
    rows[known, indices[known]] = 1.0
    return rows


def distillation_loss(logits: torch.Tensor, taught: torch.Tensor, temperature: float) -> torch.Tensor:
    """How far logits (n, classes) are from a teacher's (Kullback-Leibler), both softened (Hinton et al. 2015), in nats.

    Times the squared temperature, so that its gradients do not depend on that.
    """
    own, goal = functional.log_softmax(logits / temperature, dim=1), functional.softmax(taught / temperature, dim=1)
    return functional.kl_div(own, goal, reduction="batchmean") * temperature**2


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Mean cross-entropy of logits (n, classes) against soft targets (n, classes), in nats.

    Targets may be mixed (mixup, Zhang et al. 2018); a row of zeros (no label) does not count. `smoothing` is the share
    of each target that all classes get alike (label smoothing, Szegedy et al. 2016).
    """
    mass = targets.sum(dim=1, keepdim=True)
    smooth = targets * (1 - smoothing) + mass * smoothing / targets.shape[1]
    return -(smooth * functional.log_softmax(logits, dim=1)).sum() / mass.sum().clamp(min=1.0)
