"""What `benchmarks/pipeline.py` prints: tables in Markdown, and which floors were missed."""

from __future__ import annotations

from typing import Any

from vision.engine.precision import F32

Floors = dict[str, dict[str, float]]

FLOORS: Floors = {"cpu": {"flat": 6.0, "worn": 5.0}, "throughput": {"flat": 11.0, "worn": 9.0}}
"""By set: how many times (b)'s CPU time and seconds are to be (a)'s, in the precision that serves."""

AIMS: Floors = {"cpu": {"flat": 10.0, "worn": 7.0}, "throughput": {"flat": 18.0, "worn": 12.0}}

OF_NETWORKS = {True: (0.6, 0.8), False: (0.45, 0.65)}
"""Floor and aim of (a)'s speed as a share of its networks' alone: in single precision, and in the faster ones."""

MEGABYTES = {"web": 200, "worker": 900}
LABELS = {"cpu": "CPU, (b) / (a)", "throughput": "throughput, (a) / (b)"}
SIDES = {"a": "(a) worker, stored file to rows", "b": "(b) original pipeline", "c": "(c) networks of (a) alone"}


def report(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    head = (
        f"{results['date']}, {results['machine']}; {results['models']}. PRECISION=auto computes in {results['auto']} "
        f"here; floors are those of {results['precision']}."
    )
    blocks = [[head], _sides(results), _ratios(results), _phases(results), _processes(results)]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _sides(results: dict[str, Any]) -> list[str]:
    lines = [
        "| images | side | images/s | CPU ms each | p50 ms | p95 ms | peak MB |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for title, result in results["sets"].items():
        for side, figures in result["sides"].items():
            kind, _space, precision = side.partition(" ")
            values = " | ".join(str(value) for value in figures.values())
            lines.append(f"| {title} | {SIDES[kind]}{f', {precision}' if precision else ''} | {values} |")
    return lines


def _ratios(results: dict[str, Any]) -> list[str]:
    titles = list(results["sets"])
    lines = [f"| | {' | '.join(titles)} | floor | aim |", "|---|" + "---:|" * (len(titles) + 2)]
    precisions = list(next(iter(results["sets"].values()))["ratios"])
    for name, label in LABELS.items():
        floors, aims = (" / ".join(f"{value:g}" for value in kind[name].values()) for kind in (FLOORS, AIMS))
        for precision in precisions:
            values = " | ".join(str(result["ratios"][precision][name]) for result in results["sets"].values())
            bounds = f"{floors} | {aims}" if precision == results["precision"] else "| "
            lines.append(f"| {label}, {precision} | {values} | {bounds} |")
    for precision in precisions:
        floor, aim = OF_NETWORKS[precision == F32]
        for name, label in (("of_networks", "by the clock"), ("of_networks_cpu", "by CPU")):
            values = " | ".join(str(result["ratios"][precision][name]) for result in results["sets"].values())
            lines.append(f"| share of the networks alone, {precision}, {label} | {values} | {floor:g} | {aim:g} |")
    return lines


def _phases(results: dict[str, Any]) -> list[str]:
    phases = list(dict.fromkeys(p for result in results["sets"].values() for p in result["busy_ms_a_image"]))
    lines = [
        f"Where the time of (a) goes in {results['precision']}, busy ms per image, summed over threads that run side "
        "by side:",
        "",
        "| images | garments each | " + " | ".join(phases) + " |",
        "|---|---:|" + "---:|" * len(phases),
    ]
    for title, result in results["sets"].items():
        values = " | ".join(f"{result['busy_ms_a_image'].get(phase, 0)}" for phase in phases)
        lines.append(f"| {title} | {result['garments_a_image']} | {values} |")
    took = ", ".join(f"{result['validation_ms']} ms ({title})" for title, result in results["sets"].items())
    lines += ["", f"Not part of (a): upload validation, which checks an image and writes its files, took {took} each."]
    return lines


def _processes(results: dict[str, Any]) -> list[str]:
    if "web" not in results:
        return []
    web, worker = results["web"], results["worker"]
    return [
        "| process | MB | floor |",
        "|---|---:|---:|",
        f"| web (after {web['requests']} requests, {web['uploads']} uploads of 12 MP) | {web['megabytes']} | < 200 |",
        f"| worker (after {worker['images']} images of 12 MP) | {worker['megabytes']} | < 900 |",
        "",
        f"Heavy modules in the web process: {', '.join(web['heavy']) or 'none'}. "
        f"From saving one image to its result with an idle worker: {worker['seconds_to_result']} s.",
    ]


def failures(results: dict[str, Any]) -> list[str]:
    """Which floors were missed."""
    missed = []
    for title, result in results["sets"].items():
        own = result["ratios"][results["precision"]]
        for name, floors in FLOORS.items():
            if title in floors and own[name] < floors[title]:
                missed.append(f"{title}: {LABELS[name]} is {own[name]}, not {floors[title]:g}")
        for precision, ratios in result["ratios"].items():
            floor = OF_NETWORKS[precision == F32][0]
            if title in FLOORS["cpu"] and ratios["of_networks"] < floor:
                missed.append(f"{title}: {ratios['of_networks']} of the networks alone in {precision}, not {floor:g}")
    for process, limit in MEGABYTES.items():
        if process in results and results[process]["megabytes"] >= limit:
            missed.append(f"the {process} process has {results[process]['megabytes']} MB")
    if results.get("web", {}).get("heavy"):
        missed.append(f"the web process has loaded {', '.join(results['web']['heavy'])}")
    return missed
