"""A storage that fails, as a full or broken disk does."""

import errno
from contextlib import contextmanager

from django.core.files.storage import FileSystemStorage

FULL = OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def failing(monkeypatch, error=FULL, after=0):
    """Let the storage fail at every file but the first so many."""
    left = [after]
    save = FileSystemStorage._save

    def refuse(storage, name, content):
        left[0] -= 1
        if left[0] >= 0:
            return save(storage, name, content)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "_save", refuse)
        yield
