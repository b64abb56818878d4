"""Callers who wait for something that another process does: a bounded number, each for a bounded time.

A waiting caller keeps a thread of the web process. So at most OTJANG_WAITING_CALLERS wait in a process at a time;
others are told at once how far it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.conf import settings

LONGEST = 20
"""Seconds that a caller may wait at most."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.4  # seconds between two looks

_lock = threading.Lock()
_callers = 0
_over = threading.Event()


def let_go() -> None:
    """Let nobody wait any more: the process is about to end."""
    _over.set()


def wait_until(is_over: Callable[[], bool], seconds: float) -> bool:
    """Look now and then until it is over, the time is, or the process shall end; not at all if too many wait already.

    Args:
        is_over: asks the database. It must not be called within a transaction, whose view of it never changes.
        seconds: how long, at most LONGEST.

    Returns:
        Whether it was over when it was looked at last.
    """
    global _callers
    until = time.monotonic() + min(seconds, LONGEST)
    if is_over():
        return True
    with _lock:
        if _callers >= settings.OTJANG_WAITING_CALLERS:
            return False
        _callers += 1
    try:
        pause = _FIRST_PAUSE
        while (left := until - time.monotonic()) > 0 and not _over.wait(min(pause, left)):
            if is_over():
                return True
            pause = min(1.5 * pause, _LONGEST_PAUSE)
        return False
    finally:
        with _lock:
            _callers -= 1
