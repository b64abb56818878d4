#!/usr/bin/env python
"""How long the queue takes behind a long history: a claim, everything that a worker sweeps, and whose turn it is.

Fills an empty database with jobs that are done, by INSERT ... SELECT, and lets a merchant wait with 2,000 images.
Then it times, as the median of 20, a claim of eight jobs and a sweep with nothing to do, and looks how many jobs come
before those of another merchant's new product. Prints a table; exits with 1 if a claim takes 10 ms or more, a sweep
20 ms or more, or the new product waits for more than its share.

    scripts/with_mariadb python benchmarks/job_queue.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

JOBS = 650_000
PRODUCT = 3  # images of a product
MERCHANTS = 50
WAITING = 2_000
TIMES = 20
CLAIM_MS, SWEEP_MS = 10.0, 20.0
_CHUNK = 50_000


def copies(model: Any, template: int, number: int, **columns: str) -> None:
    """Copy a row so many times, with these SQL expressions of `n` (from 0) in place of its columns' values."""
    from django.db import connection

    quote = connection.ops.quote_name
    names = [field.column for field in model._meta.concrete_fields if field.column in columns or not field.primary_key]
    chosen = ", ".join(columns.get(name, f"t.{quote(name)}") for name in names)
    into = ", ".join(map(quote, names))
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        for start in range(0, number, _CHUNK):
            cursor.execute(
                f"INSERT INTO {table} ({into}) SELECT {chosen} FROM {table} t CROSS JOIN "
                f"(SELECT n + {start} AS n FROM bench_numbers WHERE n < {min(_CHUNK, number - start)}) k "
                f"WHERE t.{quote(model._meta.pk.column)} = {template}"
            )


def numbers() -> None:
    """Make a table of the numbers below a chunk's size."""
    from django.db import connection

    digits = " CROSS JOIN ".join(
        "(SELECT 0 AS d" + "".join(f" UNION ALL SELECT {digit}" for digit in range(1, 10)) + f") d{place}"
        for place in range(5)
    )
    value = " + ".join(f"{10**place} * d{place}.d" for place in range(5))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_numbers (n INTEGER NOT NULL PRIMARY KEY)")
        cursor.execute(f"INSERT INTO bench_numbers SELECT {value} FROM {digits} WHERE {value} < {_CHUNK}")


