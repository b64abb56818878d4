"""Proposals for outfits: of 300 products composed of val photos, is the right garment proposed first?

Right is the top-level category of the garment that is sold, with its box (IoU 0.5) in the outfit among the candidate's
garments. The images go through the engine as files, and what it finds through `classifier.proposals`. Prints a table as
Markdown and exits with 1 when a limit is missed: too few proposed first, or too many chosen without a person though
they are wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.outfit_products import Product, compose, read_photos
from vision.engine import Engine, Garment
from vision.engine.manifest import GARMENT
from vision.engine.matching import overlaps

if TYPE_CHECKING:
    from catalog.proposal import Proposal
    from classifier.proposals import Seen

ROOT = Path(__file__).resolve().parent.parent
LEAST_FIRST, MOST_WRONG = 0.85, 0.02
SEED = 20261126
BINS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one product: whether the first candidate is right, and whether one was chosen without a person."""

    product: Product
    found: bool
    level_right: bool
    right: bool
    confidence: float
    chosen: bool

    @property
    def wrongly_chosen(self) -> bool:
        """Whether nobody would be asked though it is another top-level category."""
        return self.chosen and not self.level_right


def set_up() -> None:
    """Start Django on a database in memory with the shipped taxonomy."""
    os.environ |= {
        "DATABASE_URL": "sqlite://:memory:",
        "SECRET_KEY": "only-for-benchmarks-" * 4,
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    import django

    django.setup()
    from django.core.management import call_command

    from catalog.services.taxonomy import load_taxonomy

    call_command("migrate", verbosity=0)
    load_taxonomy()


def look(products: Sequence[Product], weights: Path) -> list[list[list[Seen]]]:
    """What the engine sees in each image of each product."""
    with tempfile.TemporaryDirectory(prefix="otjang-outfits-") as folder:
        paths = []
        for number, product in enumerate(products):
            for place, shot in enumerate(product.shots):
                paths.append(Path(folder) / f"{number}-{place}.jpg")
                shot.render().convert("RGB").save(paths[-1], quality=90)
        engine = Engine.load(weights)
        named = engine.manifest.finder.role != GARMENT
        numbers = count(1)
        results = iter(engine.classify_many(paths))
        seen = []
        for product in products:
            images = []
            for _shot in product.shots:
                result = next(results)
                if isinstance(result, Exception):
                    raise result
                images.append([_seen(garment, next(numbers), named) for garment in result.garments])
            seen.append(images)
            if len(seen) % 50 == 0:
                print(f"  {len(seen)} of {len(products)} products", file=sys.stderr)
        return seen


def _seen(garment: Garment, number: int, named: bool) -> Seen:
    """A garment as the worker's rows have it."""
    from classifier.proposals import Said, Seen

    said = {
        code: Said(
            number,
            answer.model,
            answer.calibrated,
            {answer.value: answer.confidence} | {other.value: other.confidence for other in answer.alternatives},
        )
        for code, answer in garment.attributes.items()
        if answer is not None
    }
    return Seen(number, garment.confidence, said, named, garment.box)


def outcomes(products: Sequence[Product], seen: Sequence[Sequence[Sequence[Seen]]]) -> Iterator[Outcome]:
    """Build the proposal of each product, and compare it with what is sold."""
    from django.conf import settings

    from catalog.selectors import Taxonomy
    from classifier.proposals import build, clear_top_category, hint_of

    taxonomy = Taxonomy.load()
    for product, images in zip(products, seen, strict=True):
        proposal = build(images, taxonomy, hint_of(product.name, None, taxonomy))
        chosen = clear_top_category(proposal, settings.OTJANG_TOP_CATEGORY_THRESHOLD)
        yield _compare(product, images[0], proposal, chosen is not None)


def _compare(product: Product, outfit: Sequence[Seen], proposal: Proposal, chosen: bool) -> Outcome:
    boxes = np.array([garment.box for garment in outfit], np.float32).reshape(-1, 4)
    overlap = overlaps(boxes, np.array([product.box], np.float32))[:, 0]
    at = {garment.garment for garment, share in zip(outfit, overlap, strict=True) if share >= 0.5}
    first = proposal.candidates[0] if proposal.candidates else None
    level_right = first is not None and first.top_category == product.garment.top_category
    right = level_right and first is not None and bool(at & set(first.garments))
    return Outcome(product, bool(at), level_right, right, first.confidence if first else 0.0, chosen)


def calibration_error(found: Sequence[Outcome]) -> float:
    """Expected calibration error of the first candidates' confidences, over ten bins."""
    bins: dict[int, list[Outcome]] = {}
    for outcome in found:
        bins.setdefault(min(int(outcome.confidence * BINS), BINS - 1), []).append(outcome)
    off = (sum(outcome.confidence - outcome.level_right for outcome in inside) for inside in bins.values())
    return sum(abs(difference) for difference in off) / len(found)


def report(found: Sequence[Outcome]) -> tuple[str, bool]:
    """The table, and whether the limits hold."""
    total = len(found)
    first = sum(outcome.right for outcome in found) / total
    wrong = sum(outcome.wrongly_chosen for outcome in found) / total
    lines = [
        f"{total} products, {sum(len(outcome.product.shots) for outcome in found)} images.",
        "",
        "| figure | measured | required |",
        "|---|---:|---:|",
        f"| right garment first: top-level category and box | {first:.3f} | ≥ {LEAST_FIRST:.2f} |",
        f"| chosen without a person, and wrong | {wrong:.3f} | ≤ {MOST_WRONG:.2f} |",
        f"| chosen without a person | {sum(outcome.chosen for outcome in found) / total:.3f} | |",
        f"| right top-level category first | {sum(outcome.level_right for outcome in found) / total:.3f} | |",
        f"| its box was found in the outfit at all | {sum(outcome.found for outcome in found) / total:.3f} | |",
        f"| ECE of the first candidate's confidence | {calibration_error(found):.3f} | |",
    ]
    parts = {
        "without a name": [outcome for outcome in found if not outcome.product.name],
        "with a name that says it": [o for o in found if o.product.name and not o.product.misleading],
        "with a name that says another garment": [outcome for outcome in found if outcome.product.misleading],
    }
    for kind in Counter(outcome.product.garment.top_category for outcome in found):
        parts[kind] = [outcome for outcome in found if outcome.product.garment.top_category == kind]
    for name, part in parts.items():
        if part:
            right = sum(outcome.right for outcome in part) / len(part)
            lines.append(f"| right garment first, {len(part)} {name} | {right:.3f} | |")
    return "\n".join(lines), first >= LEAST_FIRST and wrong <= MOST_WRONG


def read_products(worn: Path, flat: Path, split: str, products: int) -> list[Product]:
    """Products composed of one split of both data sets."""
    return compose(read_photos(worn, "garments.csv", split), read_photos(flat, "labels.csv", split), products, SEED)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """Options that say where photos and models are."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worn", type=Path, required=True, help="folder with garments.csv and images/")
    parser.add_argument("--data", type=Path, required=True, help="folder of flat photos with labels.csv and images/")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights", help="folder of manifest.json")
    return parser


def main() -> int:
    """Compose, look, propose and print; the exit status."""
    parser = parser_of(__doc__)
    parser.add_argument("--products", type=int, default=300)
    options = parser.parse_args()
    set_up()
    products = read_products(options.worn, options.data, "val", options.products)
    table, holds = report(list(outcomes(products, look(products, options.weights))))
    print(table)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
