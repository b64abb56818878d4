"""Work that stopped: leases that ran out long ago, and results that never counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Operation
from accounts.services import operations
from catalog.models import FetchedImage
from catalog.selectors import Taxonomy
from classifier.consistency.walking import LONG, Check, Found, Kind, Step, by_key, by_moment
from classifier.jobs import queue, results, sweep
from classifier.models import Classification, ClassifyRequest

State = Classification.State


def _stopped() -> Iterator[list[Any]]:
    """Rows that a process holds by a lease that ended long ago, by the database's clock."""
    ended = {"lease_until__lt": Now() - LONG}
    running = Classification.objects.filter(state=State.RUNNING)
    yield from by_moment(running.filter(**ended), "lease_until")
    yield list(running.filter(lease_until=None).order_by()[:500])
    held: list[QuerySet[Any]] = [
        ClassifyRequest.objects.filter(state=ClassifyRequest.State.RUNNING, **ended),
        FetchedImage.objects.filter(state=FetchedImage.State.WAITING, **ended),
        Operation.objects.filter(state__in=operations.ALIVE, **ended),
    ]
    for rows in held:
        yield from by_key(rows)


_NAMES = {ClassifyRequest: "classify", FetchedImage: "fetch", Operation: "operation"}


def _leases(asked: Collection[str]) -> Iterator[Step]:
    for place, rows in enumerate(_stopped(), start=1):
        yield Step(
            place,
            place,
            [
                Found("leases-over", f"{_NAMES.get(type(row), 'job')} {getattr(row, 'public_id', row.pk)}")
                for row in rows
            ],
        )


def take_over(_keys: Sequence[Any]) -> None:
    """Let the work of workers that stopped wait again. Operations and fetches are taken from them without that."""
    running = Classification.objects.filter(state=State.RUNNING, lease_until=None)
    queue.put_back(running, "The job was held without a lease.")
    sweep.take_over()


def _unapplied(asked: Collection[str]) -> Iterator[Step]:
    ended = Classification.objects.filter(
        purpose=Classification.Purpose.LIVE,
        applied_at=None,
        state__in=(State.DONE, State.FAILED),
        finished_at__lt=timezone.now() - LONG,
    )
    for state in (State.DONE, State.FAILED):  # one after the other: then the index has them in this order
        for jobs in by_moment(ended.filter(state=state).select_related("image"), "finished_at"):
            yield Step(1, 1, [Found("jobs-not-applied", f"job {job.pk}", job.image.product_id) for job in jobs])


def apply(products: Sequence[int]) -> None:
    """Let results count for these products."""
    results.apply_each(set(products), Taxonomy.load())


LEASES = Check(
    "leases",
    (Kind("leases-over", "work whose worker stopped long ago and that nobody took over", take_over),),
    _leases,
)
UNAPPLIED = Check(
    "ended jobs",
    (Kind("jobs-not-applied", "jobs that ended and never counted for their product", apply),),
    _unapplied,
)
