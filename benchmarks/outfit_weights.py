"""Fit `classifier.proposals.evidence.WEIGHTS` on products composed of train photos, with what the engine finds in them.

Networks know their train photos, so a part of the garments that they find is dropped, and distributions are softened.
Beside outfits there are products with a single flat photo, some of them of shoes and hats: what is found there is not a
garment. Prints the weights, to be written into that module.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.outfit_products import Part, Photo, Product, Shot, Worn, read_photos, upright_size
from benchmarks.outfits import SEED, look, parser_of, read_products, set_up
from vision.engine.results import Box
from vision.training.dataset import read_dataset

if TYPE_CHECKING:
    from classifier.proposals import Seen

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
LEAST_MASS = 0.1  # a garment may be the product's only if its distribution gives this to the top-level category
PENALTY = 1e-3
"""Of the squares of the weights: what hardly tells anything stays near 0."""


NOTHING = Worn("", "", WHOLE, clear=True)


def flat_products(folder: Path, count: int) -> list[Product]:
    """Products with one photo of a flat garment, some with a size chart beside it, and those of shoes and hats."""
    chance = random.Random(SEED)
    clear = [photo for photo in read_photos(folder, "labels.csv", "train") if photo.garments[0].clear]
    products = []
    for photo in [*chance.sample(clear, count), *_without_garment(folder)]:
        shots = (Shot("flat", (Part(photo, WHOLE),)), *([Shot("chart")] if chance.random() < 0.3 else []))
        products.append(Product(photo.garments[0] if photo.garments else NOTHING, shots, "", False))
    return products


def _without_garment(folder: Path) -> list[Photo]:
    rows = [row for row in read_dataset(folder).select("train") if row.box is None]
    return [Photo(row.path, upright_size(row.path), ()) for row in rows]


def main() -> int:
    """Compose, look, fit and print."""
    parser = parser_of(__doc__)
    parser.add_argument("--products", type=int, default=1500)
    parser.add_argument("--missed", type=float, default=0.08, help="share of what is found that is dropped")
    parser.add_argument("--softer", type=float, default=0.8, help="power that distributions are raised to")
    options = parser.parse_args()
    set_up()
    products = read_products(options.worn, options.data, "train", options.products)
    products += flat_products(options.data, options.products // 3)
    print(fitted(products, look(products, options.weights), options.missed, options.softer))
    return 0


def fitted(products: Sequence[Product], seen: Sequence[Sequence[Sequence[Seen]]], missed: float, softer: float) -> str:
    """The weights under which what is sold is most probable, as text."""
    from catalog.selectors import Taxonomy
    from classifier.proposals import hint_of
    from classifier.proposals.evidence import FEATURES, WEIGHTS, Weighed, Weights, combine, group, weigh

    taxonomy = Taxonomy.load()
    chance = random.Random(SEED)

    def softened(weighed: Weighed) -> Weighed:
        powers = {level: mass**softer for level, mass in weighed.masses.items()}
        named = sum(weighed.masses.values()) / sum(powers.values())
        return replace(weighed, masses={level: power * named for level, power in powers.items()})

    examples = []
    for product, images in zip(products, seen, strict=True):
        weighed, _levels = weigh(images, taxonomy)
        kept = [[softened(garment) for garment in garments if chance.random() >= missed] for garments in weighed]
        groups = group([garments for garments in kept if garments])
        sold = product.garment.top_category
        members = [garment for found in groups for garment in found.garments]
        there = any(garment.masses.get(sold, 0.0) >= LEAST_MASS for garment in members)
        if groups:
            examples.append((groups, hint_of(product.name, None, taxonomy), sold if there else None))

    def weights_of(numbers: NDArray[np.float64]) -> Weights:
        *features, none, named, agreement = (float(number) for number in numbers)
        return Weights(dict(zip(FEATURES, features, strict=True)), none, named, agreement)

    def loss(numbers: NDArray[np.float64]) -> float:
        weights = weights_of(numbers)
        total = 0.0
        for groups, hint, sold in examples:
            probabilities = combine(groups, hint, weights)
            probability = probabilities.get(sold, 0.0) if sold else 1.0 - sum(probabilities.values())
            total -= math.log(max(probability, 1e-4))
        return total / len(examples) + PENALTY * float(numbers[:-1] @ numbers[:-1])

    first = [*WEIGHTS.features.values(), WEIGHTS.none, WEIGHTS.named, WEIGHTS.agreement]
    found = minimize(loss, np.array(first), method="L-BFGS-B", options={"maxiter": 30})
    weights = weights_of(found.x)
    features = ", ".join(f'"{name}": {value:.2f}' for name, value in weights.features.items())
    rest = f"none={weights.none:.2f}, named={weights.named:.2f}, agreement={weights.agreement:.2f}"
    return f"loss {found.fun:.4f} of {len(examples)} products\nfeatures={{{features}}}, {rest}"


if __name__ == "__main__":
    sys.exit(main())
