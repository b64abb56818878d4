#!/usr/bin/env python
"""Send more than 400 bad images into a site that runs, by every way in, and measure what each costs.

Real processes on a MariaDB of their own: a web process and a worker with the shipped weights. Each image of
tests/support/bad_images.py goes through the portal, the API, /classify (where the worker decodes what was sent itself),
the import of ZIP files and `manage.py classify`. Each has to be stored or refused by a code, the same everywhere,
without an answer of 5xx, and web process and worker have to stay below the memory that is stated here. Afterwards every
list, page and file is opened, and `manage.py audit_data` has to find nothing.

    python benchmarks/bad_images.py               # all of them: about a quarter of an hour on two cores
    python benchmarks/bad_images.py --every 20    # a sample: two minutes
    python benchmarks/bad_images.py --only '^(large|strip|over)'    # those that take the most memory
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bad_image_sends import Said, Sender, classified, command_line, peaks
from benchmarks.bulk_site import seconds_to_result, site_with, wait_for
from benchmarks.kill import ROOT
from tests.support.bad_images import TAKEN, BadImage, corpus

MOST_WEB_MB = 400
MOST_WORKER_MB = 1_200
MOST_SECONDS = 30.0  # for one image, by all the ways in
PER_IMPORT = 20
CHANNELS = ("portal", "api", "classify")


@dataclass
class Proof:
    """What was found."""

    said: list[Said] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    figures: dict[str, object] = field(default_factory=dict)

    def fault(self, what: str, example: str) -> None:
        """Count something that must not be, and keep the first example."""
        self.faults[what] += 1
        self.examples.setdefault(what, example)


def send_each(sender: Sender, proof: Proof, some: Iterable[BadImage]) -> None:
    """Send each image by the portal, the API and /classify."""
    for bad in some:
        data = bad.make()
        said = Said(bad, len(data))
        started = time.monotonic()
        with peaks(sender.site, said.peaks):
            for channel in CHANNELS:
                try:
                    said.by_channel[channel] = getattr(sender, channel)(bad, data)
                except (OSError, HTTPException) as error:
                    said.by_channel[channel] = f"no answer: {error!r}"
        said.seconds = time.monotonic() - started
        proof.said.append(said)


def import_all(sender: Sender, proof: Proof) -> None:
    """Send them in ZIP files, some at a time, and note the most memory of web process and worker for each of these."""
    most: dict[str, float] = {}
    for first in range(0, len(proof.said), PER_IMPORT):
        some = {f"BAD{number}": said for number, said in enumerate(proof.said[first : first + PER_IMPORT], first)}
        found: dict[str, float] = {}
        with peaks(sender.site, found):
            answers = sender.imported({name: said.bad.make() for name, said in some.items()})
        most = {kind: max(value, most.get(kind, 0)) for kind, value in found.items()}
        for name, said in some.items():
            said.by_channel["import"] = answers[name]
    _note_memory(proof, "import of 20", most)


def by_command_line(folder: Path, proof: Proof) -> None:
    """Give them to `manage.py classify` in one folder."""
    folder.mkdir()
    for number, said in enumerate(proof.said):
        (folder / f"{number}.jpg").write_bytes(said.bad.make())
    printed, status, megabytes = command_line(folder, "classify", str(folder), "--format", "jsonl")
    found = classified(printed)
    for number, said in enumerate(proof.said):
        said.by_channel["command"] = found.get(f"{number}.jpg", "no line")
    proof.figures["manage.py classify: status, MB"] = f"{status}, {megabytes:.0f}"
    if status not in {0, 1} or megabytes > MOST_WORKER_MB:
        proof.fault("command lines that failed or took too much memory", f"{status}, {megabytes:.0f} MB")


def _note_memory(proof: Proof, what: str, most: dict[str, float]) -> None:
    proof.figures[f"{what}: most memory of web, worker, MB"] = f"{most['web']:.0f}, {most['worker']:.0f}"
    for kind, limit in (("web", MOST_WEB_MB), ("worker", MOST_WORKER_MB)):
        if most[kind] > limit:
            proof.fault(f"{kind} over {limit} MB", f"{what}: {most[kind]:.0f} MB")


def judge(proof: Proof) -> None:
    """Compare what was said of each image."""
    from catalog.upload_validation import SENTENCES

    codes = {*SENTENCES, TAKEN}
    for said in proof.said:
        shown = f"{said.bad.name}: {said.by_channel}"
        if set(said.by_channel.values()) - codes:
            proof.fault("answers that are neither success nor a code", shown)
        if len(set(said.by_channel.values())) > 1:
            proof.fault("images of which the ways in say different things", shown)
        if said.bad.expected and said.by_channel["api"] != said.bad.expected:
            proof.fault("images with another answer than expected", f"{shown}, not {said.bad.expected}")
        if said.seconds > MOST_SECONDS:
            proof.fault(f"images that took over {MOST_SECONDS:.0f} s", f"{shown}: {said.seconds:.0f} s")
        for kind, limit in (("web", MOST_WEB_MB), ("worker", MOST_WORKER_MB)):
            if said.peaks.get(kind, 0) > limit:
                proof.fault(f"{kind} over {limit} MB", f"{said.bad.name}: {said.peaks[kind]:.0f} MB")


def open_everything(sender: Sender, proof: Proof) -> None:
    """Open every list, page and file, as a member, a program and an administrator."""
    from django.test import Client

    from accounts.models import User
    from tests.support import bad_image_pages as pages

    staff = Client()
    staff.force_login(User.objects.create_superuser("staff@example.com", "staff-staff-staff"))
    sessions = {"portal": sender.browser.session, "admin": staff.cookies["sessionid"].value}
    opened = 0
    for address, session in _addresses(pages, sessions):
        answer = sender.browser.wire.ask("GET", address, b"", session)
        opened += 1
        if answer.status != 200:
            proof.fault("pages and files that do not open afterwards", f"{address}: {answer.status}")
    proof.figures["pages and files opened afterwards"] = opened


def _addresses(pages: object, sessions: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    for name, session in sessions.items():
        for address in getattr(pages, f"{name}_pages")():
            yield address, {"Cookie": f"sessionid={session}"}
    for name in ("api_pages", "files"):
        for address in getattr(pages, name)():
            yield address, {"Cookie": f"sessionid={sessions['portal']}"}


def prove(folder: Path, some: Iterable[BadImage], proof: Proof) -> None:
    """Run it."""
    with site_with(folder, 0) as (site, browser, _merchant):
        from catalog.models import Product

        wait_for(site.is_complete, "the site")
        seconds_to_result(browser)  # the worker has loaded its networks
        sender = Sender(site, browser)
        send_each(sender, proof, some)
        import_all(sender, proof)
        waiting = Product.objects.filter(status=Product.Status.CLASSIFYING)
        proof.figures["seconds until all were classified"] = round(wait_for(lambda: not waiting.exists(), "the queue"))
        open_everything(sender, proof)
        by_command_line(folder / "bad", proof)
        audit = subprocess.run(
            [sys.executable, "manage.py", "audit_data"], cwd=ROOT, env=os.environ, capture_output=True, text=True
        )
        if audit.returncode:
            proof.fault("what audit_data found", audit.stdout[:300])
        for status, count in browser.wire.observed.answers.items():
            proof.figures[f"answers {status}"] = count
        if sum(count for status, count in browser.wire.observed.answers.items() if status >= 500):
            proof.fault("answers of 5xx", str(browser.wire.observed.examples))
    judge(proof)


def report(proof: Proof) -> int:
    """Print what came of it; returns the exit status."""
    print(f"| {len(proof.said)} bad images | |\n|---|---|")
    for channel in (*CHANNELS, "import", "command"):
        counts = Counter(said.by_channel.get(channel, "not sent") for said in proof.said)
        print(f"| {channel} | {', '.join(f'{count} {code}' for code, count in counts.most_common())} |")
    for kind, limit in (("web", MOST_WEB_MB), ("worker", MOST_WORKER_MB)):
        most = sorted(proof.said, key=lambda said: -said.peaks.get(kind, 0))[:5]
        shown = ", ".join(f"{said.bad.name} {said.peaks.get(kind, 0):.0f}" for said in most)
        print(f"| {kind}: most memory for one image, MB (bound {limit}) | {shown} |")
    slowest = sorted(proof.said, key=lambda said: -said.seconds)[:5]
    print(f"| slowest, seconds | {', '.join(f'{said.bad.name} {said.seconds:.1f}' for said in slowest)} |")
    for name, figure in proof.figures.items():
        print(f"| {name} | {figure} |")
    print(f"| load of the machine at the end, cores | {os.getloadavg()[0]:.1f}, {os.cpu_count()} |")
    print("\n| must be zero | |\n|---|---|")
    for what, count in proof.faults.items():
        print(f"| {what} | {count}: {proof.examples[what]} |")
    print(f"| faults | {sum(proof.faults.values())} |")
    return 1 if proof.faults else 0


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="send only every so many-th image")
    parser.add_argument("--only", default="", metavar="REGEX", help="only images whose name this is found in")
    arguments = parser.parse_args()
    some = [bad for bad in corpus() if re.search(arguments.only, bad.name)]
    proof = Proof()
    with tempfile.TemporaryDirectory(prefix="otjang-bad-") as folder:
        prove(Path(folder), some[:: arguments.every], proof)
    return report(proof)


if __name__ == "__main__":
    sys.exit(main())
