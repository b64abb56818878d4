#!/usr/bin/env python
"""How long a merchant's new product waits while another merchant's 2,000 images do.

Queues the images as interactive work, the worst case (uploads beyond OTJANG_BULK_FROM wait behind everybody),
starts one `manage.py worker`, and once it is at work creates a product of three images for some other merchants, one
after the other. Prints how long each was classifying; exits with 1 if one took three seconds or more.

    scripts/with_mariadb python benchmarks/fair_share.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kill import ROOT, configure, jobs, wait

WAITING = 2_000
PRODUCT = 3  # images of a product
NEWCOMERS = 5
LIMIT_SECONDS = 3.0
LEASE_SECONDS = 15
IMAGES = sorted((ROOT / "demo" / "images").glob("*.jpg"))


def create(name: str, images: list[Path]) -> int:
    """Create a merchant with a product of these images; returns the product's id."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.actors import system
    from accounts.models import Merchant
    from catalog.services.uploads import create_product_with_images

    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in images]
    merchant = Merchant.objects.create(name=name)
    product, _received = create_product_with_images(actor=system(), merchant=merchant, files=files)
    assert product is not None
    return product.pk


def queue_many(product: int) -> None:
    """Give a product as many images as shall wait: rows of their own, which share the files of its images."""
    from catalog.models import ProductImage
    from core.ids import public_id

    shown = list(ProductImage.objects.filter(product=product))
    for number in range(WAITING - len(shown)):
        image = shown[number % len(shown)]
        image.pk, image.public_id, image.current_classification = None, public_id(), None
        image.save(force_insert=True)


def seconds_until_classified(product: int, worker: subprocess.Popen[bytes]) -> float:
    """Return how long the product is classifying from now on."""
    from catalog.models import Product

    started = time.monotonic()
    wait(lambda: not Product.objects.filter(pk=product, status=Product.Status.CLASSIFYING).exists(), worker)
    return time.monotonic() - started


def main() -> int:
    """Run it; returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="otjang-fair-share-") as folder:
        configure(Path(folder), os.environ.get("DATABASE_URL", ""), LEASE_SECONDS)
        queue_many(create("Many images", IMAGES[:20]))
        worker = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT)
        waits, left = [], []
        try:
            wait(lambda: jobs(state="done") > 0, worker)
            for number in range(NEWCOMERS):
                product = create(f"Newcomer {number}", IMAGES[PRODUCT * number :][:PRODUCT])
                left.append(jobs(state="queued"))
                waits.append(seconds_until_classified(product, worker))
        finally:
            worker.terminate()
            worker.wait()
            from django.db import connections

            connections.close_all()
    print("| new product of three images | images of the other merchant waiting | seconds until it was classified |")
    print("|---|---|---|")
    for number, (waiting, seconds) in enumerate(zip(left, waits, strict=True), start=1):
        print(f"| {number} | {waiting} | {seconds:.2f} |")
    return 1 if max(waits) >= LIMIT_SECONDS or min(left) < WAITING / 4 else 0


if __name__ == "__main__":
    sys.exit(main())
