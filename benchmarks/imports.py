#!/usr/bin/env python
"""Import a thousand products with four photos each, twice over, while processes are killed; then count.

Runs a private site: its own MariaDB, the web process and a worker under the supervisor. First everything comes in one
ZIP file with an XLSX in it, then for another merchant as a CSV in CP949 with the photos a few at a time. Two photos in
the middle are broken, two lines are wrong. The worker is killed in the dry run and twice in the import, the web
process once. At the end the ZIP file is checked once more. Prints a table; exits with 1 if anything was lost, done
twice, counted wrongly, or if the web process took 250 MB.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bulk_site import Browser, kill, site_with, wait_for
from benchmarks.import_site import Shop, peak_megabytes, send_files, send_in_parts, wrong_products
from benchmarks.outage_site import Site

MOST_MEGABYTES = 250
WRONG_LINES = 2
AT_ONCE = 20  # files in a request


class _Said(dict[str, Any]):
    """Figures that are printed as they come, too: a run takes long, and may be broken off."""

    def __setitem__(self, what: str, figure: Any) -> None:
        print(f"{what}: {figure}", file=sys.stderr, flush=True)
        super().__setitem__(what, figure)


@dataclass
class Found:
    """What came out."""

    figures: _Said = field(default_factory=_Said)
    faults: _Said = field(default_factory=_Said)


@dataclass
class Proof:
    """The site, and what is done to it."""

    site: Site
    browser: Browser
    merchant: Any
    shop: Shop
    found: Found
    peak: float = 0.0

    def by_zip(self, path: Path) -> str:
        """Send table and photos in one file; returns the import's number."""
        started = time.monotonic()
        answer = send_files(self.browser, "/products/import/", [("products.zip", path)])
        self._look_at_memory()
        megabytes = path.stat().st_size / 2**20
        self.found.figures["a ZIP file sent, MB, seconds"] = f"{megabytes:.0f}, {time.monotonic() - started:.0f}"
        return _number(answer.data)

    def by_csv(self, path: Path) -> str:
        """Send the table, then the photos some at a time; returns the import's number."""
        started = time.monotonic()
        begun = self.browser.ask("POST", "/products/import/", ("begin", "", b"1")).data
        send_in_parts(self.browser, begun["files"], [("products.csv", path)], 1)
        photos = [(photo.name, photo) for photo in sorted(self.shop.folder.iterdir())]
        send_in_parts(self.browser, begun["files"], photos, AT_ONCE)
        self.browser.ask("POST", begun["check"], ("x", "", b"1"))
        self._look_at_memory()
        self.found.figures["a CSV and its photos sent, seconds"] = f"{time.monotonic() - started:.0f}"
        return _number(begun)

    def check(self, number: str, name: str, *, kills: bool) -> None:
        """Wait for the dry run; kill the worker in its middle."""
        started = time.monotonic()
        if kills:
            wait_for(lambda: _dealt_with(number) > 0.3 * self.shop.products, "the check")
            kill(self.site, "worker")
        wait_for(lambda: _import(number).operation.finished_at is not None, "the check")
        self.found.figures[f"{name}: checked, seconds"] = f"{time.monotonic() - started:.0f}"
        self._fault(f"{name}: not checked", _import(number).phase != "checked")

    def carry_out(self, number: str, name: str, *, kills: bool) -> None:
        """Say "import", and wait for its end; kill worker, web process and worker on the way."""
        started = time.monotonic()
        self.browser.ask("POST", f"/products/import/{number}/moves/import", ("x", "", b"1"))
        for share, kind in ((0.3, "worker"), (0.5, "web"), (0.7, "worker")) if kills else ():
            wait_for(self._past(number, share), "the import")
            self._look_at_memory()
            kill(self.site, kind)
        wait_for(lambda: _import(number).operation.finished_at is not None, "the import")
        wait_for(self.browser.is_answered, "the site")
        self._look_at_memory()
        self.found.figures[f"{name}: imported, seconds{', with three kills' if kills else ''}"] = (
            f"{time.monotonic() - started:.0f}"
        )

    def _past(self, number: str, share: float) -> Callable[[], bool]:
        return lambda: _dealt_with(number) > share * self.shop.products

    def verify(self, number: str, name: str, merchant: Any) -> None:
        """Count what came of it."""
        from accounts.models import AuditEvent
        from catalog.models import Decision, ImportLine

        operation = _import(number).operation
        total = self.shop.products + WRONG_LINES
        counts = (operation.state, operation.total, operation.done, operation.failed)
        self._fault(f"{name}: totals that do not add up", counts != ("done", total, self.shop.products, WRONG_LINES))
        wrong, missing = wrong_products(self.shop, merchant)
        self._fault(f"{name}: products lost, doubled or with other photos", wrong)
        self._fault(f"{name}: photos without their files", missing)
        made = AuditEvent.objects.filter(merchant=merchant, action="product.create").count()
        self._fault(f"{name}: products made twice, by the audit trail", made - self.shop.products)
        decided = Decision.objects.filter(product__merchant=merchant, source="import").count()
        self._fault(f"{name}: decisions lost or doubled", decided - 2 * self.shop.products)
        said = [line for line in ImportLine.objects.filter(of=_import(number)) if "damaged" in str(line.problems)]
        self._fault(f"{name}: broken photos not said, or said of others", len(said) - len(self.shop.broken))
        report = self.browser.ask("GET", f"/products/import/{number}/report").body.decode("utf-8-sig")
        self._fault(f"{name}: lines that the report has not", total - (len(report.splitlines()) - 1))

    def again(self, path: Path) -> None:
        """The same file once more changes nothing."""
        number = self.by_zip(path)
        wait_for(lambda: _import(number).operation.finished_at is not None, "the check")
        counts = _import(number).counts
        self.found.figures["the same ZIP file once more"] = counts
        # A photo that could not be decoded is tried again.
        self._fault("the same once more: lines that would change", sum(counts.get(one, 0) for one in ("new", "change")))

    def _look_at_memory(self) -> None:
        self.peak = max([self.peak, *(peak_megabytes(pid) for pid in self.site.pids()["web"])])

    def _fault(self, what: str, count: int) -> None:
        self.found.faults[what] = abs(int(count))


