"""The figures of a quality run, from the lines that `manage.py classify` wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality_table import Figure, Limit
from vision.engine.manifest import GARMENT
from vision.engine.results import Alternative
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.evaluation.metrics import attribute_metrics, garment_metrics
from vision.evaluation.negatives import Negative
from vision.evaluation.outfits import (
    SLEEVE,
    Outfit,
    Seen,
    compare,
    finding_metrics,
    hidden_metrics,
    naming_metrics,
    share,
)
from vision.evaluation.readings import Found, Reading, pair
from vision.training.dataset import LabelledImage, by_file

MATERIAL = "material"
SURE = 0.5
SHOES_AND_HATS = "shoes and hats"

Line = Mapping[str, Any]
"""What the command wrote of one file."""
Named = Iterator[tuple[str, Figure]]

LIMITS = {
    "flat category top1": Limit(0.80, 0.87),
    "flat category top3": Limit(0.93, 0.97),
    "flat category macro_f1": Limit(0.72, 0.82),
    "flat sleeve_length top1": Limit(0.87, 0.93),
    "flat material top1": Limit(0.73, 0.82),
    "flat ece": Limit(0.05, at_most=True),
    "flat iou": Limit(0.85),
    "pairs": Limit(0.90, 0.97),
    "negatives": Limit(0.10, 0.05, at_most=True),
    "materials": Limit(1.0),
    "worn found": Limit(0.84, 0.94),
    "worn surplus": Limit(0.45, 0.2, at_most=True),
    "worn top_level": Limit(0.89, 0.96),
    "worn category top1": Limit(0.64, 0.80),
    "worn category top3": Limit(0.88, 0.96),
    "worn found_and_right": Limit(0.54, 0.74),
    "worn sleeve_length top1": Limit(0.80, 0.90),
    "worn material top1": Limit(0.62, 0.78),
    "worn hidden": Limit(0.5, 0.8),
    "worn ece": Limit(0.05, at_most=True),
}


def _named(key: str, name: str, n: float, value: float) -> tuple[str, Figure]:
    return key, Figure(name, int(n), value, LIMITS.get(key))


def flat_figures(images: Sequence[LabelledImage], lines: Mapping[Path, Line]) -> Named:
    """Images of one garment each: the surest garment of an image answers for it, as it always did; the others are
    counted. An image without a find is wrong, and so is one whose class no model offers."""
    readings = flat_readings(images, lines)
    for attribute in (CATEGORY, SLEEVE, MATERIAL):
        found, name = attribute_metrics(readings, attribute), attribute.replace("_", " ")
        for key, label in (
            ("top1", "top-1"),
            ("top3", "top-3"),
            ("macro_f1", f"macro-F1 of {found['macro_classes']} classes"),
        ):
            yield _named(f"flat {attribute} {key}", f"flat: {name}, {label}", found["n"], found[key])
        if attribute == CATEGORY:
            yield _named("flat ece", "flat: calibration error of category", found["n"], found["ece"])
    boxes = garment_metrics(readings)
    several = [len(lines[rows[0].path]["garments"]) > 1 for rows in by_file(images) if rows[0].box is not None]
    yield _named("flat found", "flat: garments found", boxes["garments"], boxes["recall"])
    yield _named("flat several", "flat: images with a second find", len(several), share(several))
    yield _named("flat iou", "flat: median IoU of the box", boxes["iou_n"], boxes["median_iou"])


def flat_readings(images: Sequence[LabelledImage], lines: Mapping[Path, Line]) -> list[Reading]:
    """The command's lines as answers for the rows of labels, paired as `manage.py evaluate` does it."""
    readings = []
    for rows in by_file(images):
        line = lines[rows[0].path]
        roles = [role for role in line["models"] if role != GARMENT]
        readings += pair(rows, [_found(garment, roles) for garment in line["garments"]], roles)
    return readings


def _found(garment: Mapping[str, Any], roles: Sequence[str]) -> Found:
    """A garment without the score of its box, which no figure here needs."""
    x1, y1, x2, y2 = garment["box"]
    said = {role: (garment[role], *garment[role]["alternatives"]) if garment[role] else () for role in roles}
    values = {
        role: tuple(Alternative(item["value"], item["confidence"]) for item in items) for role, items in said.items()
    }
    return Found((x1, y1, x2, y2), 0.0, values)


