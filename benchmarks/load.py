#!/usr/bin/env python
"""How much the site takes: many callers at once, a backlog of images beside people, and its memory meanwhile.

One web process and one worker on MariaDB with 100,000 products; callers by locust on the same machine. Three parts:

- **steps**: more and more callers who browse, review, upload and use the API. Prints for each step how much was
  answered and how quickly, and the knee. Beyond it requests may only be turned away with a time to come again.
- **backlog**: how quickly the worker classifies images alone, and beside people who look at pages; how long these wait
  with and without it.
- **memory**: some callers for half an hour.

    make load
    make load ARGS="--products 5000 --steps 5,20,80 --seconds 10 --backlog 500 --minutes 2"

Exits with 1 if something else than 429 and 503 with Retry-After was answered, the backlog went at less than 60 % of the
worker's lone speed, the portal's p95 tripled meanwhile, or memory grew.
"""

from __future__ import annotations

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load_figures import KNEE_MS, KNEE_REFUSED, Measured, Stage, knee
from benchmarks.load_site import Access, add_backlog, callers, prepare, waiting
from benchmarks.outage_site import Site

PARTS = ("steps", "backlog", "memory")
SETTLE_SECONDS = 10.0
IDLE_SECONDS = 60.0
LONE_SHARE = 0.3  # of the backlog, that the worker does alone
PEOPLE = 5  # who look at pages beside the backlog
CALLERS = 10  # of every kind, while memory is watched
LEAST_DRAIN, MOST_SLOWER = 0.6, 3.0
LOOK_SECONDS = 5.0
GROWTH_SHARE, GROWTH_MB = 1.05, 5.0
PATIENCE_SECONDS = 3600.0


@dataclass
class Run:
    """What the parts need, and what was wrong in them."""

    site: Site
    access: Access
    options: argparse.Namespace
    faults: list[str] = field(default_factory=list)

    def check(self, measured: Measured) -> None:
        """Note answers that must not be."""
        self.faults += [f"{measured.users} callers: {count} × {what}" for what, count in measured.faults.items()]


