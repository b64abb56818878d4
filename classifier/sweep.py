"""What the worker puts right every few seconds: whatever a crash, a lost message or a missing file left behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy
from classifier import jobs, operations, results, uploads
from classifier.models import Classification, Garment
from classifier.tasks import wake_worker

logger = logging.getLogger(__name__)

State = Classification.State
UPLOADS = "products"
_CHUNK = 500
# A worker that is alive does these by itself within seconds; the sweep leaves them to it for so long.
_GRACE = timedelta(seconds=10)
_ORPHAN_AGE = timedelta(hours=1)


def sweep() -> None:
    """Everything that is due every few seconds. Each step is safe beside other workers, and when it is repeated."""
    if expired := jobs.put_back_expired():
        logger.warning("%d jobs taken over from a worker that stopped", expired)
    apply_left_over()
    uploads.run_waiting()
    operations.feed()
    wake_for_waiting()


def apply_left_over() -> int:
    """Apply jobs that ended but never counted, and free products that wait for nothing any more."""
    live = Classification.Purpose.LIVE
    ended = Classification.objects.filter(
        purpose=live,
        state__in=(State.DONE, State.FAILED),
        applied_at=None,
        finished_at__lt=timezone.now() - _GRACE,
    )
    waiting = Classification.objects.filter(
        image__product=OuterRef("pk"), image__archived_at=None, purpose=live, open_key__isnull=False
    )
    stuck = Product.objects.filter(
        ~Exists(waiting), status=Product.Status.CLASSIFYING, updated_at__lt=timezone.now() - _GRACE
    )
    products = {*ended.values_list("image__product", flat=True)[:_CHUNK], *stuck.values_list("pk", flat=True)[:_CHUNK]}
    if products:
        taxonomy = Taxonomy.load()
        for product_id in sorted(products):
            results.apply(product_id, taxonomy)
        logger.info("%d products brought up to date that had been left over", len(products))
    return len(products)


def wake_for_waiting() -> bool:
    """Send a wake-up if jobs wait that no worker took: theirs was lost, or they waited for weights."""
    waiting = Classification.objects.filter(state=State.QUEUED, queued_at__lt=timezone.now() - _GRACE).exists()
    if waiting:
        wake_worker()
    return waiting


def prune() -> None:
    """Everything that is due now and then: what nobody needs any more."""
    garments = prune_superseded()
    files = delete_orphans()
    if garments or files:
        logger.info("pruned %d superseded garments and %d files without a row", garments, files)


def prune_superseded() -> int:
    """Delete garments that models found in earlier runs, after the retention time, unless somebody decided on them."""
    before = timezone.now() - timedelta(days=settings.OTJANG_PREDICTION_RETENTION_DAYS)
    superseded = Garment.objects.filter(
        ~Exists(ProductImage.objects.filter(current_classification=OuterRef("classification"))),
        ~Q(predictions__decisions__isnull=False),
        Q(classification__applied_at__isnull=False) | Q(classification__purpose=Classification.Purpose.SHADOW),
        source=Garment.Source.MODEL,
        classification__state=State.DONE,
        classification__finished_at__lt=before,
    )
    deleted = 0
    while ids := list(superseded.values_list("pk", flat=True)[:_CHUNK]):
        Garment.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def delete_orphans(storage: Storage = default_storage) -> int:
    """Delete uploaded files that no photograph points to: an upload that broke off, or a photograph that was deleted.

    Files younger than an hour may belong to a row that is about to be written.
    """
    before = timezone.now() - _ORPHAN_AGE
    deleted = 0
    for folder in _folders(storage):
        names = [f"{folder}/{name}" for name in storage.listdir(folder)[1]]
        wanted: set[str] = set()
        for fields in ProductImage.objects.filter(
            Q(original__startswith=f"{folder}/") | Q(display__startswith=f"{folder}/")
        ).values_list("original", "display", "thumbnail"):
            wanted.update(fields)
        for name in names:
            if name not in wanted and storage.get_modified_time(name) < before:
                storage.delete(name)
                deleted += 1
    return deleted


def _folders(storage: Storage) -> Iterator[str]:
    """The folders of products; none before the first upload."""
    try:
        folders, _files = storage.listdir(UPLOADS)
    except FileNotFoundError:
        return
    for folder in folders:
        yield f"{UPLOADS}/{folder}"
