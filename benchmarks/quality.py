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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.quality_images import ROOT, CommandFailed, Images, measure, prepare
from benchmarks.quality_table import Figures, as_markdown, dear, missed, side_by_side, write_between_marks
from vision.engine.errors import EngineError
from vision.engine.manifest import Manifest

PRECISIONS = ("f32", "bf16", "int8")
INT8_FILES = "openvino_int8"
SETS = {"Default set (`weights`)": ROOT / "weights", "CC0 set (`weights/cc0`)": ROOT / "weights" / "cc0"}


@dataclass
class Report:
    """What a run prints, what failed in it, and its figures for JSON."""

    texts: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    listed: list[dict[str, Any]] = field(default_factory=list)


def one_run(report: Report, images: Images, weights: Path, precision: str | None, *, floors: bool) -> None:
    """Measure one set in one precision."""
    figures, negatives = measure(images, weights, precision, knows_worn=floors)
    report.texts += [as_markdown(figures, floors=floors), negatives]
    report.failed += missed(figures) if floors else []
    report.listed.append(as_json(weights.name, precision, figures))


def all_runs(report: Report, images: Images, sets: Mapping[str, Path]) -> None:
    """Measure each set in each precision that it ships. The floors are for the first set."""
    for number, (title, weights) in enumerate(sets.items()):
        runs: dict[str, Figures] = {}
        tables: list[str] = []
        floors = number == 0
        for precision in shipped_precisions(weights):
            print(f"{title}, {precision} …", file=sys.stderr, flush=True)
            try:
                runs[precision], negatives = measure(images, weights, precision, knows_worn=floors)
            except CommandFailed as error:
                report.failed.append(f"{title} in {precision}: {error}")
                continue
            tables.append(negatives)
            report.listed.append(as_json(title, precision, runs[precision]))
        if runs:
            report.texts += [f"**{title}**", side_by_side(runs, floors=floors), tables[0]]
        for precision, figures in runs.items() if floors else ():
            report.failed += [f"{name} in {precision}" for name in missed(figures)]
        report.failed += [f"{title}: {name} costs too much" for name in dear(runs)]


def shipped_precisions(weights: Path) -> list[str]:
    """The precisions that all models of a set have files for; f32 and bf16 share theirs."""
    has_int8 = all(INT8_FILES in model.files for model in Manifest.load(weights).models.values())
    return [precision for precision in PRECISIONS if precision != "int8" or has_int8]


def as_json(weights: str, precision: str | None, figures: Figures) -> dict[str, Any]:
    """The figures of a set with their keys, and whether their limits hold."""
    rows = [{"key": key, **asdict(figure), "holds": figure.holds} for key, figure in figures.items()]
    return {"set": weights, "precision": precision, "figures": rows}


def main() -> int:
    """Look at the images of the split and print the tables; the exit status."""
    options = _options()
    worn = None if options.flat_only else options.worn or options.data.parent / "worn"
    if worn and not (worn / "garments.csv").is_file():
        sys.exit(f"{worn / 'garments.csv'} does not exist. --worn names its folder, --flat-only does without people.")
    report = Report()
    with tempfile.TemporaryDirectory(prefix="quality-") as folder:
        images = prepare(options.data, worn, options.split, Path(folder), options.limit)
        try:
            if options.all:
                all_runs(report, images, SETS)
            else:
                one_run(report, images, options.weights, options.precision, floors=options.floors)
        except (CommandFailed, EngineError) as error:
            report.failed.append(str(error))
    text = "\n\n".join(report.texts)
    print(text)
    for name in report.failed:
        print(f"Failed: {name}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps(report.listed, indent=1) + "\n", encoding="utf-8")
    if options.write:
        write_between_marks(options.write, text)
    return 1 if report.failed else 0


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
    parser.add_argument("--precision", choices=PRECISIONS, help="default: what PRECISION makes of this machine")
    parser.add_argument(
        "--no-floors", dest="floors", action="store_false", help="for a set that did not learn from worn clothes"
    )
    parser.add_argument("--limit", type=int, help="only about so many images of each kind, to try the run itself")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
