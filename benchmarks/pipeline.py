"""`make bench`: this project's worker against the pipeline that it replaces, and against its own networks alone.

Three kinds of side take turns on the same images, so that whatever else the machine does hits all of them:
(a) the worker's path from the stored file to committed rows, (b) the original's three detectors with `ultralytics`,
(c) the networks of (a) on ready tensors: the limit. (a) and (c) run in each of several precisions. Prints a table,
writes JSON, and ends with status 1 below a floor.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from benchmarks.pipeline_report import failures, report
from benchmarks.processes import web_process, worker_process
from benchmarks.sides import ROOT, Networks, Original, Side, WorkerPath, serve
from vision.engine import Manifest
from vision.engine.manifest import MANIFEST_NAME
from vision.engine.precision import AUTO, F32, PRECISIONS, choose, described
from vision.engine.preprocess import written
from vision.training.environment import processor

MEGAPIXELS = 12
MOST_IN_A_PRODUCT = 50  # the site takes no more images of one product
RESULTS = "## Results"


class Remote:
    """A side in its own process."""

    def __init__(self, side: type[Side], *arguments: Any) -> None:
        context = get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=serve, args=(other, side, arguments), daemon=True)
        self._process.start()
        other.close()
        self.validation_ms: float | None = self._connection.recv()

    def call(self, name: str, *arguments: Any) -> Any:
        self._connection.send((name, arguments))
        return self._connection.recv()

    def close(self) -> None:
        self._connection.close()
        self._process.join(30)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of `values` does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def chosen(data: Path, count: int) -> list[Path]:
    """The first images of the validation part: names are random, so this is a random choice."""
    with (data / "labels.csv").open(newline="") as file:
        names = [row["image"] for row in csv.DictReader(file) if row["split"] == "val"]
    return [data / "images" / name for name in names[:count]]


def chosen_worn(data: Path, count: int) -> list[Path]:
    """The first images of the validation part all of whose garments are known; read in place."""
    with (data / "garments.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "val" and row["complete"] == "1"]
    return [data / "images" / name for name in list(dict.fromkeys(row["image"] for row in rows))[:count]]


def enlarge(images: Sequence[Path], folder: Path) -> list[Path]:
    """Copies of 12 megapixels, as a camera takes them."""
    enlarged = []
    for path in images:
        with Image.open(path) as image:
            scale = (MEGAPIXELS * 1e6 / (image.width * image.height)) ** 0.5
            size = (round(image.width * scale), round(image.height * scale))
            image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(folder / path.name, quality=90)
        enlarged.append(folder / path.name)
    return enlarged


@contextmanager
def started(*remotes: Remote) -> Iterator[None]:
    try:
        yield
    finally:
        for remote in remotes:
            remote.close()


@dataclass
class Measured:
    """What one side took for the images of all its turns."""

    seconds: float = 0.0
    cpu: float = 0.0
    latencies: list[float] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, run: dict[str, Any]) -> None:
        """Count one turn."""
        self.seconds += run["seconds"]
        self.cpu += run["cpu"]
        for phase, spent in run.get("phases", {}).items():
            self.phases[phase] += spent

    def figures(self, images: int, peak_megabytes: float) -> dict[str, float]:
        """For the table, per image."""
        return {
            "images_a_second": round(images / self.seconds, 2),
            "cpu_ms": round(1000 * self.cpu / images, 1),
            "p50_ms": round(1000 * statistics.median(self.latencies), 1),
            "p95_ms": round(1000 * percentile(self.latencies, 0.95), 1),
            "peak_megabytes": round(peak_megabytes),
        }


def compare(
    images: Sequence[Path], weights: Path, precisions: Sequence[str], part: int, singles: int
) -> dict[str, Any]:
    """Let the sides take turns on `part` images each, then on single ones."""
    part = min(part, len(images))
    names = [str(path) for path in images]
    with ExitStack() as stack:
        workers, networks = {}, {}
        for precision in precisions:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="otjang-bench-"))
            workers[precision] = Remote(WorkerPath, folder, str(weights), names, precision)
            networks[precision] = Remote(Networks, str(weights), precision)
        original = Remote(Original)
        stack.enter_context(started(*workers.values(), *networks.values(), original))
        for precision in precisions:
            networks[precision].call("run", workers[precision].call("run", 0, part)["shapes"])
        original.call("run", names[:2])
        measured: dict[str, Measured] = defaultdict(Measured)
        for first in range(0, part * (len(images) // part), part):
            for precision in precisions:
                run = workers[precision].call("run", first, part)
                measured[f"a {precision}"].add(run)
                measured[f"c {precision}"].add(networks[precision].call("run", run["shapes"]))
            run = original.call("run", names[first : first + part])
            measured["b"].add(run)
            measured["b"].latencies += run["each"]
            rates = (f"{side} {1000 * took.cpu / (first + part):.1f}" for side, took in sorted(measured.items()))
            print(f"  {first + part} of {len(images)}, CPU ms each: {', '.join(rates)}", file=sys.stderr)
        for index in range(min(singles, len(images))):
            for precision in precisions:
                run = workers[precision].call("single", index)
                measured[f"a {precision}"].latencies.append(run["seconds"])
                alone = networks[precision].call("run", run["shapes"])
                measured[f"c {precision}"].latencies.append(alone["seconds"])
        remotes = {f"a {name}": side for name, side in workers.items()} | {"b": original}
        remotes |= {f"c {name}": side for name, side in networks.items()}
        serving = workers[precisions[-1]]
        return _figures(measured, remotes, part * (len(images) // part), precisions) | {
            "garments_a_image": round(serving.call("garments"), 2),
            "validation_ms": round(serving.validation_ms or 0.0, 1),
        }


def _figures(
    measured: dict[str, Measured], remotes: dict[str, Remote], count: int, precisions: Sequence[str]
) -> dict[str, Any]:
    """The sides, and for each precision: how little CPU and clock (a) takes of (b)'s, and its share of (c)'s speed."""
    own, original = measured[f"a {precisions[-1]}"], measured["b"]
    ratios = {}
    for precision in precisions:
        worker, alone = measured[f"a {precision}"], measured[f"c {precision}"]
        ratios[precision] = {
            "cpu": round(original.cpu / worker.cpu, 2),
            "throughput": round(original.seconds / worker.seconds, 2),
            "of_networks": round(alone.seconds / worker.seconds, 3),
            "of_networks_cpu": round(alone.cpu / worker.cpu, 3),
        }
    return {
        "images": count,
        "sides": {
            name: side.figures(count, remotes[name].call("peak_megabytes")) for name, side in sorted(measured.items())
        },
        "ratios": ratios,
        "busy_ms_a_image": {phase: round(1000 * spent / count, 2) for phase, spent in own.phases.items()},
    }


def tried(weights: Path, precisions: Sequence[str], folder: Path) -> Path:
    """A copy of the weights whose manifest lets workers use these precisions, whether they were verified or not."""
    copy = Path(shutil.copytree(weights, folder / "weights"))
    manifest = json.loads((copy / MANIFEST_NAME).read_text(encoding="utf-8"))
    for entry in manifest["models"].values():
        entry["verified"] = list(precisions)
    (copy / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    return copy


def chosen_precisions(weights: Path, asked: Sequence[str]) -> list[str]:
    """Single precision first and what a worker would serve last, by its own choice or the last of those asked for."""
    if asked:
        return [F32, *(each for each in asked if each != F32)]
    serving = set(choose(Manifest.load(weights).models, AUTO).values())
    if len(serving) > 1:
        return [F32, AUTO]
    return [F32, *(serving - {F32})]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = ROOT.parent / "shared"  # beside the checkout
    parser.add_argument("--data", type=Path, default=shared / "garments", help="folder of labels.csv")
    parser.add_argument("--worn", type=Path, default=shared / "worn", help="folder of garments.csv")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights")
    parser.add_argument(
        "--precisions",
        nargs="+",
        choices=PRECISIONS,
        default=[],
        help="beside f32, the last one for the floors, verified or not (default: what a worker here would serve in)",
    )
    parser.add_argument("--images", type=int, default=192, help="of the validation part (default: 192)")
    parser.add_argument("--worn-images", type=int, default=128, help="of worn clothes (default: 128)")
    parser.add_argument("--large", type=int, default=64, help="enlarged to 12 megapixels (default: 64)")
    parser.add_argument("--part", type=int, default=64, help="images of one turn of a side (default: 64)")
    parser.add_argument("--singles", type=int, default=24, help="images for the latency (default: 24)")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json")
    parser.add_argument("--docs", type=Path, help="a Markdown file whose table is replaced by the new one")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run everything; the results as they go into the JSON file."""
    precisions = chosen_precisions(options.weights, options.precisions)
    weights = tried(options.weights, precisions, folder) if options.precisions else options.weights.resolve()
    models = Manifest.load(weights).models
    results: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "models": ", ".join(f"{spec.name} at {written(spec.shapes)} px" for spec in models.values()),
        "auto": described(choose(models, AUTO)),
        "precision": precisions[-1],
        "sets": {},
    }
    large = enlarge(chosen(options.data, options.large), folder)
    sets = {"flat": chosen(options.data, options.images), "12 MP": large}
    if options.worn.is_dir():
        sets["worn"] = chosen_worn(options.worn, options.worn_images)
    for title, images in sets.items():
        if images:
            print(f"{title}: {len(images)} images", file=sys.stderr)
            results["sets"][title] = compare(images, weights, precisions, options.part, options.singles)
    if large:
        results["web"] = web_process(large)
        results["worker"] = worker_process(weights, large[:MOST_IN_A_PRODUCT])
    return results


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="otjang-large-") as folder:
        results = measure(options, Path(folder))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    text = report(results)
    print(text)
    if options.docs:
        before, _old = options.docs.read_text().split(RESULTS)
        options.docs.write_text(f"{before}{RESULTS}\n\n{text}\n")
    missed = failures(results)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
