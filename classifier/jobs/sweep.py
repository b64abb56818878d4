"""What the worker puts right every few seconds: whatever a crash, a lost message or a missing file left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.services import idempotency, result_files, sessions
from catalog import files
from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy
from catalog.services import bulk, closing, drafts, fetching, merchant_figures
from catalog.services.imports import sending
from classifier.jobs import answering, chores, operations, queue, results, spool
from classifier.jobs.leases import keeper
from classifier.jobs.tasks import wake_bulk_worker, wake_for_next, wake_workers
from classifier.models import Chore, Classification, Garment
from core import clock
from webhooks import delivery, retention

logger = logging.getLogger(__name__)

State = Classification.State
_CHUNK = 500
_LOOKED_AT = 200  # products at a time
# A worker that is alive does these on its own within seconds; the sweep leaves them to it for so long.
_GRACE = timedelta(seconds=10)
_NEVER = threading.Event()


def sweep() -> None:
    """Everything that is due every few seconds. Each step is safe beside other workers, and when it is repeated."""
    apply_left_over()
    if clock.may_sweep("what requests left"):
        spool.forget_expired()
        idempotency.prune()
    if operations.feed():
        wake_bulk_worker()
    wake_for_waiting()


def take_over() -> int:
    """Let the jobs of workers that stopped wait again, and wake a worker for them; returns how many there were."""
    if expired := queue.put_back_expired(keeper.tokens):
        logger.warning("%d jobs taken over from a worker that stopped", expired)
        wake_for_next()
    if requests := answering.take_over():
        logger.warning("%d requests taken over from a worker that stopped", requests)
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
    """Products that are being classified although no image of them waits, looked for in some of them at a time.

    There may be as many as images wait, and hardly ever one of these: an image was deleted while it waited.
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
        finished_at__lt=Now() - _GRACE,
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
    waiting = is_overlooked()
    if waiting:
        wake_workers()
    return waiting


def is_overlooked() -> bool:
    """Whether jobs wait for longer than it takes a worker that was woken to take them, if it has nothing else to do."""
    return queue.due().filter(queued_at__lt=Now() - _GRACE).exists()


def prune(stop: threading.Event = _NEVER) -> None:
    """Delete what is no longer needed. Ends soon after `stop` is set.

    What is in the database and the storage is for one worker at a time; another one leaves it to that one.
    """
    temporary = files.remove_stale_temporary_files(Path(settings.FILE_UPLOAD_TEMP_DIR))
    with chores.alone("prune", stop) as goes_on:
        if goes_on is None:
            return
        garments = prune_superseded(goes_on)
        drafts.delete_expired()
        orphans = files.delete_due(goes_on)
        changes = bulk.prune(goes_on)
        results = result_files.prune(goes_on)
        imports = sending.prune(goes_on)
        closing.remove_due(goes_on)
        delivery.expire()
        fetching.prune(goes_on)
        events = retention.prune(goes_on)
        sessions.prune(goes_on)
    if garments or orphans or temporary or changes or results or imports or events:
        logger.info(
            "pruned %d superseded garments, %d orphan and %d temporary files, %d rows of bulk operations, "
            "%d results, %d imports, %d events",
            garments,
            orphans,
            temporary,
            changes,
            results,
            imports,
            events,
        )


def count_merchants(stop: threading.Event = _NEVER) -> None:
    """Count what merchants have, where something changed; for one worker at a time."""
    with chores.alone("figures", stop) as goes_on:
        if goes_on is not None:
            merchant_figures.count_changed(goes_on)


def prune_superseded(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete garments that models found in earlier runs, unless somebody decided on them; returns how many.

    A run makes earlier ones superfluous the retention time after its end. So each finished job is looked at once, when
    it gets that old: what it cost does not grow with what is kept. `goes_on` is asked before every 500 jobs.
    """
    before = timezone.now() - timedelta(days=settings.OTJANG_PREDICTION_RETENTION_DAYS)
    chore, _created = Chore.objects.get_or_create(name="prune_superseded")
    deleted = 0
    while goes_on() and (finished := _finished_after(chore, before)):
        deleted += _delete_superseded({image for _pk, _finished_at, image in finished}, before)
        chore.done_id, chore.done_until, _image = finished[-1]
        chore.save(update_fields=["done_id", "done_until"])
    return deleted


def _finished_after(chore: Chore, before: datetime) -> list[tuple[int, datetime | None, int]]:
    """The next jobs behind those that the chore has looked at, as id, end and image, in the order of their ends."""
    done = Classification.objects.filter(state=State.DONE, finished_at__lt=before)
    if chore.done_until is not None:
        behind = Q(finished_at__gt=chore.done_until) | Q(pk__gt=chore.done_id)
        done = done.filter(behind, finished_at__gte=chore.done_until)
    return list(done.order_by("finished_at", "pk").values_list("pk", "finished_at", "image_id")[:_CHUNK])


def _delete_superseded(images: Collection[int], before: datetime) -> int:
    superseded = Garment.objects.filter(
        ~Exists(ProductImage.objects.filter(current_classification=OuterRef("classification"))),
        ~Q(predictions__decisions__isnull=False),
        ~Exists(Garment.objects.filter(replaces=OuterRef("pk"))),  # a person's stands for it, in later runs too
        Q(classification__applied_at__isnull=False) | Q(classification__purpose=Classification.Purpose.SHADOW),
        image__in=images,
        source=Garment.Source.MODEL,
        classification__state=State.DONE,
        classification__finished_at__lt=before,
    ).order_by("pk")
    deleted = 0
    while ids := list(superseded.values_list("pk", flat=True)[:_CHUNK]):
        Garment.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted
