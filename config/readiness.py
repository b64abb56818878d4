"""Whether the site can do its work: `/readyz` looks at the database, the storage, the shared cache and the queue.

Each part is asked by a thread of its own, one question at a time, and its answer is kept for a while: however many ask,
a part that hangs holds one thread, and the storage is written to no oftener than its answer is old.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from classifier.jobs.queue import seconds_waited
from config.health import database_problem
from core.clock import MOST_SKEW, skew
from core.ids import public_id

TIMEOUT = 3.0  # s, of all parts together
STORAGE_SECONDS = 10.0  # how old the storage's answer may be
QUICK_SECONDS = 1.0  # the others'
OK, FAILED, UNUSED = "ok", "failed", "unused"


class NotReady(Exception):
    """A part does not do its work: one word for the reason, which tells nothing secret, and what else is shown."""

    def __init__(self, reason: str, said: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.said = {"reason": reason, **(said or {})}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking a part.

    Attributes:
        state: `ok`, `failed`, or `unused` for a part that the settings leave out.
        ms: how long the part took.
        said: what else is shown of it.
    """

    state: str
    ms: float
    said: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {"state": self.state, "ms": round(self.ms, 1), **self.said}


class Part:
    """Something that the site needs.

    Args:
        ask: returns what to show of the part, or None where it is not in use; raises where it does not work.
        seconds: for how long an answer is good.
    """

    def __init__(self, name: str, ask: Callable[[], dict[str, Any] | None], seconds: float) -> None:
        self.name = name
        self._ask = ask
        self._seconds = seconds
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"ready-{name}")
        self.forget()

    def forget(self) -> None:
        """Ask again whatever is known."""
        self._asked: Future[Answer] | None = None
        self._began = 0.0

    def look(self) -> tuple[Future[Answer], float]:
        """Return the last answer while it is good, else what will be one, and how many seconds ago it was asked for."""
        with self._lock:
            age = time.monotonic() - self._began
            if self._asked is None or (self._asked.done() and age >= self._seconds):
                self._began, age = time.monotonic(), 0.0
                self._asked = self._thread.submit(self._answer)
            return self._asked, age

    def _answer(self) -> Answer:
        began = time.perf_counter()
        try:
            said = self._ask()
            state = UNUSED if said is None else OK
        except NotReady as error:
            state, said = FAILED, error.said
        except Exception as error:  # each part has errors of its own; their texts may hold addresses and passwords
            state, said = FAILED, {"reason": type(error).__name__}
        return Answer(state, 1000 * (time.perf_counter() - began), said or {})


def _database() -> dict[str, Any]:
    problem = database_problem()
    if problem is not None:
        raise NotReady(problem)
    connection.close_if_unusable_or_obsolete()
    ahead = skew()
    if abs(ahead) > MOST_SKEW:  # the database's clock is everybody's
        raise NotReady("WrongClock", {"seconds_ahead": round(ahead.total_seconds())})
    return {}


def _probe() -> str:
    """A name of this process alone, and the same after a kill: what was left there is overwritten."""
    return f"probe/{socket.gethostname()}-{os.environ.get('PORT', '')}"


def _storage() -> dict[str, Any]:
    name, content = _probe(), public_id().encode()
    default_storage.delete(name)
    stored = default_storage.save(name, ContentFile(content))
    try:
        with default_storage.open(stored) as file:
            if file.read() != content:
                raise NotReady("OtherContent")
    finally:
        default_storage.delete(stored)
    return {}


def _cache() -> dict[str, Any] | None:
    if "LOCATION" not in settings.CACHES["default"]:
        return None  # each process counts in its own memory
    key, token = f"ready-{public_id()}", public_id()
    cache.set(key, token, 10)
    if cache.get(key) != token:
        raise NotReady("OtherContent")
    cache.delete(key)
    return {}


def _queue() -> dict[str, Any]:
    connection.close_if_unusable_or_obsolete()
    waited, limit = seconds_waited(), settings.OTJANG_READY_QUEUE_SECONDS
    said = {"oldest_seconds": round(waited), "limit_seconds": limit}
    if limit and waited > limit:
        raise NotReady("TooOld", said)
    return said


PARTS = (
    Part("database", _database, QUICK_SECONDS),
    Part("storage", _storage, STORAGE_SECONDS),
    Part("cache", _cache, QUICK_SECONDS),
    Part("queue", _queue, QUICK_SECONDS),
)


def answers() -> dict[str, Answer]:
    """Ask all parts at once; what has not answered within TIMEOUT seconds of being asked has failed."""
    looked = {part.name: part.look() for part in PARTS}
    # A question that hangs already is not waited for again by everybody who comes.
    left = [TIMEOUT - age for asked, age in looked.values() if not asked.done()]
    wait_for([asked for asked, _age in looked.values()], timeout=max(0.0, *left) if left else 0.0)
    late = Answer(FAILED, 1000 * TIMEOUT, {"reason": "Timeout"})
    return {name: asked.result() if asked.done() else late for name, (asked, _age) in looked.items()}
