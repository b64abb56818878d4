#!/usr/bin/env python
"""Fuzz the API: schemathesis with all its checks against the running site, until it has sent enough cases.

Runs a private site: its own MariaDB, the web process and a worker under the supervisor. Two merchants have products
with real images; schemathesis sends requests as the first, and asks for what it finds as the second, too. Passes with
other seeds follow each other until the number of cases is reached. Prints what was found and exits with 1 for anything
that a check found, for an error in the site's log, and where the time was over before the cases were.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bulk_site import Browser, image, site_with, wait_for
from benchmarks.fuzz_data import ANSWERS, Access, open_merchant, write_settings
from benchmarks.fuzz_receiver import receiving
from benchmarks.kill import ROOT

SMALLEST_PASS_SECONDS = 20  # a pass that would have less is not begun
IMAGES = 4  # of each merchant, two a product
UNBOUNDED = {
    "API_RATE": "1000000/min",
    "API_ANONYMOUS_RATE": "1000000/min",
    "OTJANG_CLASSIFY_MAX_OPEN": "1000",
    "OTJANG_OUTGOING_ALLOWED": "127.0.0.1",
}


@dataclass
class Found:
    """What the passes said."""

    cases: int = 0
    passes: int = 0
    seconds: float = 0.0
    failures: collections.Counter[str] = field(default_factory=collections.Counter)
    operations: int = 0

    def add(self, report: dict[str, Any]) -> None:
        """Count one pass."""
        self.passes += 1
        self.cases += report["test_cases"]["generated"]
        self.operations = max(self.operations, (report["operations"] or {}).get("tested", 0))
        for failure in report["failures"]:
            for operation in failure["operations"]:
                self.failures[f"{failure['title']}: {operation}"] += failure["count"]
        for error in report["errors"]:
            self.failures[error["title"]] += error["count"]

    def tell(self) -> None:
        """Print the figures, then what failed."""
        print(f"cases: {self.cases} in {self.passes} passes, {self.seconds:.0f} seconds; operations: {self.operations}")
        for what, count in sorted(self.failures.items()):
            print(f"  {count:5} {what}")


@dataclass
class Fuzz:
    """One run against one site."""

    folder: Path
    url: str
    browser: Browser
    first: Access
    second: Access
    arguments: argparse.Namespace
    found: Found = field(default_factory=Found)

    def run(self) -> None:
        """Send passes until there are enough cases or the time is over."""
        started = time.monotonic()
        until = started + self.arguments.seconds
        while self.found.cases < self.arguments.cases and until - time.monotonic() > SMALLEST_PASS_SECONDS:
            self._pass(self.arguments.seed + self.found.passes, int(until - time.monotonic()))
            self.found.seconds = time.monotonic() - started
            print(f"pass {self.found.passes}: {self.found.cases} cases so far", file=sys.stderr, flush=True)
            if self.found.failures and not self.arguments.go_on:
                break

    def _pass(self, seed: int, seconds: int) -> None:
        for access in (self.first, self.second):  # what passes before this one published or archived is of no use
            access.seed(Browser(self.browser.wire, "", access.key), [image() for _ in range(IMAGES)])
        if not self.found.passes:
            wait_for(lambda: not self.first.waits(self.browser), "the first classifications")
        self.first.draw_garments()
        report = self.folder / f"report-{seed}.json"
        settings = write_settings(self.folder, self.first, self.second)
        command = [
            sys.executable,
            "-m",
            "schemathesis.cli",
            "--config-file",
            str(settings),
            "run",
            f"{self.url}/schema",
        ]
        command += ["--seed", str(seed), "--max-examples", str(self.arguments.examples), "--continue-on-failure"]
        command += ["--report-json-path", str(report), "--no-color", "--workers", str(self.arguments.workers)]
        for only in self.arguments.only:
            command += ["--include-operation-id-regex", only]
        output = self.folder / f"output-{seed}.txt"
        variables = os.environ | {"FUZZ_FOLDER": str(self.folder)}
        with output.open("wb") as file:
            process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.terminate()  # it then writes what it has
                process.wait()
        if not report.exists():
            self.found.failures["schemathesis ended without a report"] += 1
        else:
            self.found.add(json.loads(report.read_text()))
        if process.returncode not in (0, -15):
            sys.stdout.write(output.read_text())


def _answers(folder: Path) -> list[str]:
    """One line an operation: how many answers of which status it gave."""
    found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for line in (folder / ANSWERS).read_text().splitlines():
        status, _space, operation = line.partition(" ")
        if status != "405":  # of methods that no operation has
            found[operation][status] += 1
    return [
        f"{operation}: " + ", ".join(f"{status} × {count}" for status, count in sorted(counts.items()))
        for operation, counts in sorted(found.items())
    ]


def _errors_in(log: Path) -> int:
    """How many errors the site's processes wrote of."""
    return sum("Traceback" in line or line.startswith("ERROR") for line in log.read_text().splitlines())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10_000, help="how many to send at least")
    parser.add_argument("--seconds", type=int, default=3600, help="how long to go on at most")
    parser.add_argument("--seed", type=int, default=20261127, help="of the first pass; the next ones count up")
    parser.add_argument("--examples", type=int, default=40, help="for each operation in each phase of a pass")
    parser.add_argument("--workers", type=int, default=2, help="requests at once")
    parser.add_argument("--only", action="append", default=[], help="operations, by a pattern of their ids; repeatable")
    parser.add_argument("--go-on", action="store_true", help="after a pass that found something, too")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or the site would go on
    os.environ |= UNBOUNDED
    with receiving() as address, tempfile.TemporaryDirectory(prefix="otjang-fuzz-") as name:
        os.environ["FUZZ_RECEIVER"] = address
        folder = Path(name)
        with site_with(folder, 0) as (site, browser, _merchant):
            first, second = Access(browser.key), open_merchant()
            fuzz = Fuzz(folder, f"http://127.0.0.1:{site.port}/api/v1", browser, first, second, arguments)
            fuzz.run()
            errors = _errors_in(site.log)
            if errors:
                fuzz.found.failures["errors in the site's log"] = errors
                print(site.log.read_text()[-20_000:])
        print(*_answers(folder), sep="\n")
        fuzz.found.tell()
    if fuzz.found.cases < arguments.cases:
        print(f"only {fuzz.found.cases} of {arguments.cases} cases were sent")
        return 1
    return 1 if fuzz.found.failures else 0


if __name__ == "__main__":
    sys.exit(main())
