"""The life of a classification job: claimed under a lease, then done, failed, or put back.

A lease is a random token and an end by the database's clock. Whoever wants to end a job must still hold its token, so
a worker that was thought dead cannot add its results a second time.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Case, F, IntegerField, QuerySet, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from accounts.db import atomic
from accounts.models import Operation
from classifier.models import Classification

State = Classification.State
Error = Classification.Error

_CLOSED = {"open_key": None, "lease_until": None}
_STOPPED = (Operation.State.PAUSED, Operation.State.CANCELLED)
_WAITING = {"state": State.QUEUED, "lease_token": "", "lease_until": None}


@dataclass(frozen=True)
class Batch:
    """Jobs claimed together, and the token of their lease."""

    token: str
    jobs: list[Classification]

    @property
    def is_retry(self) -> bool:
        """Whether it is a job that was broken off before."""
        return any(job.attempts > 1 for job in self.jobs)


@atomic
def claim(limit: int, *, lanes: int = 1, alone: bool = True) -> Batch | None:
    """Claim up to `limit` waiting jobs that ask for the same models, interactive ones first; None if nothing waits.

    With several free `lanes` a short queue is divided among them, so that the photographs of one product are looked
    at side by side: this is the first one's share. A job that was broken off before may have been what killed the
    process. It comes by itself, and only if this process is `alone` with it, having no other batch to lose; until
    then nothing behind it is handed out.
    """
    waiting = list(
        Classification.objects.filter(state=State.QUEUED)
        .order_by("priority", "id")
        .values_list("id", "attempts", "model_set_id")[: limit * lanes]
    )
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
        lease_until=Now() + timedelta(seconds=settings.OTJANG_LEASE_SECONDS),
        started_at=timezone.now(),
        attempts=F("attempts") + 1,
        error_code="",
        error_message="",
    )
    if not claimed:
        return Batch(token, [])
    jobs = (
        Classification.objects.filter(lease_token=token).select_related("image", "model_set").order_by("priority", "id")
    )
    return Batch(token, list(jobs))


def _held(token: str, ids: Collection[int]) -> QuerySet[Classification]:
    return Classification.objects.filter(pk__in=ids, state=State.RUNNING, lease_token=token)


def finish(token: str, garments: Mapping[int, int], *, model_set_id: int, timings: dict[str, float]) -> set[int]:
    """Mark jobs as done, in the caller's transaction; `garments` says by id how many were found.

    Returns:
        The ids of those whose lease still held; the others belong to somebody else now.
    """
    found = Case(*(When(pk=pk, then=Value(count)) for pk, count in garments.items()), output_field=IntegerField())
    done = _held(token, garments).update(
        **_CLOSED,
        state=State.DONE,
        finished_at=timezone.now(),
        model_set_id=model_set_id,
        timings=timings,
        garments_found=found,
    )
    if done == len(garments):
        return set(garments)
    held = Classification.objects.filter(pk__in=garments, state=State.DONE, lease_token=token)
    return set(held.values_list("pk", flat=True))


def fail(token: str, job_id: int, code: str, message: str) -> bool:
    """Mark a job as failed for a reason that trying again does not change; says whether the lease still held."""
    return bool(
        _held(token, [job_id]).update(
            **_CLOSED, state=State.FAILED, finished_at=timezone.now(), error_code=code, error_message=message[:500]
        )
    )


def put_back(jobs: QuerySet[Classification], message: str) -> int:
    """Let broken off jobs wait again, or give them up after their last attempt; returns how many were changed."""
    running = jobs.filter(state=State.RUNNING)
    given_up = running.filter(attempts__gte=settings.OTJANG_MAX_ATTEMPTS).update(
        **_CLOSED,
        state=State.FAILED,
        finished_at=timezone.now(),
        error_code=Error.GAVE_UP,
        error_message=message[:500],
    )
    waiting = running.update(**_WAITING)
    # Whatever somebody stopped meanwhile shall not go on; if it is resumed, it finds these photographs again.
    Classification.objects.filter(state=State.QUEUED, operation__state__in=_STOPPED).delete()
    return given_up + waiting


def put_back_batch(batch: Batch, message: str) -> int:
    """Put back the jobs of a batch that broke off in this process."""
    return put_back(_held(batch.token, [job.pk for job in batch.jobs]), message)


def put_back_expired() -> int:
    """Put back the jobs of workers that died: their leases have ended."""
    return put_back(Classification.objects.filter(lease_until__lt=Now()), "The worker stopped before it was done.")


def any_waiting() -> bool:
    """Whether jobs wait for a worker."""
    return Classification.objects.filter(state=State.QUEUED).exists()


def explain_waiting(code: str, message: str) -> int:
    """Say at every waiting job why it waits; returns how many did not say so yet."""
    waiting = Classification.objects.filter(state=State.QUEUED).exclude(error_code=code)
    return waiting.update(error_code=code, error_message=message[:500])
