"""The life of a classification job: claimed under a lease, then done, failed, or put back.

A lease is a random token and an end by the database's clock, which `classifier.jobs.leases` puts off while the process
works. To end a job, a process must still hold its token, so a worker that was thought dead cannot add its results a
second time.

**Whose turn it is.** Interactive jobs come first. Among the jobs of one priority every merchant gets the same share,
however many wait: a new job's `turn` is the one after the last that waits for its merchant, and at least the turn of
the job that is next in the queue. Jobs are claimed in the order of their turns, so one image of each merchant comes
after the other, and a merchant that had nothing waiting does not catch up on what it did not ask for. Two transactions
that queue for the same merchant at the same moment may give out the same turns, which costs the others that much once.
"""

from __future__ import annotations

import math
import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Now
from django.db.transaction import on_commit
from django.utils import timezone

from accounts.models import Merchant, Operation
from classifier.jobs import measured
from classifier.models import Classification
from core.db import atomic

State = Classification.State
Error = Classification.Error

_ORDER = ("priority", "turn", "id")
_CLOSED = {"open_key": None, "lease_until": None}
_LOOKED_AT = 1_000  # jobs at the head of the queue
_STOPPED = (Operation.State.PAUSED, Operation.State.CANCELLED)
_WAITING = {"state": State.QUEUED, "lease_token": "", "lease_until": None}
# How long a job waits after the storage failed: as long as it has waited already, so twice as long each time.
_LEAST_DELAY, _MOST_DELAY = 5.0, 300.0  # seconds


@dataclass(frozen=True)
class Batch:
    """Jobs claimed together, and the token of their lease."""

    token: str
    jobs: list[Classification]

    @property
    def is_retry(self) -> bool:
        """Whether it is a job that was broken off before."""
        return any(job.attempts > 1 for job in self.jobs)

    @property
    def ids(self) -> list[int]:
        """Primary keys of the jobs, in their order."""
        return [job.pk for job in self.jobs]

    @property
    def log_fields(self) -> dict[str, Any]:
        """What lines of the log about the batch carry."""
        return {"jobs": self.ids, "images": [job.image.public_id for job in self.jobs]}


@dataclass(frozen=True)
class Place:
    """A new job's place in the queue: whose it is, and its turn among those of its priority."""

    merchant_id: int
    turn: int


def place(merchant_id: int, priority: int) -> Place:
    """The place of a merchant's next job, by one query whose cost does not depend on how many wait."""
    last = Classification.objects.filter(merchant=merchant_id, state=State.QUEUED, priority=priority)
    found = Merchant.objects.filter(pk=merchant_id).values_list(
        Subquery(due().filter(priority=priority).order_by("turn").values("turn")[:1]),
        Subquery(last.order_by("-turn").values("turn")[:1]),
    )
    now, own = found.get()
    return Place(merchant_id, max(now or 0, 0 if own is None else own + 1))


def due() -> QuerySet[Classification]:
    """Jobs that a worker may take now: without those that wait for the storage to answer again."""
    return Classification.objects.filter(Q(not_before=None) | Q(not_before__lte=Now()), state=State.QUEUED)


def _for_this_worker() -> QuerySet[Classification]:
    """Of these, what the worker is for: one that takes bulk work takes everything."""
    if "bulk" in settings.OTJANG_WORKER_QUEUES:
        return due()
    return due().filter(priority=Classification.Priority.INTERACTIVE)


