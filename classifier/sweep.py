"""What the worker puts right every few seconds: whatever a crash, a lost message or a missing file left behind."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import Storage, default_storage
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy
from classifier import jobs, operations, results
from classifier.leases import keeper
from classifier.models import Classification, DeletedProduct, Garment
from classifier.tasks import wake_worker

logger = logging.getLogger(__name__)

State = Classification.State
UPLOADS = "products"
_CHUNK = 500
_LOOKED_AT = 200  # products a time
# A worker that is alive does these by itself within seconds; the sweep leaves them to it for so long.
_GRACE = timedelta(seconds=10)
_ORPHAN_AGE = timedelta(hours=1)
_NEVER = threading.Event()


def sweep() -> None:
    """Everything that is due every few seconds. Each step is safe beside other workers, and when it is repeated."""
    apply_left_over()
    operations.feed()
    wake_for_waiting()


def take_over() -> int:
    """Let the jobs of workers that stopped wait again, and wake a worker for them; returns how many there were."""
    if expired := jobs.put_back_expired(keeper.tokens):
        logger.warning("%d jobs taken over from a worker that stopped", expired)
        wake_worker()
    return expired


class TakeOver:
    """`take_over` for the worker, which gives others the time to come back after the database did.

    While it was away nobody could renew a lease. So the first round, and the one after a round that failed, only looks
    whether the database answers: until the next one, workers that are alive have renewed theirs.
    """

    def __init__(self) -> None:
        self._answers = False

    def __call__(self) -> None:
        answered, self._answers = self._answers, False
        if answered:
            take_over()
        else:
            connection.ensure_connection()
        self._answers = True


class _WaitingForNothing:
    """Products that are being classified although no photograph of them waits, looked for in some of them at a time.

    There may be as many as photographs wait, and hardly ever one of these: a photograph was deleted while it waited.
    """

    def __init__(self) -> None:
        self._after = 0

    def next(self) -> set[int]:
        """Look at the next ones by their keys, and begin again behind the last one."""
        classifying = Product.objects.filter(
            status=Product.Status.CLASSIFYING, updated_at__lt=timezone.now() - _GRACE, pk__gt=self._after
        )
        some = list(classifying.order_by("pk").values_list("pk", flat=True)[:_LOOKED_AT])
        self._after = some[-1] if len(some) == _LOOKED_AT else 0
        waiting = Classification.objects.filter(
            image__product__in=some,
            image__archived_at=None,
            purpose=Classification.Purpose.LIVE,
            open_key__isnull=False,
        )
        return set(some).difference(waiting.order_by().values_list("image__product", flat=True)) if some else set()


_waiting_for_nothing = _WaitingForNothing()


def apply_left_over() -> int:
    """Apply jobs that ended but never counted, and free products that wait for nothing any more.

    A product that this fails for is logged, and does not hold up the others. Returns how many it worked for.
    """
    live = Classification.Purpose.LIVE
    ended = Classification.objects.filter(
        purpose=live,
        state__in=(State.DONE, State.FAILED),
        applied_at=None,
        finished_at__lt=timezone.now() - _GRACE,
    )
    # Without the models' own order: sorting by the key makes MariaDB read all of the history by it.
    products = {*ended.order_by().values_list("image__product", flat=True)[:_CHUNK], *_waiting_for_nothing.next()}
    if not products:
        return 0
    applied = results.apply_each(products, Taxonomy.load())
    logger.info("%d products brought up to date that had been left over", applied)
    return applied


def wake_for_waiting() -> bool:
    """Send a wake-up if jobs wait that no worker took: theirs was lost, or they waited for weights."""
    waiting = jobs.due().filter(queued_at__lt=timezone.now() - _GRACE).exists()
    if waiting:
        wake_worker()
    return waiting


def prune(stop: threading.Event = _NEVER) -> None:
    """Everything that is due now and then: what nobody needs any more. Ends soon after `stop` is set."""
    garments = prune_superseded(stop)
    files = delete_orphans(stop)
    if garments or files:
        logger.info("pruned %d superseded garments and %d files without a row", garments, files)


def prune_superseded(stop: threading.Event = _NEVER) -> int:
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
    while not stop.is_set() and (ids := list(superseded.values_list("pk", flat=True)[:_CHUNK])):
        Garment.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def delete_orphans(stop: threading.Event = _NEVER, storage: Storage = default_storage) -> int:
    """Delete uploaded files that no photograph points to: an upload that broke off, or a photograph that was deleted.

    Only folders of products that this database has, or had, are looked into: another database may keep its
    photographs in the same storage. Files younger than an hour may belong to a row that is about to be written.
    """
    before = timezone.now() - _ORPHAN_AGE
    deleted = foreign = 0
    for folder in _listed(storage, UPLOADS)[0]:
        if stop.is_set():
            break
        path = f"{UPLOADS}/{folder}"
        names = [f"{path}/{name}" for name in _listed(storage, path)[1]]
        wanted = _files_of(folder)
        if wanted is None:
            foreign += bool(names)
            continue
        for name in names:
            if name not in wanted and _is_older(storage, name, before):
                storage.delete(name)
                deleted += 1
    if foreign:
        logger.info("%d folders in %s/ belong to no product of this database and are left alone", foreign, UPLOADS)
    return deleted


def _files_of(public_id: str) -> set[str] | None:
    """The files that photographs of a product point to; None for a product that this database has never had."""
    files = Product.objects.filter(public_id=public_id).values_list(
        "images__original", "images__display", "images__thumbnail"
    )
    if found := list(files):
        return {name for names in found for name in names if name}
    return set() if DeletedProduct.objects.filter(public_id=public_id).exists() else None


def _listed(storage: Storage, path: str) -> tuple[list[str], list[str]]:
    """The folders and files there; none before the first upload, or where another worker was quicker."""
    try:
        return storage.listdir(path)
    except FileNotFoundError:
        return [], []


def _is_older(storage: Storage, name: str, before: datetime) -> bool:
    """Whether the file was there before. One that another worker, or a refused upload, has just deleted is not."""
    try:
        return storage.get_modified_time(name) < before
    except Exception:  # S3 has an error of its own for a file that is gone
        if storage.exists(name):
            raise
        return False
