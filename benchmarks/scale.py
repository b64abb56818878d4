#!/usr/bin/env python
"""What runs beside the lists at a million products: queue, sweeps, the review, figures of quality, exports, the audit.

Fills an empty database (`list_rows`, `admin_rows`), or takes one that is filled. Each piece of work runs in a
transaction that is taken back, so that the rows stay as they are. Its statements are looked at: a line is marked where
it takes longer than it may, or where a statement reads a large table from end to end; the plans of those are printed
below the table.

    MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/scale.py
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lists import command, member
from benchmarks.statements import Recorded, recorded, shown

TIMES = 10
WAITING = 2_000  # jobs, of one merchant
BATCHES = 20  # of exports and audits: each is behind the one before, so that all cost the same


@dataclass(frozen=True)
class Work:
    """Something that is done again and again: its name, what does it, and how many ms it may take."""

    name: str
    do: Callable[[], object]
    most: float


def _queue() -> Iterator[Work]:
    from benchmarks.list_rows import LARGE
    from classifier.jobs import operations, queue, spool, sweep

    yield Work("claim of 8 jobs", lambda: queue.claim(8), 20)
    yield Work("place of a new job", lambda: queue.place(LARGE, 0), 10)
    yield Work("age of the queue", queue.seconds_waited, 10)
    yield Work("leases that ended", queue.put_back_expired, 10)
    yield Work("sweep: jobs left over", sweep.apply_left_over, 20)
    yield Work("sweep: wake-ups", sweep.wake_for_waiting, 10)
    yield Work("sweep: long operations", operations.feed, 10)
    yield Work("sweep: requests without a product", spool.forget_expired, 10)


def _hourly() -> Iterator[Work]:
    from accounts.services import idempotency, result_files, sessions
    from catalog import files
    from catalog.services import bulk, closing, drafts, fetching, merchant_figures
    from catalog.services.imports import sending
    from classifier.jobs import sweep
    from webhooks import delivery, retention

    chores: dict[str, Callable[[], object]] = {
        "superseded predictions": lambda: sweep.prune_superseded(_some(1)),
        "repeatable requests": idempotency.prune,
        "drafts": drafts.delete_expired,
        "files": files.delete_due,
        "bulk operations": bulk.prune,
        "results": result_files.prune,
        "imports": sending.prune,
        "closed merchants": closing.remove_due,
        "deliveries": delivery.expire,
        "events": retention.prune,
        "fetched images": fetching.prune,
        "sessions": sessions.prune,
        "merchants' figures, one merchant": lambda: merchant_figures.count_changed(_some(1)),
    }
    for name, do in chores.items():
        yield Work(f"hourly: {name}", do, 5_000 if "one merchant" in name else 1_000)


def _some(number: int) -> Callable[[], bool]:
    """What work asks whether it goes on: so many times."""
    left = iter(range(number))
    return lambda: next(left, None) is not None


def _pages(client: Any) -> Iterator[Work]:
    from benchmarks.list_rows import LARGE
    from catalog.models import Product

    waits = Product.objects.filter(merchant=LARGE, status=Product.Status.TO_REVIEW).order_by("-pk")[1000].public_id
    pages = {
        "home": "/",
        "a product": f"/products/{waits}",
        "the review": "/review/",
        "the review, filtered": "/review/?category=Jacket",
        "an export's choice": "/products/export/?category=Jacket",
        "API, a product": f"/api/v1/products/{waits}",
        "API, jobs": "/api/v1/classifications",
        "API, operations": "/api/v1/operations",
    }
    for name, address in pages.items():
        yield Work(f"page: {name}", partial(_asked, client, address), 100)


def _asked(client: Any, address: str) -> None:
    response = client.get(address, follow=True)
    if response.status_code != 200:
        raise RuntimeError(f"{address}: {response.status_code}")


def _figures() -> Iterator[Work]:
    from benchmarks.list_rows import LARGE
    from classifier.quality.counting import Figures
    from classifier.quality.metrics import Period

    for weeks, merchant, name in ((1, None, "a week"), (12, None, "12 weeks"), (12, LARGE, "12 weeks, one merchant")):
        period = Period.last(weeks, merchant)
        yield Work(f"figures of quality, {name}", partial(Figures.count, period), 60_000)


def _walks() -> Iterator[Work]:
    from django.http import QueryDict

    from accounts.actors import Actor
    from accounts.channels import Channel
    from accounts.models import Membership
    from catalog.selectors import Taxonomy
    from catalog.services import exports
    from classifier.consistency import CHECKS

    membership = Membership.objects.get(user__email="lists@example.com")
    actor = Actor(channel=Channel.PORTAL, user=membership.user, merchant=membership.merchant, role=membership.role)
    taxonomy = Taxonomy.load()
    for query, name in (("", "all"), ("category=Jacket", "of a category"), ("q=코트", "by a word")):
        choice = exports.ExportChoice.parse(QueryDict(f"words=ko&{query}"), exports.Format.CSV, taxonomy)

        def export(choice: Any = choice) -> None:
            lines = exports.ExportLines(actor, choice)
            list(islice(lines.batches(), BATCHES))

        yield Work(f"export, {BATCHES} batches, {name}", export, 20_000)
    for check in CHECKS:
        if check.name == "files of images":
            continue  # asks the storage, which is empty here

        def audit(check: Any = check) -> None:
            list(islice(check.walk({kind.code for kind in check.kinds}), BATCHES))

        yield Work(f"audit, {BATCHES} batches: {check.name}", audit, 20_000)


def works() -> Iterator[Work]:
    """All that is measured."""
    yield from _queue()
    yield from _hourly()
    yield from _pages(member())
    yield from _figures()
    yield from _walks()


def let_wait() -> None:
    """Let the newest jobs wait again, within the transaction."""
    from django.db.models import CharField, Value
    from django.db.models.functions import Cast, Concat

    from classifier.models import Classification

    newest = list(Classification.objects.order_by("-pk").values_list("pk", flat=True)[:WAITING])
    key = Concat(Value("bench:"), Cast("pk", CharField()))
    waiting = {"state": "queued", "open_key": key, "attempts": 0, "started_at": None}
    Classification.objects.filter(pk__in=newest).update(**waiting, finished_at=None, applied_at=None)


def measure(work: Work, times: int) -> tuple[float, float, Recorded]:
    """Do it so many times, each in a transaction that is taken back; returns p50 and p95 in ms, and what was read."""
    from django.db import transaction

    took: list[float] = []
    for turn in range(times + 1):
        with transaction.atomic():
            if work.name.startswith(("claim", "place", "age", "sweep")):
                let_wait()
            before = time.perf_counter()
            if turn:
                work.do()
                took.append(1000 * (time.perf_counter() - before))
            else:  # the first one is not timed but looked at
                with recorded() as found:
                    work.do()
            transaction.set_rollback(True)
        if sum(took) > 30_000:
            break
    p95 = statistics.quantiles(took, n=20, method="inclusive")[-1] if len(took) > 1 else took[0]
    return statistics.median(took), p95, found


def run(count: int, times: int, only: str, *, fill: bool) -> int:
    """Fill, measure and print; returns the exit status."""
    from benchmarks import admin_rows, list_rows
    from catalog.services.taxonomy import load_taxonomy

    load_taxonomy()
    if fill:
        list_rows.fill(count)
        admin_rows.fill()
    print("| work | p50 ms | p95 ms | database ms | rows read | queries |\n|---|---:|---:|---:|---:|---:|")
    marked: list[tuple[str, list[str]]] = []
    for work in works():
        if not re.search(only, work.name):
            continue
        p50, p95, found = measure(work, times)
        scans = found.scans()
        bad = p95 > work.most or scans
        figures = (f"{p50:.0f}", f"{p95:.0f}", f"{found.ms:.0f}", f"{found.rows:,}", str(len(found.statements)))
        print(f"| {work.name}{' **' if bad else ''} | {' | '.join(figures)} |", flush=True)
        if bad:
            slowest = sorted(found.statements, key=lambda one: -one.rows)[:2]
            marked.append((work.name, list(shown(scans or slowest))))
    for name, lines in marked:
        print(f"\n{name}:\n" + "\n".join(lines))
    print(f"\nload {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    return int(bool(marked))


if __name__ == "__main__":
    sys.exit(command(__doc__, run))
