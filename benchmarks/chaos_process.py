"""A process of the site as the chaos proof runs it: the product's own, with points at which it can be told to end.

    python -m benchmarks.chaos_process NAME config.server
    python -m benchmarks.chaos_process NAME worker

NAME is by what the process is told that its clock is wrong. What is patched here surrounds the product's functions and
changes nothing of what they do; no code of the product knows of it.
"""

from __future__ import annotations

import functools
import os
import runpy
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.chaos_orders import READ_SECONDS, Orders, orders

POISON = "poison"  # an image whose name begins like this kills the process that looks at it
WEB_POINTS = (
    "web before its files are announced",
    "web after a file is written",
    "web before a commit",
    "web after a commit",
)
WORKER_POINTS = (
    "worker before the claim",
    "worker before the commit of the claim",
    "worker after the commit of the claim",
    "worker while it reads files",
    "worker while it decodes",
    "worker in the networks",
    "worker before the commit of results",
    "worker after the commit of results",
    "worker before the commit of values",
    "worker after the commit of values",
)
REST_POINTS = (
    "worker before the commit of a take-over",
    "worker before the commit of a renewal",
    "worker before the commit of an operation's step",
    "worker after the commit of an operation's step",
)

_here = threading.local()  # .work: what this thread's transactions are for; .poisoned: what it looks at kills it


@contextmanager
def _doing(work: str) -> Iterator[None]:
    before, _here.work = getattr(_here, "work", ""), work
    try:
        yield
    finally:
        _here.work = before


def _around(owner: Any, name: str, enter: Callable[..., Any]) -> None:
    """Let `enter` be called with the arguments before a function of a module or class."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        enter(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, wrapper)


def _named(owner: Any, name: str, work: str | Callable[..., str]) -> None:
    """Say what the transactions of a function are for; `work` may tell by its arguments."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with _doing(work if isinstance(work, str) else work(*args, **kwargs)):
            return original(*args, **kwargs)

    setattr(owner, name, wrapper)


def _watch_commits(given: Orders, kind: str) -> None:
    from django.db.backends.base import base

    wrapper: Any = base.BaseDatabaseWrapper
    original = wrapper._commit

    def commit(connection: base.BaseDatabaseWrapper) -> None:
        work = getattr(_here, "work", "")
        of = f"the commit of {work}" if kind == "worker" else "a commit"
        if work:
            given.arrive(f"{kind} before {of}")
        original(connection)
        if work:
            given.arrive(f"{kind} after {of}")

    wrapper._commit = commit


def _watch_worker(given: Orders) -> None:
    from classifier.jobs import lanes, leases, operations, queue, results
    from vision.engine import Engine

    def look(lease: leases.Lease, *_others: object) -> None:
        _here.poisoned = any(job.image.original_name.startswith(POISON) for job in lease.batch.jobs)

    def compute(*_arguments: object) -> None:
        if getattr(_here, "poisoned", False):
            given.die(POISON)
        given.arrive("worker in the networks")

    _around(queue, "claim", lambda *_a, **_k: given.arrive("worker before the claim"))
    _named(queue, "claim", "the claim")
    _around(lanes, "look", look)
    _around(lanes, "_read_one", lambda *_a: given.arrive("worker while it reads files"))
    _around(Engine, "_decode", lambda *_a: given.arrive("worker while it decodes"))
    _around(Engine, "_look", compute)
    _named(results, "store", "results")
    _named(results, "apply", "values")
    _named(queue, "put_back", "a take-over")
    _named(leases, "_put_off", "a renewal")
    _named(operations, "_feed_some", "an operation's step")


def _watch_web(given: Orders) -> None:
    from catalog import files
    from config.handler import Handler

    def work(_handler: Handler, environ: dict[str, Any], *_start_response: object) -> str:
        writes = environ["REQUEST_METHOD"] in {"POST", "PUT", "PATCH"} and "/products" in environ["PATH_INFO"]
        return "a change" if writes else ""

    _named(Handler, "__call__", work)
    _around(files, "announce", lambda *_a: given.arrive("web before its files are announced"))


def move_clock(offset: Callable[[], float]) -> None:
    """Let this process believe that it is so many seconds later. Sleeping and waiting go by another clock."""
    from datetime import timedelta

    from django.utils import timezone

    right_time, right_now = time.time, timezone.now
    time.time = lambda: right_time() + offset()
    timezone.now = lambda: right_now() + timedelta(seconds=offset())


class _Clock:
    """By how much the clock is wrong, looked up now and then."""

    def __init__(self, given: Orders, name: str) -> None:
        self._given, self._name = given, name
        self._offset, self._known_since = 0.0, 0.0

    def __call__(self) -> float:
        if time.monotonic() - self._known_since > READ_SECONDS:
            self._offset, self._known_since = self._given.clock(self._name), time.monotonic()
        return self._offset


def main() -> None:
    """Run the process."""
    name, kind = sys.argv[1:3]
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    given = orders()
    from config import settings

    settings.STORAGES["default"]["BACKEND"] = "benchmarks.chaos_storage.ChaosStorage"
    import django

    django.setup()
    move_clock(_Clock(given, name))
    _watch_commits(given, "worker" if kind == "worker" else "web")
    if kind == "worker":
        _watch_worker(given)
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", "worker"])
    else:
        _watch_web(given)
        runpy.run_module(kind, run_name="__main__")


if __name__ == "__main__":
    main()