def _number(data: dict[str, Any]) -> str:
    if "page" not in data:
        raise RuntimeError(f"not taken: {data}")
    return str(data["page"]).rsplit("/", 1)[-1]


def _import(number: str) -> Any:
    from catalog.models import ProductImport

    return ProductImport.objects.select_related("operation").get(public_id=number)


def _dealt_with(number: str) -> int:
    operation = _import(number).operation
    return int(operation.done + operation.failed) if operation is not None else 0


def prove(folder: Path, arguments: argparse.Namespace, found: Found) -> None:
    """Run it."""
    shop = Shop(folder / "photos", arguments.products, arguments.photos)
    shop.make((arguments.width, arguments.width * 4 // 3))
    (folder / "products.csv").write_bytes(shop.csv())
    shop.zip(folder / "products.zip")
    with site_with(folder, 0) as (site, browser, merchant):
        from accounts.models import Membership, Merchant, User

        proof = Proof(site, browser, merchant, shop, found)
        wait_for(site.is_complete, "the site")
        number = proof.by_zip(folder / "products.zip")
        proof.check(number, "ZIP with XLSX", kills=True)
        proof.carry_out(number, "ZIP with XLSX", kills=True)
        proof.verify(number, "ZIP with XLSX", merchant)
        proof.again(folder / "products.zip")
        other = Merchant.objects.create(name="CSV")
        Membership.objects.filter(user=User.objects.get()).update(merchant=other)
        number = proof.by_csv(folder / "products.csv")
        proof.check(number, "CSV", kills=False)
        proof.carry_out(number, "CSV", kills=True)
        proof.verify(number, "CSV", other)
        found.figures["the web process's peak of memory, MB"] = f"{proof.peak:.0f}"
        found.faults["the web process took too much memory"] = int(proof.peak >= MOST_MEGABYTES)
        found.figures["load of the machine at the end, cores"] = f"{os.getloadavg()[0]:.1f}, {os.cpu_count()}"


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1000)
    parser.add_argument("--photos", type=int, default=4, help="of each")
    parser.add_argument("--width", type=int, default=900, help="of a photo, px")
    arguments = parser.parse_args()
    found = Found()
    with tempfile.TemporaryDirectory(prefix="otjang-import-") as name:
        prove(Path(name), arguments, found)
    print("| import proof | |\n|---|---|")
    for what, figure in [*found.figures.items(), *found.faults.items()]:
        print(f"| {what} | {figure} |")
    return 1 if any(found.faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
