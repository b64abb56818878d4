"""The outage proof's comparison of what clients were told with the database and the files."""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.outage_book import Book, Photo, Sent, Told

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from catalog.models import ProductImage

_DAYS = 2  # more than any file is left alone for


@dataclass
class Audit:
    """What was found: counts that must be zero, by their names in the table, and figures that may be anything."""

    faults: dict[str, int] = field(default_factory=dict)
    figures: dict[str, object] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)

    def must_be_zero(self, name: str, found: Iterable[object]) -> None:
        """Count what must not be."""
        listed = list(found)
        self.faults[name] = len(listed)
        if listed:
            self.examples[name] = ", ".join(map(str, listed[:5]))


def audit(book: Book, result: Audit) -> None:
    """Compare all; the queue is empty by now. Files that broke off are swept as if their time were over."""
    _check_files(result, audit_rows(result, book))


def audit_rows(result: Audit, book: Book) -> dict[str, list[ProductImage]]:
    """Compare what clients were told with the database; returns its images by the digests of what was uploaded."""
    rows = _rows()
    _compare_images(result, book, rows)
    _compare_products(result, book, rows)
    _check_work(result)
    return rows


def _rows() -> dict[str, list[ProductImage]]:
    """The images in the database, by the digests of what was uploaded."""
    from catalog.models import ProductImage

    rows = defaultdict(list)
    for image in ProductImage.objects.select_related("product", "current_classification"):
        rows[image.sha256].append(image)
    return rows


def _compare_images(result: Audit, book: Book, rows: dict[str, list[ProductImage]]) -> None:
    told: dict[Told, list[tuple[Sent, Photo]]] = {each: [] for each in Told}
    untold = []
    for sent in book.sent:
        for photo in sent.photos:
            if photo.sha256 in sent.told:
                told[sent.told[photo.sha256]].append((sent, photo))
            else:
                untold.append(photo.name)
    stored, unknown = told[Told.STORED], told[Told.UNKNOWN]
    for each in Told:
        result.figures[f"images {each.value}"] = len(told[each])
    result.figures["of the lost answers' images, there and whole"] = sum(photo.sha256 in rows for _s, photo in unknown)
    result.must_be_zero("acknowledged images lost", (p.name for _s, p in stored if p.sha256 not in rows))
    result.must_be_zero(
        "acknowledged images in another product",
        (p.name for s, p in stored if any(row.product.public_id != s.product for row in rows.get(p.sha256, ()))),
    )
    result.must_be_zero("images stored twice", (found[0].original_name for found in rows.values() if len(found) > 1))
    result.must_be_zero("refused images stored", (p.name for _s, p in told[Told.REFUSED] if p.sha256 in rows))
    result.must_be_zero("broken off uploads' images stored", (p.name for _s, p in told[Told.CUT] if p.sha256 in rows))
    result.must_be_zero("images whose client was told nothing it could read", untold)
    sent_ever = {photo.sha256 for sent in book.sent for photo in sent.photos}
    result.must_be_zero("images that nobody sent", rows.keys() - sent_ever)


def _compare_products(result: Audit, book: Book, rows: dict[str, list[ProductImage]]) -> None:
    from catalog.models import Product

    half = []
    for sent in book.sent:
        # What belongs together is there as a whole, or not at all, whatever the client knows of it.
        good = [photo.sha256 for photo in sent.photos if photo.is_good]
        if len({sha256 in rows for sha256 in good}) > 1:
            half.append(sent.sku or sent.product)
    result.must_be_zero("uploads stored by half", half)
    products = Product.objects.order_by("pk")
    result.must_be_zero("products without an image", products.filter(images=None).values_list("public_id", flat=True))
    result.must_be_zero("products without a merchant", products.filter(merchant=None))
    skus = [sent.sku for sent in book.sent if sent.creates and sent.sku and Told.STORED in sent.told.values()]
    there = set(products.values_list("sku", flat=True))
    result.must_be_zero("acknowledged products lost", (sku for sku in skus if sku not in there))
    cut = {sent.sku for sent in book.sent if sent.sku and set(sent.told.values()) == {Told.CUT}}
    result.must_be_zero("SKUs that an upload kept that broke off", cut & there)
    result.figures["products"] = products.count()


