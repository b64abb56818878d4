"""Rows that are there after their time: a sweep deletes them hourly or sooner."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from accounts.models import IdempotentRequest, Operation
from accounts.services import idempotency, operations, result_files
from catalog import files
from catalog.models import FetchedImage, PendingFile, ProductImport, UploadDraft
from catalog.services import drafts, fetching
from catalog.services.imports import sending
from classifier.consistency.walking import DAY, LONG, Check, Found, Kind, Step, by_key, by_moment
from classifier.jobs import spool
from classifier.models import ClassifyRequest
from webhooks import delivery, retention
from webhooks.models import Delivery, Endpoint, Event

_LATE = timedelta(hours=1)


def _steps(kind: str, batches: Iterable[Sequence[Model]], name: Callable[[Any], str]) -> Iterator[Step]:
    for batch in batches:
        yield Step(1, 1, [Found(kind, name(row)) for row in batch])


def _files(asked: Collection[str]) -> Iterator[Step]:
    due = PendingFile.objects.filter(delete_after__lt=timezone.now() - DAY)
    yield from _steps("files-overdue", by_moment(due, "delete_after"), lambda row: row.path)


def _others(asked: Collection[str]) -> Iterator[Step]:
    before = timezone.now() - DAY
    expired = UploadDraft.objects.filter(expires_at__lt=before)
    yield from _steps("rows-overdue", by_moment(expired, "expires_at"), lambda row: f"draft {row.public_id}")
    imports = ProductImport.objects.filter(expires_at__lt=before).exclude(operation__state__in=operations.ALIVE)
    kept = ([row for row in batch if row.files.exists()] for batch in by_moment(imports, "expires_at"))
    yield from _steps("rows-overdue", kept, lambda row: f"import {row.public_id}")
    results = Operation.objects.filter(finished_at__lt=before - result_files.KEPT).exclude(result_file="")
    yield from _steps("rows-overdue", by_key(results), lambda row: f"operation {row.public_id}")
    asked_for = ClassifyRequest.objects.filter(expires_at__lt=timezone.now() - _LATE)
    yield from _steps("rows-overdue", by_moment(asked_for, "expires_at"), lambda row: f"classify {row.public_id}")
    fetched = FetchedImage.objects.filter(finished_at__lt=before - fetching.KEPT)
    yield from _steps("rows-overdue", by_moment(fetched, "finished_at"), lambda row: f"fetch {row.public_id}")


def _webhooks(asked: Collection[str]) -> Iterator[Step]:
    pending = Delivery.objects.filter(state=Delivery.State.PENDING)
    for endpoints in by_key(Endpoint.objects.filter(failures__gt=0)):
        for endpoint in endpoints:
            late = pending.filter(endpoint=endpoint, until__lt=timezone.now() - DAY)
            yield from _steps("deliveries-overdue", by_moment(late, "until"), lambda row: f"delivery {row.public_id}")
    old = Event.objects.filter(created_at__lt=timezone.now() - DAY - _retention())
    for events in by_moment(old, "created_at"):
        waiting = set(pending.filter(event__in=events).values_list("event", flat=True))
        over = [event for event in events if event.pk not in waiting]
        yield Step(1, 1, [Found("deliveries-overdue", f"event {event.public_id}") for event in over])


def _retention() -> timedelta:
    return timedelta(days=settings.OTJANG_WEBHOOK_RETENTION_DAYS)


def _requests(asked: Collection[str]) -> Iterator[Step]:
    over = IdempotentRequest.objects.filter(expires_at__lt=timezone.now() - max(_LATE, LONG))
    yield from _steps("requests-overdue", by_moment(over, "expires_at"), lambda row: f"request {row.pk}")


def _sweep_files(_keys: Sequence[Any]) -> None:
    files.delete_due()


def _sweep_rows(_keys: Sequence[Any]) -> None:
    drafts.delete_expired()
    sending.prune()
    result_files.prune()
    fetching.prune()
    while spool.forget_expired():
        pass


def _sweep_webhooks(_keys: Sequence[Any]) -> None:
    delivery.expire()
    retention.prune()


def _sweep_requests(_keys: Sequence[Any]) -> None:
    idempotency.prune()


OVERDUE = (
    Check(
        "files to delete",
        (Kind("files-overdue", "files that were to be deleted a day ago or more", _sweep_files),),
        _files,
    ),
    Check(
        "drafts and results",
        (Kind("rows-overdue", "drafts, imports, results and requests with files after their time", _sweep_rows),),
        _others,
    ),
    Check(
        "webhooks",
        (Kind("deliveries-overdue", "events and deliveries after their time", _sweep_webhooks),),
        _webhooks,
    ),
    Check(
        "requests",
        (Kind("requests-overdue", "repeatable requests after their time", _sweep_requests),),
        _requests,
    ),
)
