"""What a quality run looks at, and the command that looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.quality_figures import (
    MATERIAL,
    SHOES_AND_HATS,
    flat_figures,
    materials_figure,
    negative_figures,
    negatives_by_kind,
    pair_figures,
    worn_figures,
)
from benchmarks.quality_table import Figures
from vision.engine.manifest import NOT_VISIBLE, Manifest
from vision.engine.taxonomy import Taxonomy
from vision.evaluation.negatives import Negative, write_negatives
from vision.evaluation.outfits import Outfit, read_outfits
from vision.evaluation.pairs import write_pairs
from vision.training.dataset import Dataset, LabelledImage, read_dataset

ROOT = Path(__file__).resolve().parent.parent
PAIRS, NEGATIVES = 120, 200
LEAST_EXAMPLES = 20

T = TypeVar("T")


class CommandFailed(Exception):
    """The command did not write a line per image; its standard error says why."""


@dataclass(frozen=True)
class Images:
    """All images of a run. `materials` are those with enough examples in train; `flat_materials` in flat ones alone."""

    flat: list[LabelledImage]
    pairs: list[Outfit]
    negatives: list[Negative]
    worn: list[Outfit]
    materials: frozenset[str]
    flat_materials: frozenset[str]
    taxonomy: Taxonomy

    @property
    def paths(self) -> list[Path]:
        """Each file once."""
        several = (self.flat, self.pairs, self.negatives, self.worn)
        return list(dict.fromkeys(item.path for items in several for item in items))


def prepare(data: Path, worn: Path | None, split: str, folder: Path, limit: int | None = None) -> Images:
    """Read the labels, and draw what has to be drawn into a folder.

    Args:
        data: images of single garments, with labels.csv.
        worn: images of people, with garments.csv; None leaves them out.
        split: `train` or `val`.
        folder: where pairs and negatives are written.
        limit: no more than about so many of each kind, to try the run itself.
    """
    dataset = read_dataset(data)
    flat = dataset.select(split)
    negatives = [Negative(image.path, SHOES_AND_HATS) for image in flat if image.box is None]
    negatives = _some(negatives, limit and limit // 3)
    missing = max(0, min(NEGATIVES, limit or NEGATIVES) - len(negatives))
    negatives += write_negatives(folder, flat, split, missing)
    garments = [image for image in flat if image.box is not None]
    pairs = write_pairs(folder, garments, min(PAIRS, limit or PAIRS), f"pairs of {split}")
    outfits = read_outfits(worn / "garments.csv", split) if worn else []
    return Images(
        flat=_some(garments, limit),
        pairs=pairs,
        negatives=negatives,
        worn=_some(outfits, limit),
        materials=_learnable(dataset, worn),
        flat_materials=_learnable(dataset, None),
        taxonomy=dataset.taxonomy,
    )


def _some(items: list[T], limit: int | None) -> list[T]:
    """At most `limit`, spread evenly."""
    return items[:: -(-len(items) // limit)] if limit and items else items


def _learnable(dataset: Dataset, worn: Path | None) -> frozenset[str]:
    counts: Counter[str] = Counter(dataset.counts("train", MATERIAL))
    if worn:
        for outfit in read_outfits(worn / "garments.csv", "train"):
            counts.update(garment.labels[MATERIAL] for garment in outfit.garments if garment.labels[MATERIAL])
    return frozenset(code for code, count in counts.items() if count >= LEAST_EXAMPLES)


def measure(
    images: Images, weights: Path, precision: str | None = None, *, knows_worn: bool = True
) -> tuple[Figures, str]:
    """The figures of a set of weights, and the table of negatives.

    Args:
        images: what to look at.
        weights: the folder of the set.
        precision: what the networks compute in, verified or not; None: as the setting PRECISION has it.
        knows_worn: whether the set learned from images of people as well, and thus from their materials.
    """
    lines = classify(images.paths, weights, precision)
    learnable = images.materials if knows_worn else images.flat_materials
    figures = dict(flat_figures(images.flat, lines))
    figures |= dict(materials_figure(_offered(weights, images.taxonomy), learnable))
    figures |= dict(pair_figures(images.pairs, lines))
    figures |= dict(negative_figures(images.negatives, lines))
    if images.worn:
        figures |= dict(worn_figures(images.worn, lines, images.taxonomy))
    return figures, negatives_by_kind(images.negatives, lines)


def classify(paths: Sequence[Path], weights: Path, precision: str | None) -> dict[Path, dict[str, Any]]:
    """What `manage.py classify` writes of each file. An unreadable one has a line, too: in it nothing was found.

    Raises CommandFailed where lines are missing, as on a machine that cannot compute in this precision.
    """
    command = [sys.executable, "manage.py", "classify", "-", "--format", "jsonl", "--weights", str(weights.resolve())]
    names = b"".join(os.fsencode(path.resolve()) + b"\n" for path in paths)
    command += ["--precision", precision] if precision else []
    environment = os.environ | {"SECRET_KEY": "only-for-benchmarks-" * 4}
    ended = subprocess.run(command, cwd=ROOT, env=environment, input=names, stdout=subprocess.PIPE)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    if len(lines) != len(paths):
        raise CommandFailed(f"`manage.py classify` ended with {ended.returncode} after {len(lines)} of {len(paths)}.")
    return dict(zip(paths, lines, strict=True))


def _offered(weights: Path, taxonomy: Taxonomy) -> frozenset[str]:
    model = Manifest.load(weights).models.get(MATERIAL)
    names = model.classes if model else ()
    return frozenset(taxonomy.code_of(MATERIAL, name) for name in names if name != NOT_VISIBLE)
