"""Whether the database answers, asked so that the asking cannot hang."""

from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError  # noqa: A004  (other than the built-in to 3.11)
from threading import Lock

from django.db import DatabaseError, connection

_TIMEOUT = 2  # s; a load balancer waits no longer

_asker = ThreadPoolExecutor(1, thread_name_prefix="health")
_lock = Lock()
_asked: Future[None] | None = None


def _ask() -> None:
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def database_problem() -> str | None:
    """Return None if the database answers within two seconds, else the name of what is wrong.

    One question at a time is on its way: while the database hangs, no thread but that one hangs with it.
    """
    global _asked
    with _lock:
        if _asked is None or _asked.done():
            _asked = _asker.submit(_ask)
        asked = _asked
    try:
        asked.result(_TIMEOUT)
    except TimeoutError:
        return "Timeout"
    except DatabaseError as error:
        return type(error).__name__
    return None