@atomic
def claim(limit: int, *, lanes: int = 1, alone: bool = True) -> Batch | None:
    """Claim up to `limit` waiting jobs that ask for the same models, by their turns; None if nothing waits.

    With several free `lanes` a short queue is divided among them, so that the images of one product are looked
    at side by side: this is the first one's share. A job that was broken off before may have been what killed the
    process. It is claimed alone, and only if this process is `alone` with it, having no other batch to lose; until
    then nothing behind it is handed out.
    """
    waiting = list(_for_this_worker().order_by(*_ORDER).values_list("id", "attempts", "model_set_id")[: limit * lanes])
    if not waiting or (waiting[0][1] and not alone):
        return None
    first, broken_off, model_set = waiting[0]
    if broken_off:
        ids = [first]
    else:
        fresh = [job for job, attempts, asked in waiting if not attempts and asked == model_set]
        ids = fresh[: math.ceil(len(fresh) / lanes)]
    token = secrets.token_hex(16)
    # The state is checked again by the UPDATE: two workers that chose the same rows share them without overlap.
    claimed = Classification.objects.filter(pk__in=ids, state=State.QUEUED).update(
        state=State.RUNNING,
        lease_token=token,
        lease_until=lease_end(),
        not_before=None,
        started_at=Now(),
        attempts=F("attempts") + 1,
        error_code="",
        error_message="",
    )
    if not claimed:
        return Batch(token, [])
    # By their keys: no index knows tokens, and looking for one would read the whole history.
    jobs = _held(token, ids).select_related("image", "model_set").order_by(*_ORDER)
    return Batch(token, list(jobs))


def lease_end() -> Now:
    """When a lease ends that begins, or is renewed, now; by the database's clock."""
    return Now() + timedelta(seconds=settings.OTJANG_LEASE_SECONDS)  # type: ignore[return-value]


def _held(token: str, ids: Collection[int]) -> QuerySet[Classification]:
    return Classification.objects.filter(pk__in=ids, state=State.RUNNING, lease_token=token)


def finish(token: str, garments: Mapping[int, int | None], *, model_set_id: int, timings: dict[str, float]) -> set[int]:
    """Mark jobs as done, in the caller's transaction; `garments` says by id how many were found, None
    where none were looked for.

    Returns:
        The ids of those whose lease still held. The others belong to somebody else now, or were done already by a
        transaction whose end was not heard of.
    """
    held = set(_held(token, garments).select_for_update().values_list("pk", flat=True))
    if not held:
        return held
    by_count: dict[int | None, list[int]] = defaultdict(list)
    for pk in held:
        by_count[garments[pk]].append(pk)
    found = Case(
        *(When(pk__in=ids, then=Value(number)) for number, ids in by_count.items()), output_field=IntegerField()
    )
    Classification.objects.filter(pk__in=held).update(
        **_CLOSED,
        state=State.DONE,
        finished_at=Now(),
        model_set_id=model_set_id,
        timings=timings,
        garments_found=found,
    )
    return held


@atomic
def fail(token: str, job_id: int, code: str, message: str) -> bool:
    """Mark a job as failed for a reason that trying again does not change; says whether the lease still held."""
    failed = _held(token, [job_id]).update(
        **_CLOSED, state=State.FAILED, finished_at=Now(), error_code=code, error_message=message[:500]
    )
    if failed:
        _count_failed([job_id])
    return bool(failed)


def count(operations: Iterable[int | None], counter: str) -> None:
    """Add ended jobs to the `counter` (done, failed) of their operations, in the transaction that ended them.

    Args:
        operations: the operation of each ended job; None for a job of its own.
        counter: a field of `Operation`.
    """
    for pk, number in sorted(Counter(filter(None, operations)).items()):
        Operation.objects.filter(pk=pk).update(**{counter: F(counter) + number})


def _count_failed(ids: Collection[int]) -> None:
    owned = Classification.objects.filter(pk__in=ids, operation__isnull=False).order_by()
    for pk, number in owned.values_list("operation").annotate(Count("pk")):
        Operation.objects.filter(pk=pk).update(failed=F("failed") + number)


