"""How fast K-Fashion is converted, and whether every file is accounted for: drawn files with 10 % dirt of every kind.

    python benchmarks/kfashion.py --files 20000

Prints Markdown, as it stands in docs/datasets.md. Fails if anything was rejected that should not have been, or the
other way round, if counts do not add up, or if the source was changed. The processor's time hardly depends on what else
runs; divided by the processes it says how long an idle machine takes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.kfashion_files import Expected, generate  # noqa: E402

GOAL_SECONDS = 180
GOAL_FILES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=GOAL_FILES)
    parser.add_argument("--dirt", type=float, default=0.1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the files are written (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kfashion-", dir=options.folder) as name:
        folder = Path(name)
        print(f"drawing {options.files} images", file=sys.stderr, flush=True)
        expected = generate(folder / "images", folder / "labels", options.files, dirt=options.dirt)
        before = snapshot(folder / "images"), snapshot(folder / "labels")
        first = convert(folder, options.processes)
        again = convert(folder, options.processes)
        check(folder, expected)
        if before != (snapshot(folder / "images"), snapshot(folder / "labels")):
            raise SystemExit("The source was changed.")
        statistics = json.loads((folder / "out" / "statistics.json").read_text(encoding="utf-8"))
        report(options, statistics, expected, first, again)
        if options.files >= GOAL_FILES and first[0] > GOAL_SECONDS * options.files / GOAL_FILES:
            raise SystemExit(f"It took {first[0]:.0f} s, not {GOAL_SECONDS} for {GOAL_FILES} files.")


def snapshot(folder: Path) -> list[tuple[str, int, int, int]]:
    """Each file's name, size, and times of its content and of its entry."""
    found = []
    for place, _folders, names in sorted(os.walk(folder)):
        for name in sorted(names):
            about = os.lstat(os.path.join(place, name))
            found.append((name, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    return found


def convert(folder: Path, processes: int) -> tuple[float, float]:
    """Run the command; returns the seconds that passed and those of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    arguments = ["--images", folder / "images", "--labels", folder / "labels", "--out", folder / "out"]
    subprocess.run(
        [sys.executable, "manage.py", "import_kfashion", *map(str, arguments), "--processes", str(processes)],
        cwd=ROOT,
        env=os.environ | {"SECRET_KEY": "only-for-benchmarks-" * 4, "DATABASE_URL": "sqlite://:memory:"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seconds = time.monotonic() - started
    total = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, total.ru_utime + total.ru_stime - used.ru_utime - used.ru_stime


def check(folder: Path, expected: Expected) -> None:
    """Compare what came out with what was drawn; ends the program where they differ."""
    statistics = json.loads((folder / "out" / "statistics.json").read_text(encoding="utf-8"))
    with (folder / "out" / "rejects.csv").open(newline="", encoding="utf-8") as stream:
        rejects = {row["file"]: row["reason"] for row in csv.DictReader(stream)}
    with (folder / "out" / "labels.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    wrong = {
        file for file in rejects.keys() | expected.rejects.keys() if rejects.get(file) != expected.rejects.get(file)
    }
    if wrong:
        raise SystemExit(f"{len(wrong)} files have another fate than they should, {sorted(wrong)[0]} for one.")
    images = {row["image"] for row in rows}
    found = (statistics["files"], len(images) + len(rejects), len(rows), statistics["clipped_boxes"])
    wanted = (expected.files, expected.files, expected.garments, expected.clipped)
    if found != wanted:
        raise SystemExit(f"Files, converted and rejected, garments, clipped boxes: {found}, not {wanted}.")


def report(
    options: argparse.Namespace,
    statistics: dict[str, Any],
    expected: Expected,
    first: tuple[float, float],
    again: tuple[float, float],
) -> None:
    soiled = expected.files - expected.kinds["clean"]
    print("| | |\n|---|---:|")
    print(f"| files | {expected.files} |")
    print(f"| of them with something wrong, of {len(expected.kinds) - 1} kinds | {soiled} |")
    print(f"| converted, with {statistics['garments']} garments | {statistics['converted']} |")
    print(f"| rejected, each with the reason that it was drawn with | {statistics['rejected']} |")
    print(f"| boxes cut off at the border | {statistics['clipped_boxes']} |")
    print(f"| seconds, {options.processes} processes | {first[0]:.0f} |")
    print(f"| processors' seconds | {first[1]:.0f} |")
    print(f"| processors' seconds / {options.processes} | {first[1] / options.processes:.0f} |")
    print(f"| seconds when started again, with nothing left to do | {again[0]:.0f} |")
    print(f"\nload of the machine during the run: {os.getloadavg()[1]:.1f} processes for {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
