#!/usr/bin/env python
"""Publish and undo ten thousand products at once, while processes are killed and people use the pages; then count.

Runs a private site: its own MariaDB, the web process and a worker under the supervisor. Kills the worker twice and the
web process once in the middle of the publishing, the worker once more in the middle of the undo, and the web process
while it changes two hundred products in a request. One product is changed by hand before the undo, which must leave it
alone. Meanwhile the list and a product's page are asked for, and images are classified. Prints a table; exits with 1
if anything was lost, done twice or half, or not put back as it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bulk_site import Browser, Pages, kill, seconds_to_result, site_with, wait_for
from benchmarks.outage_site import Site

AT_ONCE = 200  # products that are changed in a request
ATTRIBUTES = 3
BASELINE_SECONDS = 30
LOOKS = 3  # images classified in each phase


def operation(public_id: str) -> Any:
    """Read an operation again."""
    from accounts.models import Operation

    return Operation.objects.get(public_id=public_id)


def dealt_with(public_id: str) -> int:
    """How many products an operation is done with."""
    found = operation(public_id)
    return int(found.done + found.failed)


def wait_until(public_id: str, count: float) -> None:
    """Wait until an operation is done with so many products."""
    wait_for(lambda: dealt_with(public_id) >= count, "the operation")


def snapshot(merchant: Any) -> dict[int, tuple[object, ...]]:
    """What pages show of each product, by its id."""
    from catalog.models import Product, ProductAttribute

    values: dict[int, list[tuple[object, ...]]] = {}
    rows = ProductAttribute.objects.filter(product__merchant=merchant).order_by("product", "attribute")
    for product, *said in rows.values_list("product", "attribute", "state", "value", "confidence").iterator():
        values.setdefault(product, []).append(tuple(said))
    fields = ("pk", "status", "top_category", "top_category_source", "certainty", "unclear", "published_at")
    found = Product.objects.filter(merchant=merchant).order_by().values_list(*fields).iterator()
    return {pk: (*said, *values.get(pk, ())) for pk, *said in found}


def start(browser: Browser, *parts: tuple[str, str, bytes]) -> str:
    """Start an operation by the portal; returns its public id."""
    answer = browser.ask("POST", "/products/bulk/start", *parts)
    if answer.status != 200:
        raise RuntimeError(f"could not start: {answer.status} {answer.body[:300]!r}")
    return str(answer.data["page"]).rpartition("/")[2]


def undo(browser: Browser, public_id: str) -> str:
    """Undo an operation by the portal; returns the public id of the undo."""
    answer = browser.ask("POST", f"/products/bulk/{public_id}/moves/undo", ("x", "", b""))
    if answer.status != 200:
        raise RuntimeError(f"could not undo: {answer.status} {answer.body[:300]!r}")
    return str(answer.data["page"]).rpartition("/")[2]


def kill_web_in_a_request(site: Site, browser: Browser, products: list[str]) -> str:
    """Kill the web process while it changes products in a request; returns the operation's public id."""
    from accounts.models import Operation

    def send() -> None:
        with suppress(OSError, HTTPException, RuntimeError):
            start(browser, ("action", "", b"archive"), *(("product", "", one.encode()) for one in products))

    thread = threading.Thread(target=send)
    thread.start()
    found = Operation.objects.filter(kind="bulk_archive", done__gt=0)
    wait_for(found.exists, "the request")
    kill(site, "web")
    thread.join()
    return found.get().public_id


@dataclass
class Found:
    """What the proof found: figures for the table, and what must be zero."""

    figures: dict[str, object] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)


