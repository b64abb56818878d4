"""Images of outfits: several labelled garments per image, of which some are hardly visible, and what was found there.

`garments.csv` beside `images/` has a row per garment: its file, split, values and box, `flag` (`p`: little of it is
visible, `m`: its box is rough, `u`: its category is uncertain) and `complete`: whether all garments of the image have
a good box. A garment without a category is none of the taxonomy's.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision.engine.matching import match, overlaps
from vision.engine.results import Alternative, Box
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.training.calibration import calibration_error, reliability_bins
from vision.training.dataset import ATTRIBUTES, COORDINATES, LabelError

SLEEVE = "sleeve_length"
LEAST_OVERLAP, LEAST_OVERLAP_ROUGH = 0.5, 0.3
HARDLY_VISIBLE, ROUGH = "p", "m"


@dataclass(frozen=True, slots=True)
class WornGarment:
    """A row of the table. `labels` maps attributes to codes, empty where a person left the cell open."""

    labels: Mapping[str, str]
    box: Box
    flag: str = ""

    @property
    def is_target(self) -> bool:
        """Whether it has to be found; where not, finding it does no harm either."""
        return bool(self.labels[CATEGORY]) and HARDLY_VISIBLE not in self.flag

    @property
    def least_overlap(self) -> float:
        """The intersection over union from which a box is this garment's."""
        return LEAST_OVERLAP_ROUGH if ROUGH in self.flag else LEAST_OVERLAP


