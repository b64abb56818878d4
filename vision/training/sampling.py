"""How often training shows each image, so that rare classes are met more often than they occur.

Both samplers weigh a class by the square root of its frequency: a compromise between the data as they are, in which
rare classes are hardly seen, and equal shares, in which their few images are learnt by heart.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vision.training.dataset import LabelledImage

if TYPE_CHECKING:
    import torch

DOUBTS = {"u": 0.6, "m": 0.7, "p": 0.6}
"""By flag: an uncertain category, a rough box, little of it visible."""


def class_balanced_weights(labels: NDArray[np.int64]) -> torch.Tensor:
    """Sampling weights (n,) that turn the frequency of each combination of labels (n, attributes) into its root.

    The labels are class indices, -1 for none; the weights need not sum to 1 (`torch.multinomial` takes them as they
    are).
    """
    import torch

    _, place, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    return torch.from_numpy(1.0 / np.sqrt(counts[place]))


def trust(image: LabelledImage) -> float:
    """How often a garment is shown, as a share of a sure one: its flags say what is uncertain about it."""
    doubts = {flag: share for flag, share in DOUBTS.items() if flag in image.flag}
    return math.prod(doubts.values())


def repeat_factors(present: Sequence[AbstractSet[int]], *, balance: bool, background: int) -> list[int]:
    """How often an epoch shows each image, whose classes are `present`; one without any is shown `background` times.

    With `balance` as often as its rarest class needs it (repeat factors, Gupta et al. 2019): the square root of how
    many times more images the most frequent class has.
    """
    counts = Counter(index for classes in present for index in classes)
    most = max(counts.values(), default=0)
    factors = {index: round(math.sqrt(most / count)) if balance else 1 for index, count in counts.items()}
    return [max(factors[index] for index in classes) if classes else background for classes in present]
