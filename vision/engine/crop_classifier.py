"""A classifier: garments' crops in, calibrated probabilities out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .manifest import ModelSpec
from .preprocess import to_batch
from .results import Alternative, AttributeResult
from .runtime import Network, Tensor
from .taxonomy import Taxonomy

LARGEST_BATCH = 16
MOST_ALTERNATIVES = 5


class CropClassifier:
    """A classification network with the calibration that belongs to it."""

    def __init__(self, spec: ModelSpec, network: Network) -> None:
        self.spec = spec
        self.network = network

    def run(self, crops: Sequence[NDArray[np.uint8]]) -> Tensor:
        """The network's raw output (n, outputs) for n squares of the model's input size."""
        batches = (
            to_batch(list(crops[start : start + LARGEST_BATCH])) for start in range(0, len(crops), LARGEST_BATCH)
        )
        return np.concatenate([self.network.infer(batch) for batch in batches])

    def probabilities(self, output: Tensor) -> Tensor:
        """(n, classes) from the network's raw output (n, outputs), of which other models may own a part."""
        own = slice(self.spec.first_output, self.spec.first_output + len(self.spec.classes))
        return calibrate(output[:, own], self.spec)


def calibrate(output: Tensor, spec: ModelSpec) -> Tensor:
    """Softmax with the manifest's temperature (Guo et al. 2017) over a classifier's raw output (n, classes)."""
    logits = np.log(np.maximum(output, 1e-12)) if spec.output == "probabilities" else output
    scaled = logits / spec.temperature
    exponents = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: Tensor = exponents / exponents.sum(axis=1, keepdims=True)
    return probabilities


def best_values(probabilities: NDArray[np.float32], spec: ModelSpec, taxonomy: Taxonomy) -> AttributeResult:
    """The most probable value of one garment (classes) and the next ones. Classes of the same value count together."""
    shares: dict[str, float] = {}
    for name, probability in zip(spec.classes, probabilities, strict=True):
        code = taxonomy.code_of(spec.role, name)
        shares[code] = shares.get(code, 0.0) + float(probability)
    best = sorted(shares.items(), key=lambda item: -item[1])[: MOST_ALTERNATIVES + 1]
    # Rounding down keeps the sum at most 1 wherever the confidences are shown with four decimals.
    first, *others = (Alternative(code, math.floor(share * 1e4) / 1e4) for code, share in best)
    return AttributeResult(
        value=first.value,
        confidence=first.confidence,
        alternatives=tuple(others),
        calibrated=spec.calibrated,
        model=spec.name,
        parent=taxonomy.parent_of(spec.role, first.value),
    )
