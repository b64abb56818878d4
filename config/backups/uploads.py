"""The files of the uploads: which there are, and how they get to another folder and back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage

_PROBES = "probe"  # what /readyz writes and deletes


@dataclass(frozen=True, slots=True)
class Seen:
    """A file in the storage, by its path there."""

    path: str
    size: int
    modified: float


def root() -> Path | None:
    """Return the folder of the uploads, or None where they are not on this machine."""
    return Path(default_storage.location) if isinstance(default_storage, FileSystemStorage) else None


def walk(folder: Path, inner: str = "") -> Iterator[Seen]:
    """Yield the files below a folder while others write and delete; what is gone by then is left out."""
    with suppress(FileNotFoundError), os.scandir(folder / inner) as entries:
        for entry in entries:
            path = f"{inner}/{entry.name}" if inner else entry.name
            if entry.is_dir(follow_symlinks=False):
                if path != _PROBES:
                    yield from walk(folder, path)
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    known = entry.stat(follow_symlinks=False)
                    yield Seen(path, known.st_size, known.st_mtime)


def copy(source: Path, target: Path) -> Iterator[Seen]:
    """Copy what is new below a folder; yields each file that is there, once it is copied.

    A file counts as copied where one of the same size is not older: those of the site are written once, but for
    results and weights that are written again as a whole.

    Args:
        source: the folder of the uploads.
        target: the backup's.
    """
    for seen in walk(source):
        try:
            if not _is_there(target / seen.path, seen):
                copy_file(source / seen.path, target / seen.path)
        except FileNotFoundError:  # deleted since it was listed
            continue
        yield seen


def _is_there(path: Path, seen: Seen) -> bool:
    try:
        known = path.stat()
    except FileNotFoundError:
        return False
    return known.st_size == seen.size and known.st_mtime >= seen.modified


def copy_file(source: Path, target: Path) -> None:
    """Copy a file with its time, as a whole or not at all.

    Raises:
        FileNotFoundError: it is gone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    try:
        shutil.copyfile(source, part)
        shutil.copystat(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
