"""The chaos proof's storage: a folder, and a disk that may be slow, or fail, as it is told to."""

from __future__ import annotations

import errno
import random
import time
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage

from benchmarks.chaos_orders import READ_SECONDS, Weather, orders

HALF = 1000  # bytes


class ChaosStorage(FileSystemStorage):
    """Django's own, in bad weather. What fails in the middle of a file leaves half of it, as disks do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._orders = orders()
        self._weather = Weather()
        self._known_since = 0.0

    def _suffer(self) -> None:
        """Take as long as the disk takes now. Raises OSError where it fails."""
        if time.monotonic() - self._known_since > READ_SECONDS:
            self._weather, self._known_since = self._orders.weather(), time.monotonic()
        if self._weather.slow:
            time.sleep(random.uniform(0.5, 1.5) * self._weather.slow)
        if random.random() < self._weather.failing:
            raise OSError(errno.EIO, "the disk fails, as the chaos proof told it to")

    def open(self, name: str, mode: str = "rb") -> File[Any]:
        """Open a file, as `Storage.open`."""
        self._suffer()
        return super().open(name, mode)

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        """Write a file, as `Storage.save`."""
        try:
            self._suffer()
        except OSError:
            content.seek(0)
            super().save(name, ContentFile(content.read(HALF)), max_length)
            raise
        saved = super().save(name, content, max_length)
        self._orders.arrive("web after a file is written")
        return saved

    def delete(self, name: str) -> None:
        """Delete a file, as `Storage.delete`."""
        self._suffer()
        super().delete(name)
