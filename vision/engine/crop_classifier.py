"""A classifier: garments' crops in, calibrated probabilities out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .manifest import NOT_VISIBLE, ModelSpec
from .preprocess import to_batch
from .results import Alternative, AttributeResult
from .runtime import Network, Tensor, batches
from .taxonomy import CATEGORY, Taxonomy

MOST_ALTERNATIVES = 5
SURE = 0.98
"""A detector that gives a top-level category this probability is never contradicted."""


class CropClassifier:
    """A classification network with the calibration that belongs to it."""

    def __init__(self, spec: ModelSpec, network: Network) -> None:
        self.spec = spec
        self.network = network

    def run(self, crops: Sequence[NDArray[np.uint8]]) -> Tensor:
        """The network's raw output (n, outputs) for n crops in any of the model's shapes (height, width, 3)."""
        rows: dict[int, Tensor] = {}
        for numbers in batches([crop.shape for crop in crops]):
            rows.update(zip(numbers, self.network.infer(to_batch([crops[number] for number in numbers])), strict=True))
        return np.stack([rows[number] for number in range(len(crops))])

    def probabilities(self, output: Tensor, outfit: Sequence[bool] | None = None) -> Tensor:
        """(n, classes) from the network's raw output (n, outputs), of which other models may own a part.

        `outfit` says of each garment whether its image shows others too (default: none does).
        """
        own = slice(self.spec.first_output, self.spec.first_output + len(self.spec.classes))
        return calibrate(output[:, own], self.spec, outfit)


def calibrate(output: Tensor, spec: ModelSpec, outfit: Sequence[bool] | None = None) -> Tensor:
    """Softmax with the manifest's temperatures (Guo et al. 2017) over a classifier's raw output (n, classes)."""
    logits = np.log(np.maximum(output, 1e-12)) if spec.output == "probabilities" else output
    temperatures = np.full((len(output), 1), spec.temperature, np.float32)
    if outfit is not None and spec.outfit_temperature is not None:
        temperatures[np.array(outfit, bool)] = spec.outfit_temperature
    scaled = logits / temperatures
    exponents = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: Tensor = exponents / exponents.sum(axis=1, keepdims=True)
    return probabilities


def visible_shares(probabilities: NDArray[np.floating], codes: Sequence[str]) -> dict[str, float] | None:
    """The probability of each value of one garment, given that it can be seen; None if most probably it cannot.

    From those of the classes (n), which stand for these `codes`; classes of the same value count together.
    """
    shares: dict[str, float] = {}
    for code, probability in zip(codes, probabilities, strict=True):
        shares[code] = shares.get(code, 0.0) + float(probability)
    hidden = shares.pop(NOT_VISIBLE, None)
    if hidden is None:
        return shares
    if not shares or hidden >= max(shares.values()):
        return None
    visible = sum(shares.values())
    return {code: share / visible for code, share in shares.items()}


def combined(
    shares: Mapping[str, float], top_levels: Mapping[str, float], weight: float, taxonomy: Taxonomy
) -> dict[str, float]:
    """Probabilities of categories, given those that the detector gives their top-level categories.

    p(c) is proportional to p(c) of the classifier times q(parent of c) of the detector to the power of `weight`. What
    the detector does not offer counts like the top-level category that it finds least probable. From `SURE` on the
    detector has the last word: no other category is as probable as the best of its top-level category; without any of
    these nothing is left.
    """
    least = min(top_levels.values())
    first = max(top_levels, key=lambda code: top_levels[code])
    parents = {code: taxonomy.parent_of(CATEGORY, code) or code for code in shares}
    products = {code: share * top_levels.get(parents[code], least) ** weight for code, share in shares.items()}
    if top_levels[first] >= SURE:
        own = max((product for code, product in products.items() if parents[code] == first), default=0.0)
        other = max((product for code, product in products.items() if parents[code] != first), default=0.0)
        if other >= own:
            products = {code: p if parents[code] == first else p * own / other / 2 for code, p in products.items()}
    total = sum(products.values())
    return {code: product / total for code, product in products.items()} if total > 0 else {}


def best_values(shares: Mapping[str, float], spec: ModelSpec, taxonomy: Taxonomy) -> AttributeResult:
    """The most probable value of one garment and the next ones, of the probabilities by value."""
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
