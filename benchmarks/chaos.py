#!/usr/bin/env python
"""Kill, stop, fill, slow down and mislead a site under load at every point of its work; then see that nothing is wrong.

Starts what the outage proof starts, on a small disk of its own, with processes that can be told to end at a named
point (`chaos_process`). Besides uploads by API and portal, with and without an Idempotency-Key, a service decides
values and the catalogue is classified again. At the end all that clients were told is compared with the database and
the files, and `manage.py audit_data` looks for itself. Exits with 1 if anything is not as it must be.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.chaos_clients import Decider, KeyedClient, Poisoner
from benchmarks.chaos_site import ChaosSite, Disk, configure_chaos
from benchmarks.chaos_trouble import Chaos, ChaosPlan
from benchmarks.outage import LOSING, folder_of, nothing_waits, tell, upload_through
from benchmarks.outage_book import Book, Told
from benchmarks.outage_clients import ApiClient, Client, Portal
from benchmarks.outage_http import Observed, Wire
from benchmarks.outage_site import Database

if TYPE_CHECKING:
    from benchmarks.outage_audit import Audit

# What clients and the troublemaker count under these names, beside those of the outage proof.
SEEN_ON_THE_WAY = (
    "points that no process came to",
    "images that a worker that was asked to end has left",
    "processes that did not end within a minute of SIGTERM",
    "keyed requests that were not answered as the first time",
    "decisions refused",
)

FULL = ChaosPlan(
    rounds=2,
    web_rounds=2,
    poisons=2,
    outages=(2, 2, 20, 2, 5, 2, 2),
    lost_connections=3,
    full=3,
    slow=2,
    failing=3,
    clocks=1,
    drains=3,
    images=2000,
)
QUICK = ChaosPlan(
    rounds=1,
    web_rounds=1,
    poisons=1,
    outages=(2, 2),
    lost_connections=1,
    full=1,
    slow=1,
    failing=1,
    clocks=1,
    drains=1,
    images=200,
)


def acknowledged(book: Book) -> int:
    """How many images clients know to be stored."""
    return sum(told is Told.STORED for sent in list(book.sent) for told in list(sent.told.values()))


def is_over() -> bool:
    """Whether workers are done, with long operations too."""
    from accounts.models import Operation

    return nothing_waits() and not Operation.objects.filter(finished_at=None).exists()


def disturbances(trouble: Chaos) -> int:
    """How many kills, restarts and outages there were."""
    return (
        len(trouble.site.kills)
        + trouble.site.drained
        + sum(trouble.made[step] for step in ("outage", "crash", "connections", "full", "slow disk", "failing disk"))
    )


def done_table(trouble: Chaos, clients: list[Client], book: Book, decider: Decider, found: Audit) -> dict[str, object]:
    """What was done, and figures that may be anything."""
    kills, made = trouble.site.kills, trouble.made
    points = Counter(one.point for one in trouble.orders.killed())
    clocks = sum(times for step, times in made.items() if step.startswith("clock"))
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(trouble.wire.observed.answers.items()))
    full = f"{made['full']}; {trouble.full_answers} × 503" if trouble.disk.is_own else "0: mounting needs root"
    return {
        "clients: API, API with keys, portal, deciding": ", ".join(
            str(sum(type(client) is kind for client in clients)) for kind in (ApiClient, KeyedClient, Portal, Decider)
        ),
        "kills, restarts and outages": disturbances(trouble),
        "SIGKILL to the web process, to workers": ", ".join(
            str(sum(kill.kind == kind for kill in kills)) for kind in ("web", "worker")
        ),
        **{f"of them {point}": times for point, times in sorted(points.items())},
        "SIGTERM": trouble.site.drained,
        "database stopped, killed, connections killed": (
            f"{made['outage']}, {made['crash']}, {trouble.connections_killed}"
        ),
        "disk full; uploads put off meanwhile": full,
        "disk slow, failing": f"{made['slow disk']}, {made['failing disk']}",
        "clocks wrong by a day and more": clocks,
        "images done while poison was tried": trouble.beside_poison,
        "longest until the killed process ran again": f"{max(kill.seconds or 0.0 for kill in kills):.1f} s",
        "answers": answers,
        **found.figures,
    }


def prove(folder: Path, plan: ChaosPlan, seed: int, most: int | None) -> int:
    """Run it in `folder`, or only `most` of its steps; returns the exit status."""
    database, disk = Database(folder), Disk(folder / "disk")
    database.start()
    began = time.monotonic()
    try:
        with disk.mounted():
            access, orders = configure_chaos(folder, disk, database)
            from benchmarks import chaos_audit
            from benchmarks.outage_audit import Audit, audit

            site, book, observed = ChaosSite(folder, orders=orders), Book(seed), Observed()
            observed.faults.update(dict.fromkeys(SEEN_ON_THE_WAY, 0))
            wire = Wire(site.port, observed, LOSING)
            poisoner, decider = Poisoner(0, wire, book, access), Decider(0, wire, book, access)
            steady = Wire(site.port, observed)
            trouble = Chaos(
                database, site, steady, access, random.Random(seed), orders=orders, disk=disk, poisoner=poisoner
            )
            clients: list[Client] = [kind(n, wire, book, access) for kind in (ApiClient, KeyedClient) for n in range(3)]
            clients += [*(Portal(number, wire, book, access) for number in range(2)), decider]
            with site.running():
                steps = trouble.chance.sample(plan.steps, most or len(plan.steps))
                upload_through(steps, trouble, clients, book, lambda: acknowledged(book) >= plan.images, is_over)
                site.note_kills()
            found = Audit()
            chaos_audit.audit_data(found)  # before the sweeps, which the next one makes: as operators find it
            audit(book, found)
            chaos_audit.audit_poison(found, trouble.poisoned)
            chaos_audit.audit_decisions(found, decider.decided)
            chaos_audit.audit_operations(found)
            title = f"chaos proof, seed {seed}, {time.monotonic() - began:.0f} s"
            done = done_table(trouble, clients, book, decider, found)
            return 0 if tell(title, done, trouble, clients, found) else 1
    finally:
        from django.db import connections

        connections.close_all()
        database.stop()


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of the order of events, and of the photos")
    parser.add_argument("--quick", action="store_true", help="some minutes, with fewer kills and 200 images")
    parser.add_argument("--steps", type=int, help="only so many of them, to try it")
    parser.add_argument("--log", type=Path, help="keep here what the site's processes wrote")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all that it started ends with it
    with folder_of("chaos", arguments.log) as folder:
        return prove(folder, QUICK if arguments.quick else FULL, arguments.seed, arguments.steps)


if __name__ == "__main__":
    sys.exit(main())