def _doubled(rows: QuerySet[Any], *fields: str) -> list[Any]:
    from django.db.models import Count

    return [row for row in rows.order_by().values(*fields).annotate(times=Count("pk")) if row["times"] > 1]


def _check_work(result: Audit) -> None:
    from catalog.models import Decision, Product, ProductImage
    from classifier.models import Classification, Garment, Prediction

    jobs = Classification.objects.order_by("pk")
    state = Classification.State
    result.figures["jobs done"] = jobs.filter(state=state.DONE).count()
    result.figures["jobs failed, with a reason"] = jobs.filter(state=state.FAILED).exclude(error_code="").count()
    result.figures["jobs that needed a second attempt or more"] = jobs.filter(attempts__gt=1).count()
    result.figures["values accepted automatically"] = Decision.objects.filter(source=Decision.Source.AUTO).count()
    result.must_be_zero("jobs running or queued at the end", jobs.filter(open_key__isnull=False))
    result.must_be_zero("jobs failed without a reason", jobs.filter(state=state.FAILED, error_code=""))
    result.must_be_zero("jobs that never counted", jobs.filter(applied_at=None))
    result.must_be_zero("images without a job", ProductImage.objects.filter(classifications=None))
    result.must_be_zero("images with two jobs", _doubled(jobs, "image", "operation"))
    result.must_be_zero(
        "images done that show no result",
        ProductImage.objects.filter(classifications__state=state.DONE, current_classification=None),
    )
    result.must_be_zero(
        "garments stored twice", _doubled(Garment.objects.all(), "classification", "x1", "y1", "x2", "y2")
    )
    result.must_be_zero("predictions stored twice", _doubled(Prediction.objects.all(), "garment", "attribute"))
    result.must_be_zero("decisions stored twice", _repeated_decisions())
    result.must_be_zero("products still waiting", Product.objects.filter(status=Product.Status.CLASSIFYING))


def _repeated_decisions() -> list[tuple[Any, ...]]:
    """Automatic decisions that say again what the one before them said already."""
    from catalog.models import Decision

    said = Decision.objects.filter(source=Decision.Source.AUTO).order_by("product", "attribute", "pk")
    rows = said.values_list("product", "attribute", "kind", "value")
    return [after for before, after in pairwise(rows) if before == after]


def _check_files(result: Audit, rows: dict[str, list[ProductImage]]) -> None:
    from django.conf import settings
    from django.core.files.storage import default_storage
    from django.utils import timezone

    from catalog import files
    from catalog.models import PendingFile

    used: set[str] = set()
    missing, changed = [], []
    for sha256, images in rows.items():
        for image in images:
            names = list(image.files.values())
            used.update(names)
            missing += [name for name in names if not default_storage.exists(name)]
            with image.original.open() as file:
                if hashlib.sha256(file.read()).hexdigest() != sha256:
                    changed.append(str(image.original))
    result.must_be_zero("files missing", missing)
    result.must_be_zero("files that are not what was uploaded", changed)

    media, temporary = Path(settings.MEDIA_ROOT), Path(settings.FILE_UPLOAD_TEMP_DIR)
    orphans = _stored(media) - used
    recorded = set(PendingFile.objects.values_list("path", flat=True))
    result.figures["files of uploads that broke off, left to the sweep"] = len(orphans)
    result.figures["temporary files, left to the sweep"] = len(list(temporary.glob("*")))
    result.must_be_zero("orphan files without a record", orphans - recorded)
    result.must_be_zero("files in use that are to be deleted", recorded & used)

    PendingFile.objects.update(delete_after=timezone.now() - timedelta(hours=1))
    long_ago = time.time() - timedelta(days=_DAYS).total_seconds()
    for path in temporary.glob("*"):
        os.utime(path, (long_ago, long_ago))
    files.delete_due()
    files.remove_stale_temporary_files(temporary)
    left = _stored(media)
    result.must_be_zero("orphan files after the sweep", left - used)
    result.must_be_zero("files that the sweep should have left", used - left)
    result.must_be_zero("records of files after the sweep", PendingFile.objects.all())
    result.must_be_zero("temporary files after the sweep", temporary.glob("*"))


def _stored(media: Path) -> set[str]:
    """The uploads' files, as the storage names them."""
    return {str(path.relative_to(media)) for path in (media / "products").rglob("*") if path.is_file()}
