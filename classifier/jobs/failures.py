"""Images whose last classification failed, and trying again all of those that failed for the same reason."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant, Operation
from accounts.services import operations
from accounts.services.operations import Lease
from classifier.jobs.requests import request_classification
from classifier.models import Classification
from classifier.permissions import require_retries
from core.db import atomic
from core.errors import Conflict, Invalid

KIND = "retry_failed"
_CHUNK = 50  # images in one transaction, which locks their products
_IN_THE_QUEUE = 400  # images that wait behind interactive work; others find a short queue

State = Classification.State
Purpose = Classification.Purpose


def later_job() -> Exists:
    """Whether the image of a job was put into the queue again since, or looked at."""
    later = Classification.objects.filter(image=OuterRef("image"), purpose=Purpose.LIVE, pk__gt=OuterRef("pk"))
    return Exists(later.order_by())


def unsolved(merchant: Merchant | None = None) -> QuerySet[Classification]:
    """Return the failed jobs that are the last word about images that still count, of one merchant or of all."""
    jobs = Classification.objects.filter(
        ~later_job(), state=State.FAILED, purpose=Purpose.LIVE, image__archived_at=None
    )
    return jobs if merchant is None else jobs.filter(image__product__merchant=merchant)


@dataclass(frozen=True)
class Failures:
    """Images that failed for one reason."""

    code: str
    count: int
    first: datetime | None
    last: datetime | None

    @property
    def label(self) -> str:
        """The reason in words."""
        return str(dict(Classification.Error.choices).get(self.code, self.code or _("without a reason")))


def by_error() -> list[Failures]:
    """Count what failed and was not tried again by its reason, the most frequent first; one query."""
    rows = (
        unsolved()
        .order_by()
        .values_list("error_code")
        .annotate(count=Count("pk"), first=Min("finished_at"), last=Max("finished_at"))
    )
    return sorted((Failures(*row) for row in rows), key=lambda one: -one.count)


@atomic
def start_retry(*, actor: Actor, error: str, merchant: Merchant | None = None) -> Operation:
    """Try all images again that failed for one reason, by an operation.

    Args:
        actor: who asks.
        error: one of `Classification.Error`.
        merchant: only this one's images.

    Raises:
        Forbidden: the actor may not.
        Invalid: `nothing_failed`.
        Conflict: `under_way`; the same has been started and has not ended.
    """
    require_retries(actor)
    jobs = unsolved(merchant).filter(error_code=error)
    found = jobs.aggregate(count=Count("pk"), last=Max("pk"))
    if not found["count"]:
        raise Invalid("nothing_failed", _("No photo has failed for this reason, or all were tried again since."))
    operation = Operation(
        kind=KIND,
        merchant=merchant,
        created_by=actor.user,
        parameters={"error": error, "last": found["last"], "cursor": 0},
        total=found["count"],
        open_key=f"{KIND}:{error}:{merchant.pk if merchant else '-'}",
    )
    try:
        with transaction.atomic():
            operation.save()
    except IntegrityError as collision:  # the database lets nobody be quicker
        same = Operation.objects.filter(open_key=operation.open_key).first()
        if same is None:
            raise
        raise Conflict(
            "under_way", _("This is under way already: operation %(id)s."), {"id": same.public_id}
        ) from collision
    operations.note(actor, operation, "start", error=error, total=operation.total)
    return operation


def run(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Queue images again for a while, as far as there is room; see `accounts.services.operations.Run`."""
    until = time.monotonic() + seconds
    total = 0
    while not stop.is_set() and time.monotonic() < until and (queued := _queue_some(lease)):
        total += queued
    return total


@atomic
def _queue_some(lease: Lease) -> int:
    """Queue the next images of an operation; returns how many were dealt with, 0 if there is no room or none left."""
    operation = lease.held.select_for_update().first()
    if operation is None:
        return 0
    waiting = Classification.objects.filter(state=State.QUEUED, priority=Classification.Priority.BULK)
    room = _IN_THE_QUEUE - waiting.order_by()[:_IN_THE_QUEUE].count()
    if room <= 0:
        return 0
    parameters = operation.parameters
    left = unsolved(operation.merchant).filter(
        error_code=parameters["error"], pk__gt=parameters["cursor"], pk__lte=parameters["last"]
    )
    jobs = list(left.select_related("image").order_by("pk")[: min(room, _CHUNK)])
    operation.started_at = operation.started_at or timezone.now()
    if not jobs:
        operation.total = operation.done  # what was put away or tried again meanwhile counts no more
        operations.end(operation, Operation.State.DONE)
        return 0
    for job in jobs:
        request_classification(image=job.image, priority=Classification.Priority.BULK, again=True)
    parameters["cursor"] = jobs[-1].pk
    operation.done += len(jobs)
    operation.state = Operation.State.RUNNING
    operation.save(update_fields=["parameters", "done", "state", "started_at"])
    return len(jobs)
