"""Who has the cores: while a caller waits for an answer, this process begins no bulk work.

What has begun goes on, and bulk work is held up for a bounded time: it must move, however many callers there are.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 3.0
"""Seconds that a batch of bulk work is held up."""

_changed = threading.Condition()
_callers = 0


@contextmanager
def taken() -> Iterator[None]:
    """Hold up bulk work of this process during the block."""
    global _callers
    with _changed:
        _callers += 1
    try:
        yield
    finally:
        with _changed:
            _callers -= 1
            _changed.notify_all()


def wait_for_others(seconds: float = LONGEST) -> bool:
    """Wait while somebody has precedence, at most so many seconds; says whether nobody has it any more."""
    with _changed:
        return _changed.wait_for(lambda: not _callers, timeout=seconds)
