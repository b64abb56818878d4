"""Whether this process's clock is right: the database's is the one that all processes share.

What is due by a clock that is a day ahead may be what somebody needs today. So a process whose clock is wrong sweeps
nothing, and `/readyz` says so.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models.functions import Now
from django.db.models.sql import Query
from django.utils import timezone

logger = logging.getLogger(__name__)

MOST_SKEW = timedelta(minutes=5)


def database_now() -> datetime:
    """Return the database's time (a query)."""
    sql, parameters = Query(None).get_compiler(connection=connection).compile(Now())
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", parameters)
        (said,) = cursor.fetchone()
    moment = datetime.fromisoformat(said) if isinstance(said, str) else said  # SQLite says it as text
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def skew() -> timedelta:
    """Return how far this process's clock is ahead of the database's (a query)."""
    return timezone.now() - database_now()


def may_sweep(what: str) -> bool:
    """Whether what is due may be deleted: the clock is right. Says in the log where it is not."""
    ahead = skew()
    if abs(ahead) <= MOST_SKEW:
        return True
    logger.error("%s is left out: this clock is %d s ahead of the database's", what, ahead.total_seconds())
    return False
