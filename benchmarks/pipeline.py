"""`make bench`: this project's worker against the pipeline that it replaces, and against its own networks alone.

Three sides take turns on the same images, so that whatever else the machine does hits all of them:
(a) the worker's path from the stored file to committed rows, (b) the original's three detectors with `ultralytics`,
(c) the networks of (a) on ready tensors: the limit. Prints a table and writes JSON.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from benchmarks.processes import web_process, worker_process
from benchmarks.sides import ROOT, Networks, Original, Side, WorkerPath, serve
from vision.engine import Manifest
from vision.training.environment import processor

MEGAPIXELS = 12
MOST_IN_A_PRODUCT = 50  # the site takes no more images of one product
RESULTS = "## Results"
GOALS = {"a_over_b": 10.0, "a_over_c": 0.5, "web_megabytes": 200.0, "worker_megabytes": 900.0}


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


def compare(images: Sequence[Path], weights: Path, part: int, singles: int) -> dict[str, Any]:
    """Let the three sides take turns on `part` images each, then on single ones."""
    part = min(part, len(images))
    rounds = len(images) // part
    names = [str(path) for path in images]
    with tempfile.TemporaryDirectory(prefix="otjang-bench-") as folder:
        worker = Remote(WorkerPath, folder, str(weights), names)
        original, networks = Remote(Original), Remote(Networks, str(weights))
        with started(worker, original, networks):
            warm = worker.call("run", 0, part)
            networks.call("run", warm["shapes"])
            original.call("run", names[:2])
            seconds: dict[str, float] = defaultdict(float)
            cpu: dict[str, float] = defaultdict(float)
            phases: dict[str, float] = defaultdict(float)
            each: list[float] = []
            for number in range(rounds):
                first = number * part
                run = {"a": worker.call("run", first, part)}
                run["c"] = networks.call("run", run["a"]["shapes"])
                run["b"] = original.call("run", names[first : first + part])
                for side, took in sorted(run.items()):
                    seconds[side] += took["seconds"]
                    cpu[side] += took["cpu"]
                for phase, spent in run["a"]["phases"].items():
                    phases[phase] += spent
                each += run["b"]["each"]
                rates = ", ".join(f"{side} {part / took['seconds']:.1f}/s" for side, took in sorted(run.items()))
                print(f"  round {number + 1} of {rounds}: {rates}", file=sys.stderr)
            alone, alone_networks = [], []
            for index in range(singles):
                run = worker.call("single", index)
                alone.append(run["seconds"])
                alone_networks.append(networks.call("run", run["shapes"])["seconds"])
            count = part * rounds
            latencies = {"a": alone, "b": each, "c": alone_networks}
            return {
                "images": count,
                "garments_a_image": round(worker.call("garments"), 2),
                "validation_ms": round(worker.validation_ms or 0.0, 1),
                "sides": {
                    name: {
                        "images_a_second": round(count / seconds[name], 2),
                        "cpu_ms": round(1000 * cpu[name] / count, 1),
                        "p50_ms": round(1000 * statistics.median(latencies[name]), 1),
                        "p95_ms": round(1000 * percentile(latencies[name], 0.95), 1),
                        "peak_megabytes": round(remote.call("peak_megabytes")),
                    }
                    for name, remote in (("a", worker), ("b", original), ("c", networks))
                },
                "a_over_b": round(seconds["b"] / seconds["a"], 2),
                "a_over_c": round(seconds["c"] / seconds["a"], 3),
                "a_ms_a_image": round(1000 * seconds["a"] / count, 2),
                "busy_ms_a_image": {phase: round(1000 * spent / count, 2) for phase, spent in phases.items()},
            }


def report(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    web, worker = results["web"], results["worker"]
    lines = [
        f"{results['date']}, {results['machine']}; {results['models']}.",
        "",
        "| images | side | images/s | CPU ms each | p50 ms | p95 ms | peak MB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    names = {"a": "(a) worker, stored file to rows", "b": "(b) original pipeline", "c": "(c) networks of (a) alone"}
    for title, result in results["sets"].items():
        for side, figures in result["sides"].items():
            values = " | ".join(str(value) for value in figures.values())
            lines.append(f"| {title} | {names[side]} | {values} |")
    lines += ["", "| | " + " | ".join(results["sets"]) + " | goal |", "|---|" + "---:|" * (len(results["sets"]) + 1)]
    for ratio, label in (("a_over_b", "(a) / (b)"), ("a_over_c", "(a) / (c)")):
        values = " | ".join(f"{result[ratio]}" for result in results["sets"].values())
        lines.append(f"| {label} | {values} | ≥ {GOALS[ratio]:g} |")
    lines += [
        "",
        "Where the time of (a) goes, busy ms an image, summed over threads that run side by side:",
        "",
    ]
    phases = list(dict.fromkeys(p for result in results["sets"].values() for p in result["busy_ms_a_image"]))
    lines += ["| images | whole | " + " | ".join(phases) + " |", "|---|---:|" + "---:|" * len(phases)]
    for title, result in results["sets"].items():
        values = " | ".join(f"{result['busy_ms_a_image'].get(phase, 0)}" for phase in phases)
        lines.append(f"| {title} | {result['a_ms_a_image']} | {values} |")
    took = ", ".join(f"{result['validation_ms']} ms ({title})" for title, result in results["sets"].items())
    lines += [
        "",
        f"Not part of (a): upload validation, which checks an image and writes its three files, took {took} each.",
        "",
        "| process | MB | goal |",
        "|---|---:|---:|",
        f"| web (after {web['requests']} requests, {web['uploads']} uploads of 12 MP) | {web['megabytes']} | < 200 |",
        f"| worker (after {worker['images']} images of 12 MP) | {worker['megabytes']} | < 900 |",
        "",
        f"Heavy modules in the web process: {', '.join(web['heavy']) or 'none'}. "
        f"From saving one image to its result with an idle worker: {worker['seconds_to_result']} s.",
    ]
    return "\n".join(lines)


def failures(results: dict[str, Any]) -> list[str]:
    """Which goals were missed."""
    missed = [
        f"{title}: {ratio} is {result[ratio]}, not {GOALS[ratio]:g}"
        for title, result in results["sets"].items()
        for ratio in ("a_over_b", "a_over_c")
        if result[ratio] < GOALS[ratio]
    ]
    missed += [
        f"the {process} process has {results[process]['megabytes']} MB"
        for process in ("web", "worker")
        if results[process]["megabytes"] >= GOALS[f"{process}_megabytes"]
    ]
    if results["web"]["heavy"]:
        missed.append(f"the web process has loaded {', '.join(results['web']['heavy'])}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "garments", help="folder of labels.csv")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights")
    parser.add_argument("--images", type=int, default=192, help="of the validation part (default: 192)")
    parser.add_argument("--large", type=int, default=64, help="enlarged to 12 megapixels (default: 64)")
    parser.add_argument("--part", type=int, default=64, help="images of one turn of a side (default: 64)")
    parser.add_argument("--singles", type=int, default=24, help="images for the latency (default: 24)")
    parser.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json")
    parser.add_argument("--docs", type=Path, help="a Markdown file whose table is replaced by the new one")
    options = parser.parse_args()
    models = Manifest.load(options.weights).models.values()
    results: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": f"{processor()}, {os.cpu_count()} cores",
        "models": ", ".join(f"{spec.name} at {spec.input_size} px" for spec in models),
        "sets": {},
    }
    with tempfile.TemporaryDirectory(prefix="otjang-large-") as folder:
        large = enlarge(chosen(options.data, options.large), Path(folder))
        for title, images in {"val": chosen(options.data, options.images), "12 MP": large}.items():
            print(f"{title}: {len(images)} images", file=sys.stderr)
            singles = min(options.singles, len(images))
            results["sets"][title] = compare(images, options.weights.resolve(), options.part, singles)
        results["web"] = web_process(large)
        results["worker"] = worker_process(options.weights.resolve(), large[:MOST_IN_A_PRODUCT])
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(report(results))
    if options.docs:
        before, _old = options.docs.read_text().split(RESULTS)
        options.docs.write_text(f"{before}{RESULTS}\n\n{report(results)}\n")
    missed = failures(results)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
