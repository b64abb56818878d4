#!/usr/bin/env python
"""How much memory and time exports of a million products of one merchant take, mapped ones too.

Fills an empty database, then writes each kind of file in a process of its own, as a worker does: by the
operation, into a storage. Prints a table; exits with 1 if a process grew by more than 40 MB between the first tenth of
its lines and the last, or a mapped export did not list what has no counterpart.

    MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/exports.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PRODUCTS = 1_000_000
KINDS = ("csv", "csv mapped", "csv filtered", "xlsx", "zip")
MOST_GROWTH = 40.0  # MB
MAPPING = "naver_women"


def rss() -> float:
    """Memory of this process that is in use, in MB."""
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak() -> float:
    """The most memory that this process ever used, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def measure(kind: str) -> dict[str, Any]:
    """Write one export by its operation, and look at memory and time after each batch."""
    from django.core.files.storage import default_storage
    from django.http import QueryDict

    from accounts.actors import Actor
    from accounts.channels import Channel
    from accounts.models import Membership, Operation
    from accounts.services import operations
    from catalog.selectors import Taxonomy
    from catalog.services import exports
    from catalog.services.exports import running

    member = Membership.objects.get(user__email="exports@example.com")
    actor = Actor(channel=Channel.PORTAL, user=member.user, merchant=member.merchant, role=member.role)
    query = {"csv mapped": f"mapping={MAPPING}", "csv filtered": "category=Coat&category=Jacket"}.get(kind, "")
    file_format = exports.Format(kind.partition(" ")[0])
    choice = exports.ExportChoice.parse(QueryDict(f"words=ko&{query}"), file_format, Taxonomy.load())
    operation = exports.start(actor=actor, choice=choice)
    seen: list[tuple[int, float, float]] = []  # lines, MB, seconds

    class Looking(exports.ExportLines):
        def batches(self) -> Iterator[list[Any]]:
            for batch in super().batches():
                yield batch
                seen.append((self.read, rss(), time.perf_counter()))

    vars(running)["ExportLines"] = Looking
    before, started = rss(), time.perf_counter()
    operations.continue_long(threading.Event())
    seconds = time.perf_counter() - started
    operation = Operation.objects.get(pk=operation.pk)
    tenth = max(1, len(seen) // 10)
    return {
        "kind": kind,
        "state": operation.state,
        "lines": operation.done,
        "bytes": default_storage.size(operation.result_file),
        "seconds": seconds,
        "before": before,
        "first": max(mb for _lines, mb, _at in seen[:tenth]),
        "last": max(mb for _lines, mb, _at in seen[-tenth:]),
        "peak": peak(),
        "first_tenth": seen[tenth - 1][2] - started,
        "last_tenth": seen[-1][2] - seen[-tenth][2],
        "unmapped": operation.parameters["unmapped"],
    }


# One merchant's products, each with an image and three decided values; numbers from digits, which every database has.
_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS n" for digit in range(10))
_NUMBERS = "1 + d0.n + 10 * d1.n + 100 * d2.n + 1000 * d3.n + 10000 * d4.n"
_PRODUCTS = """
INSERT INTO catalog_product (id, public_id, sku, sku_key, name, status, top_category_source, proposal, version,
    created_at, updated_at, merchant_id, search_text, name_order, sku_order, unclear, certainty, failed_images)
SELECT n, 'bench' || n, 'SKU-' || n, 'key' || n, '오버핏 데일리 상품 ' || n, 'ready', '', '[]', 1, %s, %s,
    %s, '', '', '', '', 10000, 0
FROM (SELECT %s + {numbers} AS n FROM {digits}) numbered WHERE n <= %s
"""
_VALUES = """
INSERT INTO catalog_productattribute (state, updated_at, attribute_id, product_id, value_id, merchant_id)
SELECT 'decided', updated_at, %s, id, {value}, merchant_id FROM catalog_product WHERE id > %s AND id <= %s
"""
_IMAGES = """
INSERT INTO catalog_productimage (public_id, original, display, thumbnail, small, original_name, sha256, size, width,
    height, position, created_at, product_id)
SELECT public_id, 'products/x/1.jpg', 'products/x/1.jpg', 'products/x/1.jpg', '', 'IMG_' || id || '.jpg', '0', 1000,
    600, 800, 0, created_at, id
FROM catalog_product WHERE id > %s AND id <= %s
"""
_CHUNK = 100_000


def fill(count: int) -> None:
    """Make the products, a member of their merchant, and the mappings."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Membership, Merchant, User
    from catalog.selectors import Taxonomy
    from catalog.services.mappings import load_shipped
    from catalog.services.taxonomy import load_taxonomy

    load_taxonomy()
    load_shipped()
    merchant = Merchant.objects.create(name="Exports")
    user = User.objects.create_user("exports@example.com", "-", name="Exports")
    Membership.objects.create(user=user, merchant=merchant, role=Membership.Role.EDITOR)
    taxonomy, now, started = Taxonomy.load(), timezone.now().replace(tzinfo=None), time.perf_counter()
    digits = ", ".join(f"({_DIGITS}) d{place}" for place in range(5))
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET SESSION sql_mode = 'PIPES_AS_CONCAT'")
        for start in range(0, count, _CHUNK):
            until = min(start + _CHUNK, count)
            products = _PRODUCTS.format(numbers=_NUMBERS, digits=digits)
            cursor.execute(products, [now, now, merchant.pk, start, until])
            cursor.execute(_IMAGES, [start, until])
            for code, attribute in taxonomy.attributes.items():
                leaves = [leaf.pk for leaf in taxonomy.leaves(code)]
                cases = " ".join(f"WHEN {place} THEN {pk}" for place, pk in enumerate(leaves))
                value = f"CASE id % {len(leaves)} {cases} END".replace("%", "%%")
                cursor.execute(_VALUES.format(value=value), [attribute.pk, start, until])
    print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)


def report(found: list[dict[str, Any]]) -> int:
    """Print the table; returns the exit status."""
    heads = (
        "export",
        "lines",
        "file MB",
        "s",
        "lines/s",
        "first / last tenth s",
        "MB at first / last tenth",
        "peak MB",
    )
    print(f"| {' | '.join(heads)} |\n|---|{'---:|' * (len(heads) - 1)}")
    wrong = False
    for one in found:
        bad = one["state"] != "done" or one["last"] - one["first"] > MOST_GROWTH
        bad |= one["kind"] == "csv mapped" and not one["unmapped"]
        wrong |= bad
        figures = (
            f"{one['lines']:,}",
            f"{one['bytes'] / 1e6:.0f}",
            f"{one['seconds']:.0f}",
            f"{one['lines'] / one['seconds']:,.0f}",
            f"{one['first_tenth']:.1f} / {one['last_tenth']:.1f}",
            f"{one['first']:.0f} / {one['last']:.0f}",
            f"{one['peak']:.0f}",
        )
        print(f"| {one['kind']}{' **' if bad else ''} | {' | '.join(figures)} |")
        if one["unmapped"]:
            print(f"{one['kind']}: without a counterpart (value, products): {one['unmapped']}", file=sys.stderr)
    return int(wrong)


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, apart by commas")
    parser.add_argument("--measure", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otjang-exports-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "MEDIA_ROOT": folder,
            "UPLOAD_TEMP_DIR": folder,
            "SECRET_KEY": "only-for-benchmarks-" * 4,
            "LOG_LEVEL": "WARNING",
            "DEBUG": "0",
        }
        import django

        django.setup()
        if arguments.measure:
            print(json.dumps(measure(arguments.measure)))
            return 0
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        fill(arguments.products)
        connections.close_all()
        found = []
        for kind in arguments.only.split(","):
            command = [sys.executable, __file__, "--measure", kind]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
        return report(found)


if __name__ == "__main__":
    sys.exit(main())