@dataclass
class Proof:
    """The proof on a site that runs, and what it finds."""

    site: Site
    browser: Browser
    merchant: Any
    found: Found

    def prove(self) -> None:
        """Change products in every way that the table names."""
        from catalog.models import Product

        ids = list(Product.objects.filter(merchant=self.merchant).order_by("pk").values_list("pk", "public_id"))
        many, few = [pk for pk, _name in ids[:-AT_ONCE]], ids[-AT_ONCE:]
        before = snapshot(self.merchant)
        self._at_once(few)
        pages = Pages(self.browser, ["/products/?status=to_review", f"/products/{ids[0][1]}", "/products/bulk/"])
        pages.start()
        try:
            pages.classified["before"] = self._classify()
            time.sleep(BASELINE_SECONDS)
            published = self._publish(pages, many[-1])
            self._check_published(published, many)
            self._change_one(many[len(many) // 2])
            undone = self._undo(pages, published)
            self._check_undone(undone, many, before)
        finally:
            pages.end()
        self._figures(pages)

    def _classify(self) -> list[float]:
        return sorted(seconds_to_result(self.browser) for _image in range(LOOKS))

    def _at_once(self, few: list[tuple[int, str]]) -> None:
        """Kill the web process in a request; a worker ends what it began."""
        from catalog.models import BulkChange, Product

        public_id = kill_web_in_a_request(self.site, self.browser, [name for _pk, name in few])
        left = AT_ONCE - dealt_with(public_id)
        seconds = wait_for(lambda: operation(public_id).finished_at is not None, "the rest")
        archived = Product.objects.filter(pk__in=[pk for pk, _name in few], status="archived", version=2).count()
        done = BulkChange.objects.filter(operation__public_id=public_id, outcome="done").count()
        self.found.figures["left of 200 when the web process was killed in the request"] = left
        self.found.figures["… done by the worker after (with the lease of 30 s)"] = f"{seconds:.0f} s"
        self.found.faults["… products not archived exactly once"] = 2 * AT_ONCE - archived - done

    def _publish(self, pages: Pages, last: int) -> str:
        """Publish all that match, and kill worker, web process and worker while it goes on."""
        started = time.monotonic()
        parts = (("action", b"publish"), ("all", b"1"), ("query", b"status=to_review"), ("last", str(last).encode()))
        public_id = start(self.browser, *((name, "", value) for name, value in parts))
        self.found.figures["answered after"] = f"{time.monotonic() - started:.1f} s"
        total = operation(public_id).total
        pages.phase = "publishing"
        for share, kind in ((0.2, "worker"), (0.4, "web"), (0.7, "worker")):
            wait_until(public_id, share * total)
            if share == 0.4:
                pages.classified["publishing"] = self._classify()
            with pages.paused():
                kill(self.site, kind)
                wait_for(self.browser.is_answered, "the site")
        wait_for(lambda: operation(public_id).finished_at is not None, "publishing")
        self.found.figures[f"published {total}, with two kills of the worker and one of the web process"] = (
            f"{time.monotonic() - started:.0f} s"
        )
        return public_id

    def _check_published(self, public_id: str, many: list[int]) -> None:
        from accounts.models import AuditEvent
        from catalog.models import Decision, Product

        done, count = operation(public_id), len(many)
        published = Product.objects.filter(pk__in=many, status="published", version=2).count()
        faults = self.found.faults
        faults["products lost, or changed other than once"] = count - published
        faults["counted wrongly by the operation"] = abs(count - done.done) + done.failed + abs(count - done.total)
        faults["decisions too many or too few"] = abs(
            count * ATTRIBUTES - Decision.objects.filter(operation=done).count()
        )
        events = AuditEvent.objects.filter(action="product.publish", details__operation=public_id).count()
        faults["lines in the audit trail too many or too few"] = abs(count - events)

    def _change_one(self, pk: int) -> None:
        """Change a product by hand, as somebody on its page."""
        from accounts.actors import system
        from catalog.models import Product
        from catalog.services import decide

        self.changed = pk
        decide(actor=system(), product=Product.objects.get(pk=pk), attribute="material", value="woven")

    def _undo(self, pages: Pages, published: str) -> str:
        started = time.monotonic()
        pages.phase = "undoing"
        public_id = undo(self.browser, published)
        total = operation(public_id).total
        wait_until(public_id, 0.5 * total)
        with pages.paused():
            kill(self.site, "worker")
        wait_for(lambda: operation(public_id).finished_at is not None, "undoing")
        self.found.figures[f"undone {total}, with one kill of the worker"] = f"{time.monotonic() - started:.0f} s"
        return public_id

    def _check_undone(self, public_id: str, many: list[int], before: dict[int, tuple[object, ...]]) -> None:
        from catalog.models import BulkChange

        after = snapshot(self.merchant)
        differ = [pk for pk in many if after[pk] != before[pk]]
        alone = BulkChange.objects.filter(operation__public_id=public_id).exclude(outcome="done")
        said = list(alone.values_list("product", "outcome", "reason"))
        self.found.figures["… the product that was changed in between"] = said
        self.found.faults["products not as before, but for that one"] = len([pk for pk in differ if pk != self.changed])
        self.found.faults["… it was not left alone"] = int(
            differ != [self.changed]
            or said != [(self.changed, "refused", "stale")]
            or after[self.changed][0] != "published"
        )

    def _figures(self, pages: Pages) -> None:
        figures = self.found.figures
        for phase in ("before", "publishing", "undoing"):
            figures[f"pages, p95, {phase}"] = pages.p95(phase)
        for phase, seconds in pages.classified.items():
            figures[f"an image uploaded {phase}: seconds from sending it to its result"] = ", ".join(
                f"{one:.1f}" for one in seconds
            )
        figures["load of the machine at the end, cores"] = f"{os.getloadavg()[0]:.1f}, {os.cpu_count()}"
        self.found.faults["pages that failed though nothing was killed"] = sum(pages.failed.values())


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=10_000)
    arguments = parser.parse_args()
    found = Found()
    with (
        tempfile.TemporaryDirectory(prefix="otjang-bulk-") as name,
        site_with(Path(name), arguments.products + AT_ONCE) as site,
    ):
        Proof(*site, found).prove()
    print("| bulk proof | |\n|---|---|")
    for what, figure in [*found.figures.items(), *found.faults.items()]:
        print(f"| {what} | {figure} |")
    return 1 if any(found.faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
