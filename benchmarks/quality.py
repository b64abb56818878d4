"""Quality of the shipped weights on val, end to end: what `manage.py classify` says against the labels.

Of each image the most confident garment counts. An image without any detection is wrong, and so is one whose
class no model offers. Prints a table as Markdown, writes the same as JSON if asked to, and exits with 1 when a floor
is missed. The figures are those of `manage.py evaluate`, which also says where they come from.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vision.engine.manifest import GARMENT
from vision.engine.results import Alternative
from vision.evaluation.metrics import attribute_metrics, garment_metrics
from vision.evaluation.readings import Found, Reading, pair
from vision.training.dataset import LabelledImage, by_file, read_dataset

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "category": {"top1": 0.80, "top3": 0.93, "macro_f1": 0.70},
    "sleeve_length": {"top1": 0.87},
    "material": {"top1": 0.72},
}


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


def read_with_command(images: Sequence[LabelledImage], weights: Path) -> list[Reading]:
    """What `manage.py classify` writes of each image, paired with its rows of labels as `evaluate` does it."""
    files = by_file(images)
    command = [sys.executable, "manage.py", "classify", "-", "--format", "jsonl", "--weights", str(weights.resolve())]
    names = b"".join(os.fsencode(rows[0].path.resolve()) + b"\n" for rows in files)
    environment = os.environ | {"SECRET_KEY": "only-for-benchmarks-" * 4}
    ended = subprocess.run(command, cwd=ROOT, env=environment, input=names, stdout=subprocess.PIPE)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    if len(lines) != len(files):  # unreadable images have a line too: in them nothing was found
        sys.exit(f"`manage.py classify` ended with {ended.returncode} after {len(lines)} of {len(files)} images.")
    readings = []
    for rows, line in zip(files, lines, strict=True):
        roles = [role for role in line["models"] if role != GARMENT]
        readings += pair(rows, [_found(garment, roles) for garment in line["garments"]], roles)
    return readings


def _found(garment: Mapping[str, Any], roles: Sequence[str]) -> Found:
    """A garment as the command writes it, without the score of its box, which no figure here needs."""
    x1, y1, x2, y2 = garment["box"]
    said = {role: (garment[role], *garment[role]["alternatives"]) if garment[role] else () for role in roles}
    values = {
        role: tuple(Alternative(item["value"], item["confidence"]) for item in items) for role, items in said.items()
    }
    return Found((x1, y1, x2, y2), 0.0, values)


def measure(readings: Sequence[Reading]) -> list[Figure]:
    """All figures of the table."""
    figures = []
    for attribute, floors in FLOORS.items():
        found = attribute_metrics(readings, attribute)
        name, n = attribute.replace("_", " "), found["n"]
        macro = f"macro-F1 of {found['macro_classes']} classes"
        for key, label in (("top1", "top-1"), ("top3", "top-3"), ("macro_f1", macro)):
            figures.append(Figure(f"{name}, {label}", n, found[key], floors.get(key)))
    boxes = garment_metrics(readings)
    wrong = boxes["negatives_with_garment"]
    return [
        *figures,
        Figure("shoes and hats taken for a garment", boxes["negatives"], wrong, 0.10, at_most=True),
        Figure("garments found", boxes["garments"], boxes["recall"]),
        Figure("median IoU of the box", boxes["iou_n"], boxes["median_iou"], 0.85),
    ]


def as_markdown(figures: Sequence[Figure]) -> str:
    """The figures beside their limits."""
    lines = ["| figure | images | measured | required |", "|---|---|---|---|"]
    for figure in figures:
        limit = ""
        if figure.limit is not None:
            limit = f"{'at most' if figure.at_most else 'at least'} {figure.limit:.2f}"
            limit += "" if figure.holds else " **missed**"
        lines.append(f"| {figure.name} | {figure.n} | {figure.value:.3f} | {limit} |")
    return "\n".join(lines)


def main() -> int:
    """Look at the images of the split and print the table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights", help="folder of manifest.json")
    parser.add_argument("--split", default="val", choices=("train", "val"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    options = parser.parse_args()
    images = read_dataset(options.data).select(options.split)
    figures = measure(read_with_command(images, options.weights))
    print(as_markdown(figures))
    if options.json:
        listed = [asdict(figure) | {"holds": figure.holds} for figure in figures]
        options.json.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
