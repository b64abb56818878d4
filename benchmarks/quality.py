"""Quality of the shipped weights on val, end to end: what `manage.py classify` says against the labels.

Images of single garments, two of them side by side, images without any (docs/evaluation.md says which), and images of
people with all that they wear. Prints a table as Markdown, and exits with 1 when a floor is missed. With --all, both
sets of weights run in each precision that they ship, side by side; then a precision that costs too much fails as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.quality_images import ROOT, Images, measure, prepare
from benchmarks.quality_table import Figures, as_markdown, dear, missed, side_by_side, write_between_marks
from vision.engine.manifest import Manifest

PRECISIONS = ("f32", "bf16", "int8")
INT8_FILES = "openvino_int8"
SETS = {"Default set (`weights`)": ROOT / "weights", "CC0 set (`weights/cc0`)": ROOT / "weights" / "cc0"}


def one_run(images: Images, weights: Path, precision: str | None, *, floors: bool) -> tuple[str, list[str], Any]:
    """Measure one set in one precision: the text, what failed, and the figures for JSON."""
    figures, negatives = measure(images, weights, precision, knows_worn=floors)
    text = f"{as_markdown(figures, floors=floors)}\n\n{negatives}"
    return text, missed(figures) if floors else [], as_json(figures)


def all_runs(images: Images, sets: Mapping[str, Path]) -> tuple[str, list[str], Any]:
    """Measure each set in each precision that it ships. The floors are for the first set."""
    texts, failed, listed = [], [], []
    for number, (title, weights) in enumerate(sets.items()):
        runs, negatives, floors = {}, {}, number == 0
        for precision in shipped_precisions(weights):
            print(f"{title}, {precision} …", file=sys.stderr, flush=True)
            runs[precision], negatives[precision] = measure(images, weights, precision, knows_worn=floors)
            listed.append({"set": title, "precision": precision, "figures": as_json(runs[precision])})
        texts.append(f"**{title}**\n\n{side_by_side(runs, floors=floors)}\n\n{negatives[PRECISIONS[0]]}")
        for precision, figures in runs.items() if floors else ():
            failed += [f"{name} in {precision}" for name in missed(figures)]
        failed += [f"{name} costs too much" for name in dear(runs)]
    return "\n\n".join(texts), failed, listed


def shipped_precisions(weights: Path) -> list[str]:
    """The precisions that a set has files for; f32 and bf16 share theirs."""
    has_int8 = any(INT8_FILES in model.files for model in Manifest.load(weights).models.values())
    return [precision for precision in PRECISIONS if precision != "int8" or has_int8]


def as_json(figures: Figures) -> list[dict[str, Any]]:
    """The figures with their keys and whether their limits hold."""
    return [{"key": key, **asdict(figure), "holds": figure.holds} for key, figure in figures.items()]


def main() -> int:
    """Look at the images of the split and print the tables; the exit status."""
    options = _options()
    worn = None if options.flat_only else options.worn or options.data.parent / "worn"
    with tempfile.TemporaryDirectory(prefix="quality-") as folder:
        images = prepare(options.data, worn, options.split, Path(folder), options.limit)
        if options.all:
            text, failed, listed = all_runs(images, SETS)
        else:
            text, failed, listed = one_run(images, options.weights, options.precision, floors=options.floors)
    print(text)
    for name in failed:
        print(f"Failed: {name}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    if options.write:
        write_between_marks(options.write, text)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--worn", type=Path, help="folder with garments.csv and images/; default: worn beside --data")
    parser.add_argument("--flat-only", action="store_true", help="without images of people")
    parser.add_argument("--split", default="val", choices=("train", "val"))
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="both sets in each precision, side by side")
    which.add_argument(
        "--weights",
        type=Path,
        default=Path(os.environ.get("WEIGHTS", ROOT / "weights")),
        help="folder of manifest.json; default: the environment's WEIGHTS, or weights",
    )
    parser.add_argument("--precision", choices=("auto", *PRECISIONS), help="default: the environment's PRECISION")
    parser.add_argument(
        "--no-floors", dest="floors", action="store_false", help="for a set that did not learn from worn clothes"
    )
    parser.add_argument("--limit", type=int, help="only about so many images of each kind, to try the run itself")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