def fill(jobs: int) -> None:
    """Make merchants with products, images, and jobs that were done and applied long ago; one in 200 failed."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Merchant
    from catalog.models import Product, ProductImage
    from classifier.models import Classification

    first, *_others = (Merchant.objects.create(name=f"Merchant {number}") for number in range(MERCHANTS))
    product = Product.objects.create(merchant=first, name="Template", status=Product.Status.PUBLISHED)
    (image,) = ProductImage.objects.bulk_create(
        [ProductImage(product=product, original="x", display="x", thumbnail="x", original_name="x", sha256="0" * 64,
                      size=1, width=3, height=4, position=0)]
    )  # fmt: skip
    image = ProductImage.objects.get()
    long_ago = timezone.now() - timedelta(days=30)
    job = Classification.objects.create(
        image=image, image_sha256=image.sha256, state="done", attempts=1, lease_token="f" * 32, merchant=first,
        started_at=long_ago, finished_at=long_ago, applied_at=long_ago, garments_found=1, timings={"detect": 53.0},
    )  # fmt: skip
    numbers()
    mysql = connection.vendor == "mysql"

    def text(prefix: str) -> str:
        return f"CONCAT('{prefix}', k.n)" if mysql else f"'{prefix}' || k.n"

    products = jobs // PRODUCT + 1
    base, image_base, job_base = product.pk + 1, image.pk + 1, job.pk + 1
    whole = "DIV" if mysql else "/"
    # Six merchants in ten products are one large merchant's.
    merchant = f"{first.pk} + CASE WHEN k.n % 10 < 6 THEN 0 ELSE k.n % {MERCHANTS} END"
    copies(Product, product.pk, products, id=f"{base} + k.n", public_id=text("p"), merchant_id=merchant)
    owner = f"{base} + k.n {whole} {PRODUCT}"
    copies(ProductImage, image.pk, jobs, id=f"{image_base} + k.n", public_id=text("i"), product_id=owner)
    failed = "CASE WHEN k.n % 200 = 0 THEN 'failed' ELSE 'done' END"
    copies(Classification, job.pk, jobs, id=f"{job_base} + k.n", image_id=f"{image_base} + k.n", state=failed)
    with connection.cursor() as cursor:
        for model in (Product, ProductImage, Classification):
            cursor.execute(f"ANALYZE{' TABLE' if mysql else ''} {model._meta.db_table}")


def wait(merchant: Any, images: int) -> list[int]:
    """Let images of a merchant wait, as an upload does; returns their jobs."""
    from catalog.models import Product, ProductImage
    from classifier.jobs.requests import request_classification
    from classifier.models import Classification

    made = []
    for start in range(0, images, PRODUCT):
        product = Product.objects.create(merchant=merchant, name="New")
        for position in range(min(PRODUCT, images - start)):
            image = ProductImage(
                product=product, original="x", display="x", thumbnail="x", original_name="x", size=1, width=3,
                height=4, position=position, sha256=f"{product.pk:060}{position:04}",
            )  # fmt: skip
            ProductImage.objects.bulk_create([image])
            request_classification(image=ProductImage.objects.get(public_id=image.public_id))
            made.append(Classification.objects.latest("pk").pk)
    return made


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def claim_and_give_back() -> float:
    """Time a claim of eight jobs, and let them wait again."""
    from classifier.jobs import queue

    batches: list[queue.Batch | None] = []
    taken = milliseconds(lambda: batches.append(queue.claim(8)))
    batch = batches[0]
    assert batch is not None
    queue.release(batch.token, batch.ids)
    return taken


def before_new_product(merchant: Any, images: int) -> int:
    """How many jobs are claimed before the last one of a new product of this merchant."""
    from classifier.jobs import queue

    theirs = set(wait(merchant, images))
    before = 0
    while theirs:
        batch = queue.claim(8)
        assert batch is not None
        for job in batch.jobs:
            theirs.discard(job.pk)
            before += 1
            if not theirs:
                break
    return before - images


def measure(count: int) -> int:
    """Fill, measure and print; returns the exit status."""
    from accounts.models import Merchant
    from classifier.jobs import sweep
    from classifier.models import Classification

    started = time.perf_counter()
    fill(count)
    print(f"filled in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    large, small = Merchant.objects.order_by("pk")[0], Merchant.objects.order_by("-pk")[0]

    def sweep_all() -> None:
        sweep.take_over()
        sweep.sweep()

    idle = statistics.median(milliseconds(sweep_all) for _time in range(TIMES))
    wait(large, WAITING)
    busy = statistics.median(milliseconds(sweep_all) for _time in range(TIMES))
    claim = statistics.median(claim_and_give_back() for _time in range(TIMES))
    before = before_new_product(small, PRODUCT)
    rows = Classification.objects.count()
    print("| queue | |\n|---|---|")
    print(f"| jobs | {rows:,} |")
    print(f"| claim of 8, {WAITING:,} waiting | {claim:.1f} ms |")
    print(f"| sweep with nothing to do | {idle:.1f} ms |")
    print(f"| sweep, {WAITING:,} waiting | {busy:.1f} ms |")
    print(f"| jobs before a new product of {PRODUCT} images of another merchant | {before} |")
    return int(claim >= CLAIM_MS or idle >= SWEEP_MS or before > PRODUCT)


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=JOBS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otjang-queue-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": os.environ.get("DATABASE_URL", "") or f"sqlite:///{folder}/otjang.sqlite3",
            "MEDIA_ROOT": folder,
            "SECRET_KEY": "only-for-benchmarks-" * 4,
            "LOG_LEVEL": "WARNING",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        try:
            return measure(arguments.jobs)
        finally:
            connections.close_all()


if __name__ == "__main__":
    sys.exit(main())
