"""Memory that threads share: who needs more than is left waits."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Memory:
    """So many bytes for all threads together, given out in the order in which they ask."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Wait until so many bytes are left, and keep them until the block ends; who asks for more than all gets all.

        A thread must not ask again within the block.
        """
        size = min(size, self._size)
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is turn and size <= self._left)
                self._left -= size
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()
