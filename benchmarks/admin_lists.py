#!/usr/bin/env python
"""How long the admin's lists take to answer at a million products, photos, jobs and lines of the trail.

Fills an empty database (`list_rows`, `admin_rows`), then asks for the lists as a member of staff with every permission:
first pages, filters, searches, and pages deep in the list. A time is that of the whole request as the server sees it.
Prints a table; exits with 1 if the p95 of a line is 150 ms or more, or a page takes over 10 queries.

    MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/admin_lists.py
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lists import Line, Timing, command, measure

TIMES = 40
MOST_MS, MOST_QUERIES = 150.0, 10


def lines() -> Iterator[Line]:
    """The pages that are asked for."""
    from catalog.models import Attribute, Product
    from classifier.models import ModelVersion

    newest = Product.objects.order_by("-pk").values_list("pk", flat=True)[0]
    numbers = random.Random(1)
    ids = dict(Attribute.objects.values_list("code", "pk"))
    version = ModelVersion.objects.get(role="material").pk
    products, images = "/admin/catalog/product/", "/admin/catalog/productimage/"
    skus = tuple(f"q=sku-{numbers.randrange(newest):07}" for _ in range(20))
    yield Line("products", ("",), products)
    yield Line("products, deep", (f"older={newest // 2}", f"older={newest // 10}", f"newer={newest // 2}"), products)
    yield Line(
        "products, status", tuple(f"status__exact={one}" for one in ("to_review", "archived", "ready")), products
    )
    yield Line("products, category", ("category=Jacket", "category=Skirt", "category=Tshirt"), products)
    yield Line("products, material", ("material=denim", "material=fleece"), products)
    yield Line("products, both", ("category=Jacket&material=denim", "category=Skirt&material=fleece"), products)
    yield Line("products, doubtful", ("less_sure_than=50", "less_sure_than=95"), products)
    yield Line("products, of a merchant", ("merchant__id__exact=1001", "merchant__id__exact=1020"), products)
    yield Line("products, in a period", (_period("created_at", 300, 200), _period("created_at", 3, 0)), products)
    yield Line("products, a SKU", skus, products)
    yield Line("products, a common word", ("q=코트", "q=오버핏"), products)
    yield Line("products, two words", ("q=린넨+셔츠", "q=니트+체크"), products)
    yield Line("products, a merchant's name", ("q=Merchant+20", "q=Merchant+7"), products)
    yield Line("photos", ("",), images)
    yield Line("photos, deep", (f"older={newest // 2}", f"older={newest // 10}"), images)
    yield Line("photos, archived", ("archived_at__isempty=0", "archived_at__isempty=1"), images)
    yield Line("photos, failed", ("current_classification__state__exact=failed",), images)
    yield Line(
        "photos, of a merchant", ("product__merchant__id__exact=1001", "product__merchant__id__exact=1020"), images
    )
    yield Line("photos, a file", tuple(f"q=IMG_{numbers.randrange(newest)}" for _ in range(20)), images)
    yield Line("photos, a product", skus, images)
    decisions = "/admin/catalog/decision/"
    yield Line("decisions", ("",), decisions)
    yield Line("decisions, deep", (f"older={newest // 2}", f"older={newest // 10}"), decisions)
    yield Line("decisions, attribute", (f"attribute__id__exact={ids['material']}",), decisions)
    yield Line("decisions, source", ("source__exact=human", "source__exact=auto", "source__exact=import"), decisions)
    yield Line("decisions, kind", ("kind__exact=set", "kind__exact=withdrawn"), decisions)
    yield Line("decisions, in a period", (_period("created_at", 300, 200),), decisions)
    yield Line("decisions, of a person", ("q=u7@shop.example",), decisions)
    yield Line("decisions, a product", skus, decisions)
    yield Line("decisions, of a merchant", ("product__merchant__id__exact=1001", "product__merchant__id__exact=1020"),
               decisions)  # fmt: skip
    predictions, jobs = "/admin/classifier/prediction/", "/admin/classifier/classification/"
    yield Line("predictions", ("",), predictions)
    yield Line("predictions, deep", (f"older={newest // 2}", f"older={newest // 10}"), predictions)
    yield Line("predictions, attribute", (f"attribute__id__exact={ids['material']}",), predictions)
    yield Line("predictions, model", (f"model_version__id__exact={version}",), predictions)
    yield Line("predictions, in a period", (_period("created_at", 300, 200),), predictions)
    yield Line("predictions, a product", skus, predictions)
    of_merchants = tuple(f"garment__image__product__merchant__id__exact={one}" for one in (1001, 1020))
    yield Line("predictions, of a merchant", of_merchants, predictions)
    yield Line("jobs", ("",), jobs)
    yield Line("jobs, deep", (f"older={newest // 2}", f"older={newest // 10}"), jobs)
    yield Line("jobs, state", tuple(f"state__exact={one}" for one in ("done", "failed", "queued")), jobs)
    yield Line("jobs, error", ("error_code__exact=unreadable", "error_code__exact=storage_unavailable"), jobs)
    yield Line("jobs, in a period", (_period("queued_at", 300, 200),), jobs)
    yield Line("jobs, a product", skus, jobs)
    yield Line("jobs, of a merchant", tuple(f"image__product__merchant__id__exact={one}" for one in (1001, 1020)), jobs)
    trail, operations = "/admin/accounts/auditevent/", "/admin/accounts/operation/"
    yield Line("audit trail", ("",), trail)
    yield Line("audit trail, deep", (f"older={newest // 2}", f"older={newest // 10}"), trail)
    yield Line("audit trail, channel", ("channel__exact=portal", "channel__exact=admin"), trail)
    yield Line("audit trail, action", ("action__exact=product.publish", "action__exact=user.password"), trail)
    yield Line("audit trail, in a period", (_period("created_at", 300, 200),), trail)
    yield Line("operations", ("",), operations)
    yield Line("operations, state", ("state__exact=failed", "state__exact=running"), operations)
    yield Line("users", ("", "is_staff__exact=1"), "/admin/accounts/user/")
    yield Line("users, one", ("q=u777@shop", "q=사람+7"), "/admin/accounts/user/")
    yield Line("merchants", ("", "q=Merchant+7"), "/admin/accounts/merchant/")


def _period(column: str, since: int, until: int) -> str:
    from datetime import timedelta

    from django.utils import timezone

    today = timezone.localdate()
    days = (("from", today - timedelta(days=since)), ("to", today - timedelta(days=until)))
    return "&".join(f"{column}_{which}_0={day}&{column}_{which}_1=00:00:00" for which, day in days)


def staff() -> Any:
    """A client that is logged in as staff with every permission, who is no superuser."""
    from django.contrib.auth.models import Permission
    from django.test import Client

    from accounts.models import User

    user = User.objects.filter(email="staff@example.com").first()
    if user is None:
        user = User.objects.create_user("staff@example.com", "-", name="Staff", is_staff=True)
        user.user_permissions.set(Permission.objects.all())
    client = Client(headers={"accept-language": "ko"}, SERVER_NAME="localhost")
    client.force_login(user)
    return client


def _slow(timing: Timing) -> bool:
    return timing.p95 >= MOST_MS or timing.queries > MOST_QUERIES


def report(timings: Iterator[Timing]) -> int:
    """Print the table as it comes; returns the exit status."""
    print("| list | p50 ms | p95 ms | database ms | CPU ms | queries |\n|---|---:|---:|---:|---:|---:|")
    slow = False
    for timing in timings:
        slow |= _slow(timing)
        figures = (timing.p50, timing.p95, timing.database, timing.cpu, timing.queries)
        mark = " **" if _slow(timing) else ""
        print(f"| {timing.name}{mark} | {' | '.join(f'{figure:.0f}' for figure in figures)} |", flush=True)
    return int(slow)


def run(count: int, times: int, only: str, *, fill: bool) -> int:
    """Fill, measure and print; returns the exit status."""
    from benchmarks import admin_rows, list_rows
    from catalog.services.taxonomy import load_taxonomy

    load_taxonomy()
    if fill:
        started = time.perf_counter()
        list_rows.fill(count)
        admin_rows.fill()
        print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    client = staff()
    status = report(measure(client, line, times) for line in lines() if re.search(only, line.name))
    print(f"load {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    return status


if __name__ == "__main__":
    sys.exit(command(__doc__, run))
