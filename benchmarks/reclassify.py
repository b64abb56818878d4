#!/usr/bin/env python
"""Try a candidate, promote it, reclassify a catalogue with workers killed in between, roll back; then count.

Uploads drawn images to a private database, lets people decide some products, and takes a second model through
its life by the commands, as its users would. A worker gets SIGKILL in the middle of the reclassification, which
is also paused once. At the end no decision and no published product may have changed, and every image must carry
exactly one finished job of the operation. Prints a table of what was found; exits with 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kill import ROOT, configure

PRODUCT = 4  # images of a product
DECIDED = 10  # one product of so many is decided by a person; every second one of those is published
PATIENCE_SECONDS = 3600
LEASE_SECONDS = 30


def draw(number: int) -> bytes:
    """An image of something shirt-like, like no other."""
    from PIL import Image, ImageDraw

    chance = random.Random(number)
    colour = tuple(chance.randrange(256) for _part in range(3))
    image = Image.new("RGB", (320, 240), (220, 220, 220 - number % 16))
    left, top = chance.randrange(20, 120), chance.randrange(10, 60)
    pen = ImageDraw.Draw(image)
    pen.rectangle((left, top, left + 120, top + 150), fill=colour)
    pen.polygon([(left, top), (left - 20, top + 80), (left, top + 80)], fill=colour)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def upload(images: int) -> None:
    """Put drawn images through upload validation, as products of four."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.actors import system
    from accounts.models import Merchant
    from catalog.services.uploads import create_product_with_images

    merchant = Merchant.objects.create(name="Reclassification")
    for start in range(0, images, PRODUCT):
        numbers = range(start, min(start + PRODUCT, images))
        files = [SimpleUploadedFile(f"{number}.jpg", draw(number)) for number in numbers]
        create_product_with_images(actor=system(), merchant=merchant, files=files)


def decide() -> int:
    """Decide some products, publish half of those; returns how many."""
    from accounts.actors import system
    from catalog import services
    from catalog.models import Product

    products = list(Product.objects.order_by("pk"))[::DECIDED]
    for number, product in enumerate(products):
        services.decide(actor=system(), product=product, attribute="category", value="Cardigan")
        if number % 2:
            services.publish(actor=system(), product=product)
    return len(products)


def decided() -> list[Any]:
    """Everything that people decided or published, to compare."""
    from catalog.models import Decision, Product, ProductAttribute

    public = Product.objects.filter(status=Product.Status.PUBLISHED).order_by("pk")
    return [
        list(Decision.objects.order_by("pk").values()),
        list(ProductAttribute.objects.filter(state="decided").order_by("pk").values("product", "attribute", "value")),
        list(public.values("pk", "status", "top_category", "version")),
        list(ProductAttribute.objects.filter(product__in=public).order_by("pk").values()),
    ]


def seen() -> list[Any]:
    """What pages show of every product."""
    from catalog.models import Product

    return list(
        Product.objects.order_by("pk").values("pk", "status", "top_category", "proposal", "version", "updated_at")
    )


def command(*arguments: str) -> str:
    """Run a management command as a person does; returns what it printed."""
    result = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return result.stdout.strip()


def work_until(condition: Callable[[], bool], *, kill: bool = False) -> float:
    """Let a worker run until the condition holds, then end it, if asked for with SIGKILL; returns the seconds."""
    started = time.monotonic()
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT)
    try:
        while not condition():
            if worker.poll() is not None or time.monotonic() - started > PATIENCE_SECONDS:
                raise RuntimeError("the worker ended by itself, or took too long")
            time.sleep(0.2)
    finally:
        if kill:
            worker.kill()
        else:
            worker.terminate()
        worker.wait()
    return time.monotonic() - started


def is_over(public_id: str) -> bool:
    """Whether the operation has ended."""
    from accounts.models import Operation

    return Operation.objects.get(public_id=public_id).state in {"done", "failed", "cancelled"}


def done(public_id: str) -> int:
    """How many images of the operation are done."""
    from classifier.models import Classification

    return Classification.objects.filter(operation__public_id=public_id, state="done").count()


