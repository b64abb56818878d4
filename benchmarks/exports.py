#!/usr/bin/env python
"""How much memory and time exports of a million products of one merchant take, mapped ones too.

Fills an empty database (`list_rows`), then writes each kind of file in a process of its own, as a worker does: by the
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

    running.ExportLines = Looking  # type: ignore[misc]
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


def fill(count: int) -> None:
    """Make the products, a member of their merchant, and the mappings."""
    from accounts.models import Membership, User
    from benchmarks import list_rows
    from catalog.services.mappings import load_shipped
    from catalog.services.taxonomy import load_taxonomy

    load_taxonomy()
    load_shipped()
    started = time.perf_counter()
    list_rows.fill(count, share=100, terms=False)
    print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    user = User.objects.create_user("exports@example.com", "-", name="Exports")
    Membership.objects.create(user=user, merchant_id=list_rows.LARGE, role=Membership.Role.EDITOR)


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
