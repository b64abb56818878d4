"""How large tables are walked: in batches behind the last key, so that neither memory nor a query grows with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Max, Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)

LONG = timedelta(minutes=5)
"""What a worker puts right within seconds is found if it is older than this."""
DAY = timedelta(days=1)
"""The same for what is deleted hourly."""
BATCH = 500


@dataclass(frozen=True, slots=True)
class Found:
    """Something that must not be: of which kind, how it is shown, and what its mending needs."""

    kind: str
    name: str
    key: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """A batch that was looked at: how far the walk is, and what was found in it."""

    done: int
    total: int
    found: Sequence[Found] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that must not be.

    Args:
        code: its name on the command line.
        sentence: what is found.
        mend: puts some right by their keys; None where a person has to look.
    """

    code: str
    sentence: str
    mend: Callable[[Sequence[Any]], object] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A walk that looks for several kinds at once.

    Args:
        name: of what it walks through.
        kinds: that it looks for.
        walk: yields its steps; it is told which of its kinds are asked for.
    """

    name: str
    kinds: Sequence[Kind]
    walk: Callable[[Collection[str]], Iterator[Step]] = field(repr=False)


def last_key(model: type[Model]) -> int:
    """Return the highest primary key of a table, 0 for an empty one."""
    last: int | None = model._default_manager.aggregate(last=Max("pk"))["last"]
    return last or 0


def by_key(rows: QuerySet[Row], size: int = BATCH) -> Iterator[list[Row]]:
    """Yield rows in the order of their primary key."""
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk")[:size]):
        yield batch
        after = batch[-1].pk


def keys_of(model: type[Model], size: int = BATCH) -> Iterator[list[int]]:
    """Yield the primary keys of a table alone."""
    rows = model._default_manager.order_by("pk").values_list("pk", flat=True)
    after = 0
    while batch := list(rows.filter(pk__gt=after)[:size]):
        yield batch
        after = batch[-1]


def by_moment(rows: QuerySet[Row], moment: str, size: int = BATCH) -> Iterator[list[Row]]:
    """Yield rows in the order of an indexed time, for conditions that few rows meet: by key all would be read."""
    rows = rows.order_by(moment, "pk")
    batch = list(rows[:size])
    while batch:
        yield batch
        at: datetime = getattr(batch[-1], moment)
        behind = Q(**{f"{moment}__gt": at}) | Q(pk__gt=batch[-1].pk)
        batch = list(rows.filter(behind, **{f"{moment}__gte": at})[:size])
