"""What a backup says of itself: a JSON file beside the dump, written last, and the list of its files."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILES = "files"
"""The folder in which all backups of a place keep their files together: they are written once and never change."""
_LATEST = "latest.json"


class BackupError(Exception):
    """A backup or a restore that cannot be made; its text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a backup: its path in the storage, its bytes, and whether rows of the dump surely know of it."""

    path: str
    size: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup.

    Args:
        name: of it, which its files begin with: the moment of its dump in UTC.
        engine: of the database, "sqlite" or "mysql".
        dump: the name of the compressed dump.
        sha256: of the compressed dump.
        migrations: that had been applied, as "app.name".
        listing: the name of the list of files; "" where the storage is not on this machine and keeps its own.
        files: how many there are.
        bytes: how large they are together.
    """

    name: str
    engine: str
    dump: str
    sha256: str
    migrations: Sequence[str]
    listing: str
    files: int
    bytes: int

    def write(self, folder: Path) -> None:
        """Say that the backup is complete. All that it consists of must be written already."""
        text = json.dumps(asdict(self), indent=1)
        os.sync()
        write_whole(folder / f"{self.name}.json", text.encode())
        write_whole(folder / _LATEST, text.encode())


def read(path: Path) -> Backup:
    """Return a backup by its JSON file, or by its folder the newest that is complete.

    Raises:
        BackupError: there is none.
    """
    file = path / _LATEST if path.is_dir() else path
    try:
        return Backup(**json.loads(file.read_text()))
    except FileNotFoundError:
        raise BackupError(f"There is no complete backup at {path}.") from None
    except (ValueError, TypeError) as error:
        raise BackupError(f"{file} is not what a backup says of itself: {error}.") from None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_listing(path: Path, files: Iterable[Listed]) -> tuple[int, int]:
    """Write the list of a backup's files, a line of JSON each; returns how many there are, and their bytes."""
    count = size = 0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=4) as lines:
        for file in files:
            lines.write(json.dumps([file.path, file.size, file.sure]) + "\n")
            count += 1
            size += file.size
    return count, size


def read_listing(path: Path) -> Iterator[Listed]:
    """Yield what `write_listing` wrote."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield Listed(*json.loads(line))