def reclassify(images: int, kills: int) -> tuple[str, int, float]:
    """Reclassify with kills and a pause; returns the operation, how many kills broke work off, and the seconds."""
    from classifier.models import Classification

    operation = command("reclassify")
    broken_off = 0
    seconds = 0.0
    for number in range(kills):
        aim = (number + 1) * images // (kills + 2)
        seconds += work_until(
            lambda aim=aim: done(operation) >= aim and Classification.objects.filter(state="running").exists(),  # type: ignore[misc]
            kill=True,
        )
        broken_off += Classification.objects.filter(state="running").exists()
    command("operations", operation, "pause")
    command("operations", operation, "resume")
    return operation, broken_off, seconds + work_until(lambda: is_over(operation))


def wrong(operation: str, images: int, before: list[Any]) -> dict[str, int]:
    """Count what must be zero."""
    from django.db.models import Count

    from catalog.models import Product, ProductImage
    from classifier.models import Classification, Garment, Prediction

    jobs = Classification.objects.filter(operation__public_id=operation)
    finished = jobs.filter(state="done", applied_at__isnull=False)
    looked_at = finished.values("image").annotate(times=Count("pk"))
    boxes = Garment.objects.filter(classification__in=jobs).values("classification", "x1", "y1", "x2", "y2")
    said = Prediction.objects.values("garment", "attribute").annotate(times=Count("pk"))
    return {
        "images left out": images - looked_at.count(),
        "images done twice": looked_at.filter(times__gt=1).count() + jobs.count() - finished.count(),
        "images whose current result is another": ProductImage.objects.exclude(
            current_classification__in=finished
        ).count(),
        "garments stored twice": boxes.annotate(times=Count("pk")).filter(times__gt=1).count(),
        "predictions stored twice": said.filter(times__gt=1).count(),
        "products still waiting": Product.objects.filter(status=Product.Status.CLASSIFYING).count(),
        "decisions or published products changed": int(decided() != before),
    }


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otjang-reclassify-") as name:
        configure(Path(name), os.environ.get("DATABASE_URL", ""), LEASE_SECONDS)
        try:
            return prove(arguments.images, arguments.kills)
        finally:
            from django.db import connections

            connections.close_all()


def prove(images: int, kills: int) -> int:
    """Take the candidate, the shipped detector with another threshold, through its life; returns the exit status."""
    from classifier.models import Classification, Deployment

    upload(images)
    first = work_until(lambda: not Classification.objects.exclude(applied_at__isnull=False).exists())
    products = decide()
    before, visible, shipped = decided(), seen(), Deployment.objects.get().active_id

    command("register_model", "weights/garment.pt", "--role", "garment", "--name", "bolder", "--threshold", "0.25")
    trial = command("shadow", "bolder")
    shadow = work_until(lambda: is_over(trial))
    figures = json.loads(command("operations", trial).split("\n", 1)[1])
    touched = int(seen() != visible)

    command("promote", "bolder")
    operation, broken_off, seconds = reclassify(images, kills)
    faults = {"products touched by the shadow run": touched} | wrong(operation, images, before)
    command("roll_back")
    faults["roll back did not restore the shipped set"] = int(Deployment.objects.get().active_id != shipped)

    print("| registry proof | |\n|---|---|")
    print(f"| images | {images} |")
    print(f"| products decided by people, half of them published | {products} |")
    print(f"| first classification | {first:.0f} s |")
    print(f"| shadow run of a candidate | {shadow:.0f} s |")
    print(f"| products for which it would change something | {figures['changed']} of {figures['products']} |")
    print(f"| workers killed in the reclassification with work in hand | {broken_off} of {kills} |")
    print(f"| reclassification, with kills and a pause | {seconds:.0f} s |")
    for fault, count in faults.items():
        print(f"| {fault} | {count} |")
    return 1 if any(faults.values()) or not broken_off else 0


if __name__ == "__main__":
    sys.exit(main())
