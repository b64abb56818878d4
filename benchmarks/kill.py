#!/usr/bin/env python
"""Kill workers in the middle of their work, again and again; then let one finish, and count.

Uploads images to a private database, starts `manage.py worker`, and sends it SIGKILL: in turn as soon as it has
claimed work, and after it has stored some. At the end every image must have been done once: one job, one set of
garments, its product brought up to date. Prints a table of what was found; exits with 1 if work was lost or doubled.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = 8  # images of a product
LEASE_SECONDS = 3
PATIENCE_SECONDS = 300
sys.path.insert(0, str(ROOT))


def configure(folder: Path, database_url: str, lease_seconds: int = LEASE_SECONDS) -> None:
    """Set the site up on a private database; without a URL on a SQLite file in `folder`."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url or f"sqlite:///{folder}/otjang.sqlite3",
        "MEDIA_ROOT": f"{folder}/media",
        "SECRET_KEY": "only-for-benchmarks-" * 4,
        "LOG_LEVEL": "WARNING",
        "OTJANG_LEASE_SECONDS": str(lease_seconds),
        "OTJANG_MAX_ATTEMPTS": "100",  # to give up is another story than to lose work
    }
    import django

    django.setup()
    from django.core.management import call_command

    call_command("prepare", no_demo=True, verbosity=0)


def upload(images: list[Path]) -> None:
    """Put images through upload validation, as products of eight."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.actors import system
    from accounts.models import Merchant
    from catalog.services.uploads import create_product_with_images

    merchant = Merchant.objects.create(name="Kill test")
    for start in range(0, len(images), PRODUCT):
        files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in images[start : start + PRODUCT]]
        create_product_with_images(actor=system(), merchant=merchant, files=files)


def jobs(**conditions: object) -> int:
    """Return how many jobs fulfil the conditions."""
    from classifier.models import Classification

    return Classification.objects.filter(**conditions).count()


def wait(condition: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    """Wait until the condition holds; raises RuntimeError if the worker ends before or takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if worker.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the worker ended by itself, or took too long")
        time.sleep(0.02)


def kill_once(number: int) -> bool:
    """Start a worker and kill it while jobs are running; says whether there was anything left to break off."""
    done = jobs(state="done")
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT)
    try:
        if number % 2:
            wait(lambda: jobs(state="done") > done or not jobs(open_key__isnull=False), worker)
        else:
            tokens = running_tokens()
            wait(lambda: bool(running_tokens() - tokens) or not jobs(open_key__isnull=False), worker)
            time.sleep(random.uniform(0, 0.2))
    finally:
        worker.kill()
        worker.wait()
    return jobs(state="running") > 0


def running_tokens() -> set[str]:
    """Return the leases under which work is going on."""
    from classifier.models import Classification

    return set(Classification.objects.filter(state="running").values_list("lease_token", flat=True))


def finish() -> float:
    """Let a worker do all that is left; returns the seconds that it took."""
    started = time.monotonic()
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT)
    try:
        wait(lambda: not jobs(open_key__isnull=False) and not jobs(applied_at=None), worker)
    finally:
        worker.terminate()
        worker.wait()
    return time.monotonic() - started


def wrong(images: int) -> dict[str, int]:
    """Count what must be zero: lost, doubled and unfinished work."""
    from django.db.models import Count, QuerySet

    from catalog.models import Product, ProductImage
    from classifier.models import Classification, Garment, Prediction

    def doubled(rows: QuerySet[Any], *fields: str) -> int:
        return sum(row["times"] - 1 for row in rows.values(*fields).annotate(times=Count("pk")).filter(times__gt=1))

    return {
        "images lost": images - ProductImage.objects.filter(current_classification__state="done").count(),
        "jobs not done, or not applied": jobs() - jobs(state="done", applied_at__isnull=False),
        "images with two jobs": doubled(Classification.objects.all(), "image"),
        "garments stored twice": doubled(Garment.objects.all(), "classification", "x1", "y1", "x2", "y2"),
        "predictions stored twice": doubled(Prediction.objects.all(), "garment", "attribute"),
        "products still waiting": Product.objects.filter(status=Product.Status.CLASSIFYING).count(),
    }


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and images/")
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--kills", type=int, default=6)
    arguments = parser.parse_args()
    with (arguments.data / "labels.csv").open(newline="") as file:
        names = [row["image"] for row in csv.DictReader(file) if row["split"] == "val"][: arguments.images]
    with tempfile.TemporaryDirectory(prefix="otjang-kill-") as name:
        configure(Path(name), os.environ.get("DATABASE_URL", ""))
        upload([arguments.data / "images" / name for name in names])
        images = jobs()
        kills = sum(kill_once(number) for number in range(arguments.kills))
        again = jobs(attempts__gt=0, state__in=("running", "queued"))
        seconds = finish()
        faults = wrong(images)
        print("| kill test | |\n|---|---|")
        print(f"| images | {images} |")
        print(f"| workers killed while they had work in hand | {kills} |")
        print(f"| jobs broken off and waiting when the last worker came | {again} |")
        print(f"| jobs that needed a second attempt or more | {jobs(attempts__gt=1)} |")
        print(f"| the last worker finished the rest in | {seconds:.0f} s |")
        for fault, count in faults.items():
            print(f"| {fault} | {count} |")
        from django.db import connections

        connections.close_all()
    return 1 if any(faults.values()) or not kills else 0


if __name__ == "__main__":
    sys.exit(main())