def wait_until(is_over: Callable[[], bool], what: str) -> None:
    """Look now and then until it is over. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_over():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} took longer than {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.5)


def _row(*cells: object) -> None:
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def _times(measured: Measured, *kinds: str) -> tuple[str, ...]:
    return tuple(f"{measured.percentile(share, *kinds):.0f}" for share in (0.5, 0.95, 0.99))


def steps(run: Run) -> None:
    """More and more callers."""
    counts = [int(number) for number in run.options.steps.split(",")]
    stages = [Stage(users, SETTLE_SECONDS, run.options.seconds) for users in counts]
    print("\n| callers | answers/s | p50 ms | p95 ms | p99 ms | turned away | after ms (p95) | faults |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    found: list[Measured] = []
    with callers(run.site.port, run.access, stages) as process:
        for measured in process:
            found.append(measured)
            refused = Measured(0, ms={"": measured.refused}).percentile(0.95)
            shares = (f"{measured.refused_share:.1%}", f"{refused:.0f}" if measured.refused else "—")
            _row(measured.users, f"{measured.rate:.1f}", *_times(measured), *shares, measured.faults.total())
            run.check(measured)
    at, most = knee(found), max(found, key=lambda one: one.rate)
    said = f"{at.users} callers, {at.rate:.1f} answers/s" if at else "before the first step"
    print(f"\nThe knee (p95 below {KNEE_MS:.0f} ms, less than {KNEE_REFUSED:.0%} turned away): {said}.")
    print(f"The most that was answered: {most.rate:.1f}/s, to {most.users} callers.\n")
    shown = at or found[0]
    print(f"| of {shown.users} callers | answers | p50 ms | p95 ms | p99 ms |\n|---|---:|---:|---:|---:|")
    for kind in sorted(shown.ms):
        _row(kind, len(shown.ms[kind]), *_times(shown, kind))
    wait_until(lambda: waiting() == 0, "emptying the queue")


def backlog(run: Run) -> None:
    """Many images wait while people look at pages."""
    people = ("Browsing",)
    with callers(run.site.port, run.access, [Stage(PEOPLE, SETTLE_SECONDS, IDLE_SECONDS)], people) as process:
        (idle,) = process
    merchant, count = add_backlog(run.options.backlog), run.options.backlog
    wait_until(lambda: waiting(merchant) < count, "the first image")
    left, began = waiting(merchant), time.monotonic()
    wait_until(lambda: waiting(merchant) < count * (1 - LONE_SHARE), "the worker alone")
    lone = (left - waiting(merchant)) / (time.monotonic() - began)
    with callers(run.site.port, run.access, [Stage(PEOPLE, SETTLE_SECONDS, 0)], people) as process:
        time.sleep(SETTLE_SECONDS)
        left, began = waiting(merchant), time.monotonic()
        wait_until(lambda: waiting(merchant) == 0, "the backlog")
        beside = left / (time.monotonic() - began)
        process.end()
        (busy,) = process
    slower = busy.percentile(0.95, "page") / idle.percentile(0.95, "page")
    print(f"\n| {count} images, {PEOPLE} people who look at pages | |\n|---|---:|")
    _row("images/s, the worker alone", f"{lone:.1f}")
    _row("images/s, beside the people", f"{beside:.1f} ({beside / lone:.0%})")
    _row("pages p50, p95, p99 ms, nothing to classify", ", ".join(_times(idle, "page")))
    _row("pages p50, p95, p99 ms, beside the backlog", f"{', '.join(_times(busy, 'page'))} (p95 × {slower:.1f})")
    _row("answers/s without and beside", f"{idle.rate:.1f}, {busy.rate:.1f}")
    run.check(idle)
    run.check(busy)
    if beside < LEAST_DRAIN * lone:
        run.faults.append(f"the backlog went at {beside / lone:.0%} of the lone speed")
    if not slower < MOST_SLOWER:
        run.faults.append(f"the pages' p95 was {slower:.1f} times the idle one")


def resident_megabytes(pid: int) -> float:
    """The memory of a process that is in use now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def memory(run: Run) -> None:
    """Some callers of each kind, for long."""
    seconds = 60.0 * run.options.minutes
    seen: dict[str, list[float]] = {"web": [], "worker": []}
    pids = run.site.pids()
    with callers(run.site.port, run.access, [Stage(CALLERS, SETTLE_SECONDS, seconds)]) as process:
        until = time.monotonic() + SETTLE_SECONDS + seconds
        while time.monotonic() < until:
            for kind, found in seen.items():
                found.append(resident_megabytes(pids[kind][0]))
            time.sleep(LOOK_SECONDS)
        (measured,) = process
    run.check(measured)
    print(f"\n| {CALLERS} callers, {run.options.minutes:g} minutes, {len(measured.times())} answers | MB | | | |")
    print("|---|---:|---:|---:|---:|\n| quarter | first | second | third | last |")
    for kind, found in seen.items():
        quarters = _quarters(found)
        _row(kind, *(f"{quarter:.0f}" for quarter in quarters))
        if quarters[3] > GROWTH_SHARE * quarters[1] + GROWTH_MB:
            run.faults.append(f"the {kind} grew from {quarters[1]:.0f} to {quarters[3]:.0f} MB")
    wait_until(lambda: waiting() == 0, "emptying the queue")


def _quarters(found: Sequence[float]) -> list[float]:
    size = max(1, len(found) // 4)
    return [statistics.median(found[start : start + size]) for start in range(0, 4 * size, size)]


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--steps", default="5,10,20,40,80,160,320", help="callers in each step")
    parser.add_argument("--seconds", type=float, default=40.0, help="of a step, without the time to settle")
    parser.add_argument("--backlog", type=int, default=10_000, help="images")
    parser.add_argument("--minutes", type=float, default=30.0, help="while memory is watched")
    parser.add_argument("--only", choices=PARTS, nargs="*", default=PARTS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(128 + signal.SIGTERM))  # what runs is ended on the way
    with tempfile.TemporaryDirectory(prefix="otjang-load-") as name:
        folder = Path(name)
        access = prepare(folder, options.products)
        from django.db import connections

        try:
            site = Site(folder, workers=1)
            run = Run(site, access, options)
            with site.running():
                wait_until(site.is_complete, "the start")
                time.sleep(SETTLE_SECONDS)
                for part in options.only:
                    {"steps": steps, "backlog": backlog, "memory": memory}[part](run)
                if site.log.stat().st_size > 0:
                    said = site.log.read_text(errors="replace").splitlines()
                    run.faults += [line for line in said if "Traceback" in line or "it starts again" in line]
        finally:
            connections.close_all()
    for fault in run.faults:
        print(fault)
    return 1 if run.faults else 0


if __name__ == "__main__":
    sys.exit(main())
