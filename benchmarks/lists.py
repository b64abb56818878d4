#!/usr/bin/env python
"""How long the lists of products take to answer at a million products, 600,000 of them in one merchant.

Fills an empty database (`list_rows`), then asks for pages as a member of that merchant: the whole request as the server
sees it, session, templates and all, without network and browser. Each line is asked for many times; the first answers
do not count. Prints a table; exits with 1 if the p95 of a line is 100 ms or more, or a page takes over 10 queries.

    MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/lists.py
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PRODUCTS = 1_000_000
TIMES, WARM = 40, 4
API = "/api/v1/products"
MOST_MS, MOST_QUERIES = 100.0, 10


@dataclass(frozen=True)
class Line:
    """One kind of page: each query string is as good as the others, and they take turns."""

    name: str
    queries: tuple[str, ...]
    address: str = "/products/"


@dataclass(frozen=True)
class Timing:
    """What one kind of page took: ms of the request, of its queries, and of processor time in web and database."""

    name: str
    p50: float
    p95: float
    database: float
    cpu: float
    queries: int

    @property
    def slow(self) -> bool:
        """Whether it is not what it should be."""
        return self.p95 >= MOST_MS or self.queries > MOST_QUERIES


def lines(count: int) -> Iterator[Line]:
    """The pages that are asked for."""
    yield Line("first page", ("",))
    yield Line("grid", ("as=grid",))
    for status in ("to_review", "published", "draft", "archived"):
        yield Line(f"status {status}", (f"status={status}",))
    yield Line("category", ("category=Jacket", "category=Tshirt", "category=Skirt"))
    yield Line("category group", ("category=Outer", "category=Top"))
    yield Line("three categories", ("category=Jacket&category=Shirt&category=Skirt",))
    yield Line("material", ("material=denim", "material=knit", "material=fleece"))
    yield Line("sleeve length", ("sleeve_length=long", "sleeve_length=short"))
    yield Line("category and material", ("category=Jacket&material=denim", "category=Skirt&material=fleece"))
    yield Line("category open", ("category=-",))
    for source in ("person", "model", "auto", "nobody"):
        yield Line(f"source {source}", (f"source={source}",))
    yield Line("less sure than 60 %", ("below=0.6",))
    yield Line("less sure than 30 %", ("below=0.3",))
    yield Line("failed", ("failed=1",))
    yield Line("several garments", ("several=1",))
    yield Line("nothing found", ("nothing=1",))
    yield Line("created within days", tuple(_days()))
    for sort in ("oldest", "changed", "name", "sku", "doubt"):
        yield Line(f"sort {sort}", (f"sort={sort}",))
    yield Line("to review, least sure first", ("status=to_review&sort=doubt",))
    yield Line("category by name", ("category=Jacket&sort=name",))
    numbers = random.Random(1)
    yield Line("search, common word", ("q=코트", "q=오버핏", "q=니트"))
    yield Line("search, part of a word", ("q=블라우", "q=트라이"))
    yield Line("search, rare word", tuple(f"q={numbers.randrange(10_000, 100_000)}" for _ in range(20)))
    yield Line("search, SKU", tuple(f"q=sku-{numbers.randrange(count):07}" for _ in range(20)))
    yield Line("search, two common words", ("q=코트+오버핏", "q=린넨+셔츠", "q=니트+체크"))
    yield Line("search, common and rare", tuple(f"q=코트+{numbers.randrange(10_000, 100_000)}" for _ in range(20)))
    yield Line("search, three words", tuple(f"q=오버핏+코트+{numbers.randrange(10, 100)}" for _ in range(20)))
    yield Line("search, nothing", ("q=코트+자켓", "q=벨벳"))
    yield Line("search and status", ("q=코트&status=to_review", "q=니트&status=draft"))
    yield from _api_lines(count)


def _api_lines(count: int) -> Iterator[Line]:
    """The API's list of products, as programs ask for it."""
    numbers = random.Random(2)
    asked = {
        "first page": ("",),
        "by status": ("status=to_review", "status=draft"),
        "by category": ("category=Jacket", "category=Outer"),
        "by category and material": ("category=Jacket&value=material:denim", "category=Skirt&value=material:fleece"),
        "without a category": ("category=-", "category_state=unset"),
        "by state": ("category_state=decided", "category_state=proposed"),
        "of one SKU": tuple(f"sku=SKU-{numbers.randrange(count):07}" for _ in range(20)),
        "by a common word": ("q=코트", "q=오버핏"),
        "by two words": ("q=코트+오버핏", "q=린넨+셔츠"),
        "by a rare word": tuple(f"q={numbers.randrange(10_000, 100_000)}" for _ in range(20)),
        "least sure first": ("ordering=doubt", "ordering=doubt&status=to_review"),
        "category by name": ("ordering=name&category=Jacket",),
        "with images": ("expand=images,proposal&page_size=20",),
    }
    for name, queries in asked.items():
        yield Line(f"API, {name}", queries, API)


def _days() -> Iterator[str]:
    from datetime import timedelta

    from django.utils import timezone

    today = timezone.localdate()
    for days in (5, 60, 200):
        yield f"since={today - timedelta(days=days)}&until={today - timedelta(days=days - 3)}"


