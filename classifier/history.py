"""Rows of the past that nothing refers to any more: written to files, then deleted from tables that grow for ever."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from accounts.models import AuditEvent, Operation
from catalog.models import BulkChange, Decision, ProductImage
from classifier.consistency.walking import by_key, by_moment
from classifier.models import Classification, Garment, ShadowReport

_DETACHED = 5000  # rows at a time that forget an operation
_ENDED = (Classification.State.DONE, Classification.State.FAILED, Classification.State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Kind:
    """A table that grows for ever.

    Args:
        code: its name on the command line and of its files.
        sentence: which of its rows are archived.
        model: of the table.
        old: yields primary keys of rows from before a moment that nothing needs, some hundreds at a time.
        still: of some rows, those that nothing needs; asked again when they are deleted.
        detach: takes back what other rows say of some of them.
    """

    code: str
    sentence: str
    model: type[Model]
    old: Callable[[datetime], Iterator[list[int]]]
    still: Callable[[], QuerySet[Any]]
    detach: Callable[[Sequence[int]], None] = lambda _keys: None


@dataclass(frozen=True, slots=True)
class Archived:
    """What became of one kind: how many rows are in which file; None where there were none."""

    kind: Kind
    rows: int
    file: Path | None


def _keys(batches: Iterable[Sequence[Model]]) -> Iterator[list[int]]:
    for batch in batches:
        yield [row.pk for row in batch]


def _old_events(before: datetime) -> Iterator[list[int]]:
    return _keys(by_moment(AuditEvent.objects.filter(created_at__lt=before).only("created_at"), "created_at"))


def _old_jobs(before: datetime) -> Iterator[list[int]]:
    ended = Classification.objects.filter(state__in=_ENDED, finished_at__lt=before)
    return _keys(by_moment(ended.only("finished_at"), "finished_at"))


def _superseded_jobs() -> QuerySet[Classification]:
    """Jobs that ended and count for nothing: neither shown, nor the last of their image, nor with garments left."""
    live = Classification.Purpose.LIVE
    later = Classification.objects.filter(image=OuterRef("image"), purpose=live, pk__gt=OuterRef("pk"))
    return Classification.objects.filter(
        Exists(later) | ~Q(purpose=live),
        ~Q(purpose=live, applied_at=None, state__in=(Classification.State.DONE, Classification.State.FAILED)),
        ~Exists(Garment.objects.filter(classification=OuterRef("pk"))),
        ~Exists(ProductImage.objects.filter(current_classification=OuterRef("pk"))),
        state__in=_ENDED,
    )


def _old_operations(before: datetime) -> Iterator[list[int]]:
    return _keys(by_key(Operation.objects.filter(finished_at__lt=before).only("pk")))


def _forgotten_operations() -> QuerySet[Operation]:
    """Operations that ended, without a result, changes or a report that people may still look at."""
    return Operation.objects.filter(
        ~Exists(BulkChange.objects.filter(operation=OuterRef("pk"))),
        ~Exists(ShadowReport.objects.filter(operation=OuterRef("pk"))),
        finished_at__isnull=False,
        result_file="",
    )


def _detach_operations(keys: Sequence[int]) -> None:
    """Let jobs and decisions forget operations, some at a time: there may be millions of one."""
    for model in (Classification, Decision):
        rows = model._default_manager.filter(operation__in=keys).order_by()
        while some := list(rows.values_list("pk", flat=True)[:_DETACHED]):
            model._default_manager.filter(pk__in=some).update(operation=None)


KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("audit", "lines of the audit trail", AuditEvent, _old_events, AuditEvent.objects.all),
        Kind("jobs", "jobs that later ones of the same photo replaced", Classification, _old_jobs, _superseded_jobs),
        Kind(
            "operations",
            "operations that ended",
            Operation,
            _old_operations,
            _forgotten_operations,
            _detach_operations,
        ),
    )
}


def archive(kind: Kind, folder: Path, before: datetime, goes_on: Callable[[], bool]) -> Archived:
    """Write old rows of one kind into a file and delete them, a few hundred at a time.

    A batch is on the disk before it is deleted. After a kill between the two, the next run writes it a second time:
    who reads several files takes each primary key once.

    Args:
        kind: of the rows.
        folder: for the file, JSON a line, compressed. Only the owner may read it: it names people.
        before: rows from before then.
        goes_on: asked before each batch.
    """
    path = folder / f"{kind.code}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.jsonl.gz"
    file: IO[bytes] | None = None
    count = 0
    try:
        for keys in kind.old(before):
            if not goes_on():
                break
            rows = list(kind.still().filter(pk__in=keys).order_by("pk").values())
            if not rows:
                continue
            if file is None:
                file = _create(path)
            _append(file, rows)
            count += _delete(kind, [row["id"] for row in rows])
    finally:
        if file is not None:
            file.close()
    return Archived(kind, count, None if file is None else path)


def _create(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _append(file: IO[bytes], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a batch as a whole compressed part, so that the file can be read however the next one ends."""
    lines = "".join(json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False) + "\n" for row in rows)
    file.write(gzip.compress(lines.encode(), mtime=0))
    file.flush()
    os.fsync(file.fileno())


def _delete(kind: Kind, keys: Sequence[int]) -> int:
    kind.detach(keys)
    _total, by_model = kind.still().filter(pk__in=keys).order_by().delete()
    return by_model.get(kind.model._meta.label, 0)
