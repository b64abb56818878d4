"""Transactions that survive a deadlock, work that survives a database that is away, and counts that stay cheap."""

from __future__ import annotations

import functools
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import Error, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from core.outage import database_is_away

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_RETRYABLE_MYSQL = {1205, 1213}  # lock wait timeout, deadlock
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds
_LOOK_SECONDS = 0.2


def _is_retryable(error: OperationalError) -> bool:
    return bool(error.args) and (error.args[0] in _RETRYABLE_MYSQL or "database is locked" in str(error.args[0]))


class Backoff:
    """Pauses in seconds that double from `first` up to `longest`, a little different for each process."""

    def __init__(self, first: float = _FIRST_PAUSE, longest: float = _LONGEST_PAUSE) -> None:
        self._first = self._next = first
        self._longest = longest

    def pause(self) -> float:
        """Return the next pause."""
        pause = self._next
        self._next = min(2 * pause, self._longest)
        return pause * random.uniform(0.8, 1.0)

    def reset(self) -> None:
        """Begin again with the shortest pause: it went well."""
        self._next = self._first


def outlast(work: Callable[[], R], *, what: str, stop: threading.Event) -> R:
    """Do `work`, and again from its start as long as the database is away. For workers: web requests answer at once.

    Args:
        work: may be repeated, even if what it committed last was not confirmed.
        what: named in the log.
        stop: set when the process shall end: then the next failure is the last one.

    Raises:
        Error: the database's, if it says something else, or within a transaction, which cannot be repeated from here.
    """
    backoff = Backoff()
    while True:
        try:
            return work()
        except Error as error:
            if connection.in_atomic_block or stop.is_set() or not database_is_away(error):
                raise
            connection.close()
            pause = backoff.pause()
            logger.warning("%s: the database is away (%s); tried again in %.1f s", what, error, pause)
            sleep_until(time.monotonic() + pause, stop)


def sleep_until(moment: float, stop: threading.Event) -> None:
    """Sleep until that moment of the monotonic clock, or until `stop` is set.

    Looks instead of waiting for it: a signal's handler may set it on this thread, which must hold none of its locks.
    """
    while not stop.is_set() and (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_SECONDS))


# Holds the transaction of a `decisive` function, while somebody wants to write beside it before it is committed.
_kept: ContextVar[ExitStack | None] = ContextVar("kept", default=None)


def atomic(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in a transaction, and again from the start when the database gave it up as a deadlock's victim.

    Inside an outer transaction it runs once: only the outermost one can be repeated as a whole.
    """
    return _in_transaction(function, lambda: None)


def decisive(function: Callable[P, R]) -> Callable[P, R]:
    """As `atomic`, for the transaction that carries out an operation which needs others before it.

    Such as the one that gives files their rows, when these are written already. Within `kept_open` it stays open.
    """
    return _in_transaction(function, _kept.get)


@contextmanager
def kept_open() -> Iterator[None]:
    """Keep the transaction of a `decisive` function open until the block ends: what it writes belongs to it.

    What the block raises undoes both. A block without such a function has no transaction.
    """
    with ExitStack() as stack:
        token = _kept.set(stack)
        try:
            yield
        finally:
            _kept.reset(token)


def _in_transaction(function: Callable[P, R], keeper: Callable[[], ExitStack | None]) -> Callable[P, R]:
    """Let `function` run in a transaction, which the keeper's stack ends where there is one."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, _ATTEMPTS + 1):
            nested = transaction.get_connection().in_atomic_block
            try:
                with ExitStack() as own:
                    own.enter_context(transaction.atomic())
                    result = function(*args, **kwargs)
                    if not nested and (kept := keeper()) is not None:
                        kept.push(own.pop_all())
                return result
            except OperationalError as error:
                if nested or attempt == _ATTEMPTS or not _is_retryable(error):
                    raise
                logger.info("retrying %s after %s", function.__qualname__, error.args[0])
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    return wrapper


def among(ids: Iterable[int]) -> RawSQL:
    """Return these ids as a subquery for `__in`, by which rows are looked up one after the other.

    It is one parameter. A list of a thousand has the database plan a thousand ranges, and takes it ten times as long.
    """
    given = json.dumps(list(ids))
    if connection.vendor == "sqlite":
        return RawSQL("SELECT given.value FROM json_each(%s) given", [given])
    return RawSQL("SELECT given.id FROM JSON_TABLE(%s, '$[*]' COLUMNS (id BIGINT PATH '$')) given", [given])


def keys_of(parts: Sequence[QuerySet[Any]]) -> RawSQL:
    """Return the keys of limited queries together, as a subquery for `__in`.

    Keys come from an index that holds all that is asked; the rows, which are wide, are then read for these alone.
    """
    written = []
    for part in parts:
        with suppress(EmptyResultSet):  # a condition that nothing can meet has no SQL
            written.append(part.values("pk").query.sql_with_params())
    if not written:
        return among([])
    # Each part in a derived table of its own: SQLite knows no limits within a union, MySQL none in what IN looks at.
    derived = (f"SELECT part{place}.pk FROM ({sql}) part{place}" for place, (sql, _) in enumerate(written))  # noqa: S608
    parameters = [parameter for _, given in written for parameter in given]
    return RawSQL(f"SELECT page.pk FROM ({' UNION ALL '.join(derived)}) page", parameters)  # noqa: S608, S611 - the ORM's own, with its parameters


def capped_counts(
    querysets: Mapping[str, QuerySet[Any]],
    limit: int,
    others: Mapping[str, int] | None = None,
    parts: Mapping[str, QuerySet[Any]] | None = None,
) -> dict[str, int]:
    """Count the rows of each queryset, all in one query that reads only so many rows of each.

    Args:
        querysets: by a name. Their order stays: it may say which index is read.
        limit: how many rows are read of each at most.
        others: by name, where it is another number.
        parts: by name, rows that the queryset surely has among its own, and that are found sooner. Where these are as
            many as are counted at most, no others are looked for.

    Returns:
        The counts under the same names; the limit stands for that many or more.
    """
    others, parts = others or {}, parts or {}
    counts: list[str] = []
    parameters: list[Any] = []
    for place, (name, rows) in enumerate(querysets.items()):
        most = others.get(name, limit)
        sql, given = _count(rows, most, f"capped{place}")
        if name in parts:
            of_part, given_part = _count(parts[name], most, f"part{place}")
            sql = f"(CASE WHEN {of_part} >= {most:d} THEN {most:d} ELSE {sql} END)"
            given = (*given_part, *given)
        counts.append(sql)
        parameters += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", parameters)
        return dict(zip(querysets, cursor.fetchone(), strict=True))


def _count(rows: QuerySet[Any], most: int, name: str) -> tuple[str, tuple[Any, ...]]:
    sql, given = rows.values("pk")[:most].query.sql_with_params()
    return f"(SELECT COUNT(*) FROM ({sql}) {name})", given  # noqa: S608 - Django wrote it


def grouped_count(rows: QuerySet[Any], columns: Sequence[str], limit: int) -> list[tuple[Any, ...]]:
    """Count rows by columns or annotations in one query that reads at most `limit` rows, in no certain order.

    Returns:
        For each combination its values and their count.
    """
    sql, parameters = rows.order_by().values_list(*columns)[:limit].query.sql_with_params()
    names = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names}, COUNT(*) FROM ({sql}) capped GROUP BY {names}", parameters)  # noqa: S608 - as above
        return list(cursor.fetchall())
