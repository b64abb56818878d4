"""The load test's site: what is in its database, who may come in, and the callers' process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kill import ROOT, configure
from benchmarks.load_figures import Measured, Stage, Wanted

PEOPLE, KEYS = 20, 10
REVIEWED_SHARE = 0.08  # so many products more wait for a review, of another merchant
IMAGES_OF_A_PRODUCT = 5
PHOTOS = ROOT / "demo" / "images"
EVERYBODY = ("Browsing", "Reviewing", "Uploading", "Program")


@dataclass(frozen=True)
class Access:
    """What lets callers in; the fields are those of `Wanted`."""

    sessions: list[str]
    reviewers: list[str]
    keys: list[str]
    upload_session: str
    upload_key: str


def prepare(folder: Path, products: int) -> Access:
    """Fill the empty database that DATABASE_URL names, for the processes that are started later."""
    os.environ |= {"UPLOAD_TEMP_DIR": str(folder / "uploads"), "API_RATE": "1000000/min"}
    (folder / "uploads").mkdir()
    configure(folder, os.environ["DATABASE_URL"], lease_seconds=15)
    from accounts.models import Merchant
    from benchmarks import bulk_rows, list_rows
    from classifier.registry import model_sets

    list_rows.fill(products)
    _shared_files()
    model_sets.serve_shipped()
    reviewed = Merchant.objects.create(name="Reviewed")
    bulk_rows.add_products(reviewed, int(products * REVIEWED_SHARE))
    large, uploads = Merchant.objects.get(pk=list_rows.LARGE), Merchant.objects.create(name="Uploads")
    return Access(
        _sessions(large, PEOPLE),
        _sessions(reviewed, PEOPLE),
        [_key(large) for _number in range(KEYS)],
        _sessions(uploads, 1)[0],
        _key(uploads),
    )


def _shared_files() -> None:
    """Write the files that all rows of `list_rows` name."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from PIL import Image

    from catalog import copies

    path = next(PHOTOS.glob("*.jpg"))
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    thumbnail, _small = copies.thumbnails(image)
    contents = {"": path.read_bytes(), "-display": copies.display_copy(image), "-thumbnail": thumbnail}
    for name, content in contents.items():
        default_storage.save(f"products/shared/one{name}.jpg", ContentFile(content))


def _sessions(merchant: Any, count: int) -> list[str]:
    from django.test import Client

    from accounts.models import Membership, User

    found = []
    for number in range(count):
        user = User.objects.create_user(f"{number}@{merchant.pk}.example.com", "-", name=f"Person {number}")
        Membership.objects.create(user=user, merchant=merchant, role=Membership.Role.EDITOR)
        client = Client()
        client.force_login(user)
        found.append(client.cookies["sessionid"].value)
    return found


def _key(merchant: Any) -> str:
    from accounts.models import ApiKey

    secret, prefix, key_hash = ApiKey.generate()
    ApiKey.objects.create(merchant=merchant, name="load", prefix=prefix, key_hash=key_hash)
    return secret


def add_backlog(count: int) -> int:
    """Queue so many images as bulk work: rows of their own, which share the files of a few; returns their merchant."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.actors import system
    from accounts.models import Merchant
    from catalog.models import Product, ProductImage
    from catalog.services.uploads import create_product_with_images
    from classifier.jobs.tasks import wake_worker

    merchant = Merchant.objects.create(name="Backlog")
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in sorted(PHOTOS.glob("*.jpg"))]
    first, _received = create_product_with_images(actor=system(), merchant=merchant, files=files)
    assert first is not None
    patterns = list(ProductImage.objects.filter(product=first))
    products = [Product(merchant=merchant, status="classifying") for _ in range(count // IMAGES_OF_A_PRODUCT)]
    Product.objects.bulk_create(products, batch_size=1000)
    rows = list(Product.objects.filter(merchant=merchant).exclude(pk=first.pk).order_by("pk"))
    images = [
        _like(patterns[(number + place) % len(patterns)], product, place)
        for number, product in enumerate(rows)
        for place in range(IMAGES_OF_A_PRODUCT)
    ]
    ProductImage.objects.bulk_create(images, batch_size=1000)
    _queue(merchant.pk)
    wake_worker()
    return merchant.pk


def _like(pattern: Any, product: Any, place: int) -> Any:
    from catalog.models import ProductImage

    names = ("original", "display", "thumbnail", "small", "original_name", "sha256", "size", "width", "height")
    copied = {name: getattr(pattern, name) for name in names}
    return ProductImage(product=product, position=place, **copied)


def _queue(merchant: int) -> None:
    from catalog.models import ProductImage
    from classifier.models import Classification

    waiting = ProductImage.objects.filter(product__merchant=merchant, classifications=None).order_by("pk")
    jobs = [
        Classification(
            image=image,
            image_sha256=image.sha256,
            merchant_id=merchant,
            turn=turn,
            priority=Classification.Priority.BULK,
            open_key=f"{image.pk}:{Classification.Purpose.LIVE}",
        )
        for turn, image in enumerate(waiting.iterator())
    ]
    Classification.objects.bulk_create(jobs, batch_size=1000)


def waiting(merchant: int | None = None) -> int:
    """How many jobs have not ended, of a merchant or of all."""
    from classifier.models import Classification

    jobs = Classification.objects.filter(open_key__isnull=False).order_by()
    return (jobs if merchant is None else jobs.filter(merchant=merchant)).count()


class Callers:
    """The process of the callers."""

    def __init__(self, wanted: Wanted) -> None:
        program = [sys.executable, str(ROOT / "benchmarks" / "load_users.py")]
        self._process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdin is not None
        self._process.stdin.write(wanted.to_json() + "\n")
        self._process.stdin.close()

    def __iter__(self) -> Iterator[Measured]:
        """What each stage measured, when it is over. Raises RuntimeError where the process ended by a fault."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            yield Measured.from_json(line)
        if self._process.wait() != 0:
            raise RuntimeError(f"the callers ended with {self._process.returncode}")

    def end(self) -> None:
        """End the stage that goes on; what it measured comes."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()


@contextmanager
def callers(port: int, access: Access, stages: Sequence[Stage], who: Sequence[str] = EVERYBODY) -> Iterator[Callers]:
    """Let callers work beside the block."""
    address = f"http://127.0.0.1:{port}"
    process = Callers(Wanted(address=address, who=who, stages=stages, photos=str(PHOTOS), **vars(access)))
    try:
        yield process
    finally:
        process.kill()
