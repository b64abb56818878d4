"""Memory that threads share: who needs more than is left waits."""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD


def give_large_blocks_back(least: int = 2**20) -> None:
    """Let the allocator return blocks of so many bytes to the system as soon as they are free.

    glibc otherwise keeps them, a heap for each thread, once a few were freed: eight threads that decode in turn then
    hold twice what any of them needs. Costs page faults, so it is for processes that have to be small. Other C
    libraries go on as they do.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, least)


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