def deep_lines(client: Any, count: int) -> Iterator[Line]:
    """Pages far into lists, and their neighbours: addresses as the page before gives them."""
    from benchmarks.list_rows import LARGE
    from catalog.listing import PAGE_SIZE, Cursor
    from catalog.models import Product
    from catalog.product_filter import SORTS
    from core.api.pages import _Cursor

    mine = Product.objects.filter(merchant=LARGE)
    for sort in ("newest", "name", "doubt"):
        order = SORTS[sort]
        places = [int(count * 0.55 * share) for share in (0.5, 0.9)]
        products = [mine.order_by(*order)[place] for place in places]
        cursors = [Cursor.of(product, order) for product in products]
        yield Line(f"deep page, {sort}", tuple(f"sort={sort}&after={cursor}" for cursor in cursors))
        yield Line(f"deep page backwards, {sort}", tuple(f"sort={sort}&before={cursor}" for cursor in cursors))
    deep = [mine.order_by("-id")[int(count * 0.55 * share)].pk for share in (0.3, 0.5, 0.9)]
    for query in ("", "category=Jacket&", "q=코트&"):
        addresses = [f"{query}cursor={_Cursor(('-id',), (pk,), backward)}" for pk in deep for backward in (False, True)]
        yield Line(f"API, deep, {query.rstrip('&') or 'all'}", tuple(addresses), API)
    found = re.findall(r'data-row="(\w+)" data-mark="(\w+)"', client.get("/products/").content.decode())
    marks = "&".join(f"row={number}.{mark}" for number, mark in found[:PAGE_SIZE])
    first = Cursor.of(mine.order_by("-id")[0], SORTS["newest"])
    yield Line("following a page", (f"first={first}&{marks}",), "/products/rows/")


def server_cpu() -> float:
    """Ms of processor time that the database's process has used; its own machine's only."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT @@pid_file")
        tasks = Path("/proc", Path(cursor.fetchone()[0]).read_text().strip(), "task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e6


def measure(client: Any, line: Line, times: int) -> Timing:
    """Ask for it so many times."""
    from django.db import connection

    took, database, queries, before = [], [], 0, 0.0
    for turn in range(WARM + times):
        if turn == WARM:
            before = server_cpu() + 1000 * time.process_time()
        address = f"{line.address}?{line.queries[turn % len(line.queries)]}"
        spent: list[float] = []

        def timed(execute: Any, sql: str, parameters: Any, many: bool, context: Any, spent: Any = spent) -> Any:
            started = time.perf_counter()
            try:
                return execute(sql, parameters, many, context)
            finally:
                spent.append(1000 * (time.perf_counter() - started))

        started = time.perf_counter()
        with connection.execute_wrapper(timed):
            response = client.get(address)
        passed = 1000 * (time.perf_counter() - started)
        if response.status_code != 200:
            raise RuntimeError(f"{unescape(address)}: {response.status_code}")
        if turn >= WARM:
            took.append(passed)
            database.append(sum(spent))
            queries = max(queries, len(spent))
    cpu = (server_cpu() + 1000 * time.process_time() - before) / times
    edges = statistics.quantiles(took, n=20, method="inclusive")
    return Timing(line.name, statistics.median(took), edges[-1], statistics.median(database), cpu, queries)


def member() -> Any:
    """A client that is logged in as an editor of the large merchant."""
    from django.test import Client

    from accounts.models import Membership, User
    from benchmarks.list_rows import LARGE

    user = User.objects.filter(email="lists@example.com").first()
    if user is None:
        user = User.objects.create_user("lists@example.com", "-", name="Lists")
        Membership.objects.create(user=user, merchant_id=LARGE, role=Membership.Role.EDITOR)
    client = Client(headers={"accept-language": "ko"}, SERVER_NAME="localhost")
    client.force_login(user)
    return client


def report(timings: list[Timing]) -> int:
    """Print the table; returns the exit status."""
    print("| page | p50 ms | p95 ms | database ms | CPU ms | queries |\n|---|---:|---:|---:|---:|---:|")
    for timing in timings:
        mark = " **" if timing.slow else ""
        figures = (timing.p50, timing.p95, timing.database, timing.cpu, timing.queries)
        print(f"| {timing.name}{mark} | {' | '.join(f'{figure:.0f}' for figure in figures)} |", flush=True)
    return int(any(timing.slow for timing in timings))


def run(count: int, times: int, only: str, *, fill: bool) -> int:
    """Fill, measure and print; returns the exit status."""
    from benchmarks import list_rows
    from catalog.models import Product
    from catalog.services.taxonomy import load_taxonomy

    load_taxonomy()
    if fill:
        started = time.perf_counter()
        list_rows.fill(count)
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    count = Product.objects.order_by("-pk").values_list("pk", flat=True)[0]
    client = member()
    chosen = [*lines(count), *deep_lines(client, count)]
    return report([measure(client, line, times) for line in chosen if re.search(only, line.name)])


def command(description: str | None, run: Callable[..., int]) -> int:
    """Read the options, migrate the database, and run a benchmark of lists; returns its exit status.

    Args:
        description: what the benchmark says of itself.
        run: is given the number of products, of answers, a regular expression for lines, and `fill`.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--times", type=int, default=TIMES, help="answers of each line that count")
    parser.add_argument("--only", default="", help="a regular expression for names of lines")
    parser.add_argument("--filled", action="store_true", help="the database is filled already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otjang-lists-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MEDIA_ROOT": folder,
            "SECRET_KEY": "only-for-benchmarks-" * 4,
            "LOG_LEVEL": "WARNING",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections
        from django.urls import resolve

        from core.startup import collect_between_requests

        call_command("migrate", verbosity=0)
        resolve("/healthz")  # imports every view, and then does as the site's server does
        collect_between_requests()
        try:
            return run(arguments.products, arguments.times, arguments.only, fill=not arguments.filled)
        finally:
            connections.close_all()


if __name__ == "__main__":
    sys.exit(command(__doc__, run))
