"""Quality of the shipped weights on val, end to end: what `manage.py classify` says against the labels.

Of each photograph the most confident garment counts. A photograph without any detection is wrong, and so is one whose
class no model offers. Prints a table as Markdown, writes the same as JSON if asked to, and exits with 1 when a floor
is missed.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LEAST_IN_CLASS = 10
NOTHING = "(nothing)"

Row = dict[str, str]
Garment = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One line of the table. `limit` is a floor, or a ceiling where `at_most` is set; None: reported only."""

    name: str
    n: int
    value: float
    limit: float | None = None
    at_most: bool = False

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.at_most else self.value >= self.limit


def read_labels(data: Path, split: str) -> list[Row]:
    """The rows of labels.csv of one split."""
    with (data / "labels.csv").open(newline="", encoding="utf-8") as stream:
        return [row for row in csv.DictReader(stream) if row["split"] == split]


def classify(data: Path, rows: Sequence[Row]) -> list[Garment | None]:
    """The most confident garment of each photograph as the command prints it, None where it found nothing."""
    paths = "\n".join(str(data / "images" / row["image"]) for row in rows)
    command = [sys.executable, str(ROOT / "manage.py"), "classify", "--format", "jsonl", "-"]
    done = subprocess.run(command, input=paths, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(rows):
        raise SystemExit(f"The command printed {len(answers)} lines for {len(rows)} photographs.")
    return [answer["garments"][0] if answer["garments"] else None for answer in answers]


def candidates(garment: Garment | None, attribute: str) -> list[str]:
    """The value and its alternatives, best first; empty where nothing was said."""
    said = garment and garment.get(attribute)
    return [said["value"], *(other["value"] for other in said["alternatives"])] if said else []


def macro_f1(pairs: Sequence[tuple[str, str]]) -> tuple[float, int]:
    """Mean F1 over the classes with enough true examples, of pairs (true, said); and how many classes these are."""
    actual, said = Counter(true for true, _ in pairs), Counter(found for _, found in pairs)
    hits = Counter(true for true, found in pairs if true == found)
    counted = [name for name, count in actual.items() if count >= LEAST_IN_CLASS]
    return statistics.fmean(2 * hits[name] / (actual[name] + said[name]) for name in counted), len(counted)


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return width * height / (sum(areas) - width * height)


def attribute_figures(
    rows: Sequence[Row], garments: Sequence[Garment | None], attribute: str, floors: dict[str, float]
) -> list[Figure]:
    """Top-1, top-3 and macro-F1 over the photographs that carry a label of this attribute."""
    labelled = [
        (row[attribute], candidates(garment, attribute))
        for row, garment in zip(rows, garments, strict=True)
        if row[attribute]
    ]
    n = len(labelled)
    macro, classes = macro_f1([(true, said[0] if said else NOTHING) for true, said in labelled])
    name = attribute.replace("_", " ")
    return [
        Figure(f"{name}, top-1", n, sum(true in said[:1] for true, said in labelled) / n, floors.get("top1")),
        Figure(f"{name}, top-3", n, sum(true in said[:3] for true, said in labelled) / n, floors.get("top3")),
        Figure(f"{name}, macro-F1 of {classes} classes", n, macro, floors.get("macro_f1")),
    ]


def measure(rows: Sequence[Row], garments: Sequence[Garment | None]) -> list[Figure]:
    """All figures of the table."""
    figures = [
        *attribute_figures(rows, garments, "category", {"top1": 0.80, "top3": 0.93, "macro_f1": 0.70}),
        *attribute_figures(rows, garments, "sleeve_length", {"top1": 0.87}),
        *attribute_figures(rows, garments, "material", {"top1": 0.72}),
    ]
    pairs = list(zip(rows, garments, strict=True))
    negatives = [garment is not None for row, garment in pairs if not row["category"]]
    positives = [garment is not None for row, garment in pairs if row["category"]]
    overlaps = [
        overlap(garment["box"], [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")]) if garment else 0.0
        for row, garment in pairs
        if row["box_ok"] == "1"
    ]
    return [
        *figures,
        Figure("shoes and hats taken for a garment", len(negatives), statistics.fmean(negatives), 0.10, at_most=True),
        Figure("garments found", len(positives), statistics.fmean(positives)),
        Figure("median IoU of the box", len(overlaps), statistics.median(overlaps), 0.85),
    ]


def as_markdown(figures: Sequence[Figure]) -> str:
    """The figures beside their limits."""
    lines = ["| figure | photographs | measured | required |", "|---|---|---|---|"]
    for figure in figures:
        limit = ""
        if figure.limit is not None:
            limit = f"{'at most' if figure.at_most else 'at least'} {figure.limit:.2f}"
            limit += "" if figure.holds else " **missed**"
        lines.append(f"| {figure.name} | {figure.n} | {figure.value:.3f} | {limit} |")
    return "\n".join(lines)


def main() -> int:
    """Run the command on the split and print the table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--split", default="val", choices=("train", "val"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    options = parser.parse_args()
    data = options.data.resolve()
    rows = read_labels(data, options.split)
    figures = measure(rows, classify(data, rows))
    print(as_markdown(figures))
    if options.json:
        listed = [asdict(figure) | {"holds": figure.holds} for figure in figures]
        options.json.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