@dataclass(frozen=True, slots=True)
class Outfit:
    """An image and its garments."""

    path: Path
    garments: tuple[WornGarment, ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """A garment as a model describes it: values of each attribute, best first, and the attributes that it calls
    hidden. `finder_top` is the top-level category of the detector's box alone, where it has one."""

    box: Box
    values: Mapping[str, tuple[Alternative, ...]]
    hidden: frozenset[str] = frozenset()
    finder_top: str | None = None

    def first(self, attribute: str) -> str | None:
        """The value that it answers, None where it leaves that open."""
        values = self.values.get(attribute)
        return values[0].value if values else None

    @classmethod
    def from_json(cls, garment: Mapping[str, Any]) -> Seen:
        """From an item of `garments` in a line of `manage.py classify`."""
        x1, y1, x2, y2 = garment["box"]
        said = {name: item for name, item in garment.items() if isinstance(item, Mapping) and name != "top_category"}
        return cls(
            (x1, y1, x2, y2),
            {
                name: tuple(Alternative(one["value"], one["confidence"]) for one in (item, *item["alternatives"]))
                for name, item in said.items()
            },
            frozenset(garment.get("hidden", ())),
            garment.get("top_category", {}).get("value"),
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """What was seen in an outfit: each target with its find, or None where it was missed, and the surplus finds."""

    outfit: Outfit
    pairs: tuple[tuple[WornGarment, Seen | None], ...]
    surplus: tuple[Seen, ...] = field(default=())

    @property
    def found(self) -> list[tuple[WornGarment, Seen]]:
        """The targets that were found."""
        return [(garment, seen) for garment, seen in self.pairs if seen is not None]


def read_outfits(table: Path, split: str | None = None) -> list[Outfit]:
    """The outfits of a split, or all, in the order of the table; images lie in `images/`, or beside the table.

    A table without `split`, `flag` or `complete` has one split, no flags and only complete images. Raises LabelError
    where a row cannot be read.
    """
    folder = table.parent / "images"
    folder = folder if folder.is_dir() else table.parent
    garments: dict[str, list[WornGarment]] = {}
    incomplete = set()
    with open(table, encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            if split is not None and row.get("split", split) != split:
                continue
            try:
                x1, y1, x2, y2 = (float(row[name]) for name in COORDINATES)
                labels = {attribute: row[attribute] for attribute in ATTRIBUTES}
            except (KeyError, ValueError) as error:
                raise LabelError(f"{table} line {number}: {error!r}.") from error
            garments.setdefault(row["image"], []).append(WornGarment(labels, (x1, y1, x2, y2), row.get("flag", "")))
            if row.get("complete", "1") != "1":
                incomplete.add(row["image"])
    return [Outfit(folder / name, tuple(rows), name not in incomplete) for name, rows in garments.items()]


def compare(outfit: Outfit, seen: Sequence[Seen]) -> Compared:
    """Match finds to garments one to one by their boxes alone, first to those that have to be found, for the greatest
    overlap. What is left is surplus unless it is a garment that need not be found."""
    targets = [garment for garment in outfit.garments if garment.is_target]
    others = [garment for garment in outfit.garments if not garment.is_target]
    pairs = _matched(targets, seen)
    left = [one for index, one in enumerate(seen) if index not in set(pairs.values())]
    excused = set(_matched(others, left).values())
    return Compared(
        outfit,
        tuple((garment, seen[pairs[index]] if index in pairs else None) for index, garment in enumerate(targets)),
        tuple(one for index, one in enumerate(left) if index not in excused),
    )


def _matched(garments: Sequence[WornGarment], seen: Sequence[Seen]) -> dict[int, int]:
    if not garments or not seen:
        return {}
    boxes = (np.array([one.box for one in some], np.float32) for some in (garments, seen))
    values = overlaps(*boxes)
    least = np.array([garment.least_overlap for garment in garments])
    return match(np.where(values >= least[:, None], values, 0.0).astype(np.float32), LEAST_OVERLAP_ROUGH)


def finding_metrics(compared: Sequence[Compared]) -> dict[str, float]:
    """Over complete outfits: how many garments were found, found and named right, and the surplus boxes per image."""
    complete = [one for one in compared if one.outfit.complete]
    pairs = [pair for one in complete for pair in one.pairs]
    named = [seen is not None and seen.first(CATEGORY) == garment.labels[CATEGORY] for garment, seen in pairs]
    return {
        "images": len(complete),
        "garments": len(pairs),
        "found": share([seen is not None for _, seen in pairs]),
        "found_and_right": share(named),
        "surplus": sum(len(one.surplus) for one in complete) / max(1, len(complete)),
    }


def naming_metrics(compared: Sequence[Compared], taxonomy: Taxonomy) -> dict[str, float]:
    """Over the found garments of all outfits: top-level category, category and its calibration, sleeve, material.

    Sleeve length and material are judged where they are labelled; an answer that was left open is wrong there. The
    calibration is over the finds that have a category.
    """
    found = [pair for one in compared for pair in one.found]
    figures: dict[str, float] = {
        "found": len(found),
        "top_level": share(
            [
                _top(seen.first(CATEGORY), taxonomy) == _top(garment.labels[CATEGORY], taxonomy)
                for garment, seen in found
            ]
        ),
        "top3": share(
            [
                garment.labels[CATEGORY] in [value.value for value in seen.values.get(CATEGORY, ())[:3]]
                for garment, seen in found
            ]
        ),
        "finder_top_level": share(
            [
                seen.finder_top == _top(garment.labels[CATEGORY], taxonomy)
                for garment, seen in found
                if seen.finder_top is not None
            ]
        ),
    }
    for attribute in ATTRIBUTES:
        labelled = [(garment.labels[attribute], seen.first(attribute)) for garment, seen in found]
        labelled = [(truth, said) for truth, said in labelled if truth]
        f1 = _macro_f1(labelled)
        figures |= {
            f"{attribute}_n": len(labelled),
            f"{attribute}_top1": share([truth == said for truth, said in labelled]),
            f"{attribute}_macro_f1": f1[0],
            f"{attribute}_macro_classes": f1[1],
        }
    sure = [(garment, seen.values[CATEGORY][0]) for garment, seen in found if seen.values.get(CATEGORY)]
    confidence = np.array([answer.confidence for _, answer in sure], float)
    right = np.array([answer.value == garment.labels[CATEGORY] for garment, answer in sure], bool)
    return figures | {"ece": calibration_error(reliability_bins(confidence, right)), "ece_n": len(sure)}


def hidden_metrics(compared: Sequence[Compared], attribute: str, taxonomy: Taxonomy) -> dict[str, float]:
    """Precision, recall and F1 of an attribute being called hidden, over found garments that can have it.

    Which garments can is the taxonomy's scope of the attribute, by the true category; a label that a person left open
    means that it is hidden. Sleeveless tops and vests have sleeve lengths like others: an arm under a coat hides
    theirs, too.
    """
    able = [
        (not garment.labels[attribute], attribute in seen.hidden)
        for one in compared
        for garment, seen in one.found
        if taxonomy.applies(attribute, _top(garment.labels[CATEGORY], taxonomy))
    ]
    hits = sum(truth and said for truth, said in able)
    positive, said_so = sum(truth for truth, _ in able), sum(said for _, said in able)
    return {
        "n": len(able),
        "positive": positive,
        "precision": hits / max(1, said_so),
        "recall": hits / max(1, positive),
        "f1": 2 * hits / max(1, positive + said_so),
    }


def _top(category: str | None, taxonomy: Taxonomy) -> str | None:
    """The top-level category of a value, which may be one already; None without one."""
    return (taxonomy.parent_of(CATEGORY, category) or category) if category else None


def _macro_f1(answers: Sequence[tuple[str, str | None]], minimum: int = 10) -> tuple[float, int]:
    """The mean F1 over the classes with at least `minimum` labels, and how many these are."""
    classes = {truth for truth, _ in answers if sum(truth == other for other, _ in answers) >= minimum}
    scores = []
    for name in sorted(classes):
        hits = sum(truth == said == name for truth, said in answers)
        scores.append(
            2 * hits / (sum(truth == name for truth, _ in answers) + sum(said == name for _, said in answers))
        )
    return (sum(scores) / len(scores) if scores else 0.0), len(scores)


def share(flags: Sequence[bool]) -> float:
    """How many are true, as a fraction; 0 of none."""
    return sum(flags) / len(flags) if flags else 0.0