@atomic
def put_back(jobs: QuerySet[Classification], message: str) -> int:
    """Let broken off jobs wait again, or give them up after their last attempt; returns how many were changed."""
    running = dict(jobs.filter(state=State.RUNNING).select_for_update().values_list("pk", "attempts"))
    if not running:
        return 0
    last = [pk for pk, attempts in running.items() if attempts >= settings.OTJANG_MAX_ATTEMPTS]
    if last:
        Classification.objects.filter(pk__in=last).update(
            **_CLOSED,
            state=State.FAILED,
            finished_at=Now(),
            error_code=Error.GAVE_UP,
            error_message=message[:500],
        )
        _count_failed(last)
        on_commit(lambda: measured.FAILED.add(len(last), code=Error.GAVE_UP))
    on_commit(lambda: measured.PUT_BACK.add(len(running) - len(last), reason="broken_off"))
    _wait_again([pk for pk in running if pk not in last])
    return len(running)


def _wait_again(ids: Collection[int], **fields: object) -> None:
    Classification.objects.filter(pk__in=ids).update(**_WAITING, **fields)
    # Whatever somebody stopped meanwhile shall not go on; if it is resumed, it finds these images again.
    Classification.objects.filter(pk__in=ids, state=State.QUEUED, operation__state__in=_STOPPED).delete()


def put_back_batch(batch: Batch, message: str) -> int:
    """Put back the jobs of a batch that broke off in this process."""
    return put_back(_held(batch.token, batch.ids), message)


@atomic
def release(token: str, ids: Collection[int]) -> None:
    """Let jobs wait again that were claimed but not tried; it does not count as an attempt."""
    held = list(_held(token, ids).select_for_update().values_list("pk", flat=True))
    _wait_again(held, attempts=F("attempts") - 1)


@atomic
def wait_for_storage(token: str, job_ids: Collection[int], message: str) -> None:
    """Let jobs wait whose files the storage did not give out: for longer each time, and without using up an attempt."""
    now = timezone.now()
    for job in _held(token, job_ids).select_for_update():
        age = (now - job.queued_at).total_seconds()
        _wait_again(
            [job.pk],
            attempts=F("attempts") - 1,
            not_before=Now() + timedelta(seconds=min(max(age, _LEAST_DELAY), _MOST_DELAY)),
            error_code=Error.STORAGE,
            error_message=message[:500],
        )
        on_commit(lambda: measured.PUT_BACK.add(reason="storage"))


def put_back_expired(mine: Collection[str] = ()) -> int:
    """Put back the jobs of workers that died: their leases have ended.

    Args:
        mine: tokens of leases that this process holds. While the database was away they could not be renewed, but
            their holder is alive.
    """
    expired = Classification.objects.filter(state=State.RUNNING, lease_until__lt=Now()).exclude(lease_token__in=mine)
    ids = list(expired.order_by().values_list("pk", flat=True))
    if not ids:
        return 0
    again = Classification.objects.filter(pk__in=ids, lease_until__lt=Now())  # else it was renewed in this moment
    return put_back(again, "The worker stopped before it was done.")


def any_waiting(priority: int | None = None) -> bool:
    """Whether jobs wait for a worker; only of one priority, if given."""
    waiting = due() if priority is None else due().filter(priority=priority)
    return waiting.exists()


def seconds_waited() -> float:
    """Return how long ago the oldest job was queued that somebody waits for and no worker took; 0 where none waits.

    Bulk work may wait for days. Asks for the lowest id among those whose turn is next, by the index of the queue alone:
    every merchant's oldest job is one of them, and its history is longer.
    """
    waiting = Classification.objects.filter(state=State.QUEUED, priority=Classification.Priority.INTERACTIVE)
    oldest = waiting.order_by("turn", "id")[:_LOOKED_AT].aggregate(oldest=Min("id"))["oldest"]
    queued = Classification.objects.filter(pk=oldest).values_list("queued_at", flat=True).first()
    return max(0.0, (timezone.now() - queued).total_seconds()) if queued else 0.0


def explain_waiting(code: str, message: str) -> int:
    """Say at every waiting job why it waits; returns how many did not say so yet."""
    waiting = Classification.objects.filter(state=State.QUEUED).exclude(error_code=code)
    return waiting.update(error_code=code, error_message=message[:500])