def pair_figures(pairs: Sequence[Outfit], lines: Mapping[Path, Line]) -> Named:
    """Two flat garments side by side: in how many images both are found."""
    compared = [compare(outfit, seen_in(lines[outfit.path])) for outfit in pairs]
    both = [len(one.found) == len(one.pairs) for one in compared]
    yield _named("pairs", "two flat garments side by side: both found", len(both), share(both))
    surplus = sum(len(one.surplus) for one in compared) / max(1, len(compared))
    yield _named("pairs surplus", "two flat garments side by side: surplus boxes per image", len(both), surplus)


def negative_figures(negatives: Sequence[Negative], lines: Mapping[Path, Line]) -> Named:
    """Images without a garment: how many yield one, and how many of these with a sure category."""
    garments = [lines[negative.path]["garments"] for negative in negatives]
    yielding = [found for found in garments if found]
    shoes = [bool(found) for found, one in zip(garments, negatives, strict=True) if one.kind == SHOES_AND_HATS]
    yield _named("negatives", "negatives that yield a garment", len(garments), len(yielding) / max(1, len(garments)))
    yield _named("negatives sure", f"of these, category surer than {SURE}", *_sure(yielding))
    yield _named("negatives shoes", "shoes and hats that yield a garment", len(shoes), share(shoes))


def _sure(yielding: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[int, float]:
    return len(yielding), share([_surest(found) > SURE for found in yielding])


def _surest(garments: Sequence[Mapping[str, Any]]) -> float:
    return max((garment[CATEGORY]["confidence"] for garment in garments if garment.get(CATEGORY)), default=0.0)


def negatives_by_kind(negatives: Sequence[Negative], lines: Mapping[Path, Line]) -> str:
    """A table of what the negatives show, and what they yielded."""
    rows = ["| negatives | images | yield a garment | surest category |", "|---|---|---|---|"]
    for kind in dict.fromkeys(negative.kind for negative in negatives):
        found = [lines[negative.path]["garments"] for negative in negatives if negative.kind == kind]
        yielding = [garments for garments in found if garments]
        surest = f"{max(map(_surest, yielding)):.2f}" if yielding else ""
        rows.append(f"| {kind} | {len(found)} | {len(yielding)} | {surest} |")
    return "\n".join(rows)


def worn_figures(outfits: Sequence[Outfit], lines: Mapping[Path, Line], taxonomy: Taxonomy) -> Named:
    """Images of people: found and surplus over those that are labelled completely, the rest over all finds."""
    compared = [compare(outfit, seen_in(lines[outfit.path])) for outfit in outfits]
    finding, naming = finding_metrics(compared), naming_metrics(compared, taxonomy)
    hidden = hidden_metrics(compared, SLEEVE, taxonomy)
    found, garments = naming["found"], finding["garments"]
    yield _named("worn found", "worn: garments found", garments, finding["found"])
    yield _named("worn surplus", "worn: surplus boxes per image", finding["images"], finding["surplus"])
    yield _named("worn found_and_right", "worn: found and named right, of all", garments, finding["found_and_right"])
    yield _named("worn top_level", "worn: top-level category, of found", found, naming["top_level"])
    yield _named("worn category top1", "worn: category, top-1, of found", found, naming["category_top1"])
    yield _named("worn category top3", "worn: category, top-3, of found", found, naming["top3"])
    classes = int(naming["category_macro_classes"])
    yield _named(
        "worn category macro_f1", f"worn: category, macro-F1 of {classes} classes", found, naming["category_macro_f1"]
    )
    yield _named("worn ece", "worn: calibration error of category", naming["ece_n"], naming["ece"])
    for attribute in (SLEEVE, MATERIAL):
        name, n = attribute.replace("_", " "), naming[f"{attribute}_n"]
        classes, macro = int(naming[f"{attribute}_macro_classes"]), naming[f"{attribute}_macro_f1"]
        yield _named(f"worn {attribute} top1", f"worn: {name}, top-1, of found", n, naming[f"{attribute}_top1"])
        yield _named(f"worn {attribute} macro_f1", f"worn: {name}, macro-F1 of {classes} classes", n, macro)
    positive = int(hidden["positive"])
    yield _named("worn hidden", f"worn: F1 of “sleeve not visible” ({positive} are not)", hidden["n"], hidden["f1"])
    yield _named("worn hidden precision", "worn: precision of “sleeve not visible”", hidden["n"], hidden["precision"])


def seen_in(line: Line) -> list[Seen]:
    """The garments of one line."""
    return [Seen.from_json(garment) for garment in line["garments"]]


def materials_figure(offered: frozenset[str], learnable: frozenset[str]) -> Named:
    """Which of the materials with enough examples the models offer."""
    name = f"materials offered ({len(offered)}), of those with 20 or more examples"
    yield _named("materials", name, len(learnable), share([code in offered for code in learnable]))
