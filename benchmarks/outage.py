#!/usr/bin/env python
"""Upload while the database goes away and processes are killed, again and again; then count what was lost or doubled.

Starts a private MariaDB, the web process and two workers under the supervisor, and clients that upload by the API and
the portal as careful ones do: they try again until they are told what became of their images. Meanwhile the database is
restarted, crashed and loses its connections, processes get SIGKILL, and uploads are cut in the middle. At the end all
that clients were told is compared with the database and the files. Prints a table of what was done and one of what must
be zero; exits with 1 if anything is not, or if nothing was broken off that had to be taken over.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.outage_book import Book
from benchmarks.outage_clients import ApiClient, Client, Cutter, Portal
from benchmarks.outage_http import Observed, Wire
from benchmarks.outage_site import PATIENCE_SECONDS, Database, Site, configure
from benchmarks.outage_trouble import FULL, QUICK, SLOW_CONNECTIONS, Plan, Trouble

if TYPE_CHECKING:
    from benchmarks.outage_audit import Audit

HEALTH_SECONDS = 1.0
TAKE_OVER_SECONDS = 20.0
DRAIN_SECONDS = 900.0
ENOUGH_SECONDS = 600.0
LOSING = 0.06  # share of uploads whose answer gets lost on the way
# What clients and the troublemaker count under these names; whatever else they count is printed as well.
SEEN_ON_THE_WAY = (
    "answers 500",
    "answers 503 without Retry-After",
    "answers under /api/ that are not JSON",
    "answers other than 503 while the database was away",
    "answers that no client expects",
    "processes that did not come back",
    "SKUs of uploads that broke off still taken",
    "broken off uploads that were accepted",
    "good images refused",
    "uploads said to be there that are not whole",
)


class Watcher(threading.Thread):
    """Sees how many uploaded images wait for workers, whenever the database answers."""

    def __init__(self, book: Book) -> None:
        super().__init__(name="watcher", daemon=True)
        self.book = book
        self.over = threading.Event()

    def run(self) -> None:
        """Look every half a second."""
        from django.db import DatabaseError, connection

        from classifier.models import Classification

        while not self.over.wait(0.5):
            try:
                waiting = Classification.objects.filter(open_key__isnull=False, operation=None)
                self.book.waiting = waiting.count()
            except DatabaseError:
                connection.close()
        connection.close()


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until the condition holds; raises TimeoutError."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"{what} took longer than {seconds:.0f} s")
        time.sleep(0.2)


def nothing_waits() -> bool:
    """Whether every job has ended and counts."""
    from classifier.models import Classification

    return not Classification.objects.filter(applied_at=None).exists()


class MakesTrouble(Protocol):
    """What a proof does to the site."""

    chance: random.Random

    def make(self, step: str, seconds: float) -> None:
        """Do one thing to it."""


def go_through(steps: list[tuple[str, float]], trouble: MakesTrouble, book: Book) -> None:
    """Make all the trouble, in an order that chance decides, and say on stderr how long each took."""
    trouble.chance.shuffle(steps)
    for step, seconds in steps:
        began = time.monotonic()
        trouble.make(step, seconds)
        print(f"{step} {seconds or ''} {time.monotonic() - began:.1f} s, {book.waiting} wait", file=sys.stderr)
        time.sleep(trouble.chance.uniform(1, 4))


def upload_through(
    steps: list[tuple[str, float]],
    trouble: Trouble,
    clients: list[Client],
    book: Book,
    is_enough: Callable[[], bool],
    is_over: Callable[[], bool] = nothing_waits,
) -> None:
    """Let the clients upload while the trouble goes on; returns when they and the workers are done.

    Args:
        steps: of the trouble, in any order.
        trouble: makes them.
        clients: not yet started.
        book: of what they send.
        is_enough: says, after the last step, whether they may end.
        is_over: says whether the workers are done.
    """
    from django.db import connection

    wait_for(trouble.site.is_complete, PATIENCE_SECONDS, "the start")
    trouble.await_health()
    watcher = Watcher(book)
    for thread in (watcher, *clients):
        thread.start()
    time.sleep(12)  # whoever has run for ten seconds may fail as often as it likes
    go_through(steps, trouble, book)
    wait_for(is_enough, ENOUGH_SECONDS, "uploading enough")
    for client in clients:
        client.stop()
    for client in clients:
        client.join()
    connection.close()
    wait_for(is_over, DRAIN_SECONDS, "emptying the queue")
    wait_for(trouble.site.is_complete, PATIENCE_SECONDS, "the return of every process")
    watcher.over.set()
    watcher.join()


def done_table(plan: Plan, trouble: Trouble, clients: list[Client], book: Book, found: Audit) -> dict[str, object]:
    """What was done, and figures that may be anything."""
    observed, kills = trouble.wire.observed, trouble.site.kills
    away = ", ".join(f"{seconds:g}" for seconds in plan.outages)
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(observed.answers.items()))
    back = [kill.seconds or 0.0 for kill in kills]
    return {
        "clients: API, portal, on a bad line": "{}, {}, {}".format(
            *(sum(type(client) is kind for client in clients) for kind in (ApiClient, Portal, Cutter))
        ),
        "uploads: API, portal": ", ".join(
            str(sum(sent.channel == channel for sent in book.sent)) for channel in ("api", "portal")
        ),
        "attempts of which the answer was lost": sum(sent.lost for sent in book.sent),
        "database away for (s)": f"{away}; every third time by SIGKILL",
        "database connections killed": trouble.connections_killed,
        "SIGKILL to the web process, to workers": ", ".join(
            str(sum(kill.kind == kind for kill in kills)) for kind in ("web", "worker")
        ),
        "longest until the killed process ran again": f"{max(back):.1f} s",
        "connections cut in the middle of a body by FIN, by RST": f"{book.cuts.count('FIN')}, {book.cuts.count('RST')}",
        "answers": answers,
        "of them asked for while the database was away": trouble.refusals,
        f"healthz beside {SLOW_CONNECTIONS} slow connections, longest of {len(trouble.health)}": (
            f"{1000 * max(trouble.health):.0f} ms"
        ),
        "jobs of killed workers taken over": len(trouble.taken_over),
        "longest until such a job was taken from the dead worker": f"{max(trouble.taken_over, default=0):.1f} s",
        "longest until the first of a worker's was looked at again": f"{max(trouble.first_in_hand, default=0):.1f} s",
        "longest until the last was, one by one": f"{max(trouble.last_in_hand, default=0):.1f} s",
        **found.figures,
    }


def zero_table(trouble: Trouble, clients: list[Client], found: Audit) -> dict[str, int]:
    """What must be zero."""
    observed = trouble.wire.observed
    log = trouble.site.log.read_text(errors="replace")
    killed = sum("ended with -9; it starts again" in line for line in log.splitlines())
    ended = log.count("it starts again")
    late = {
        f"health answers over {HEALTH_SECONDS:g} s": (trouble.health, HEALTH_SECONDS),
        f"jobs of killed workers taken over after {TAKE_OVER_SECONDS:g} s": (trouble.taken_over, TAKE_OVER_SECONDS),
    }
    return {
        **found.faults,
        **dict.fromkeys(SEEN_ON_THE_WAY, 0),
        **observed.faults,
        "uploads that no retry brought through": sum(client.gave_up for client in clients),
        **{name: sum(one > limit for one in seconds) for name, (seconds, limit) in late.items() if seconds},
        "processes that ended on their own": ended - killed - trouble.site.drained,
        "kills that the supervisor did not see": abs(len(trouble.site.kills) - killed),
    }


def tell(title: str, done: dict[str, object], trouble: Trouble, clients: list[Client], found: Audit) -> bool:
    """Print what was done and what must be zero, and whatever is not on stderr; says whether all is well."""
    faults = zero_table(trouble, clients, found)
    print(f"| {title} | |\n|---|---|")
    for name, figure in done.items():
        print(f"| {name} | {figure} |")
    print("\n| must be zero | |\n|---|---|")
    for name, count in faults.items():
        print(f"| {name} | {count} |")
    for name, example in (found.examples | trouble.wire.observed.examples).items():
        print(f"{name}: {example}", file=sys.stderr)
    for client in clients:
        if client.error is not None:
            print(f"{client.name} broke off: {client.error!r}", file=sys.stderr)
    return not (any(faults.values()) or any(client.error for client in clients))


def prove(folder: Path, plan: Plan, seed: int) -> int:
    """Run it in `folder`; returns the exit status."""
    database = Database(folder)
    database.start()
    began = time.monotonic()
    try:
        access = configure(folder, database)
        from benchmarks.outage_audit import Audit, audit

        site, book = Site(folder), Book(seed)
        observed = Observed()
        trouble = Trouble(database, site, Wire(site.port, observed), access, random.Random(seed))
        wire = Wire(site.port, observed, LOSING)
        clients: list[Client] = [ApiClient(number, wire, book, access) for number in range(3)]
        clients += [Portal(number, wire, book, access) for number in range(2)]
        clients.append(Cutter(0, wire, book, access, plan.cuts))
        with site.running():
            upload_through(plan.steps, trouble, clients, book, lambda: len(book.cuts) >= plan.cuts)
        found = Audit()
        audit(book, found)
        title = f"outage proof, seed {seed}, {time.monotonic() - began:.0f} s"
        well = tell(title, done_table(plan, trouble, clients, book, found), trouble, clients, found)
        return 0 if well and trouble.taken_over else 1
    finally:
        from django.db import connections

        connections.close_all()
        database.stop()


@contextmanager
def folder_of(proof: str, log: Path | None) -> Iterator[Path]:
    """A folder for a proof; what the site's processes wrote there is kept as `log`, however the proof ends."""
    with tempfile.TemporaryDirectory(prefix=f"otjang-{proof}-") as name:
        folder = Path(name)
        try:
            yield folder
        finally:
            if log and (written := folder / "site.log").exists():
                shutil.copy(written, log)


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the order of events, and of the photos")
    parser.add_argument("--quick", action="store_true", help="about a minute, with fewer kills")
    parser.add_argument("--log", type=Path, help="keep here what the site's processes wrote")
    arguments = parser.parse_args()
    with folder_of("outage", arguments.log) as folder:
        return prove(folder, QUICK if arguments.quick else FULL, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
