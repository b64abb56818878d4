"""Backing up while people work.

Files are written before the rows that name them, and deleted after. So the order is: files, database, files. The first
round copies nearly all of them and may take hours; the dump and the second round, which copies what came meanwhile,
go on while the sweep waits, so that no file that a row of the dump names can be deleted before it is copied.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from classifier.jobs import chores
from config.backups import databases, records, uploads
from config.backups.records import FILES, Backup, BackupError, Listed
from config.backups.uploads import Seen

Say = Callable[[str], None]

_LOCK = "lock"
_RENEWED = 5.0  # seconds
_LOOK_AGAIN = 1.0
# Files this much older than the dump, by clocks that may differ, are surely known to it: by a row or a record.
_MARGIN = 600.0


def back_up(folder: Path, say: Say) -> Backup:
    """Back up database and uploads of this site into a folder, which may hold earlier backups.

    Args:
        folder: on another disk, best on another machine. It is created where it is missing.
        say: gets a line for each step.

    Raises:
        BackupError: the folder lies within the uploads or another backup is made there, the sweep took over, or the
            database's program failed.
    """
    media = uploads.root()
    if media is not None and folder.resolve().is_relative_to(media.resolve()):
        raise BackupError(f"{folder} lies within the uploads ({media}): name a folder elsewhere.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(folder, say):
        return _back_up(folder, media, say)


def _back_up(folder: Path, media: Path | None, say: Say) -> Backup:
    if media is not None:
        say(f"{sum(1 for _seen in uploads.copy(media, folder / FILES))} files of uploads are there")
    with _without_sweep(say) as goes_on:
        moment = datetime.now(UTC)
        name = f"{moment:%Y%m%dT%H%M%S%f}Z"
        applied = sorted(f"{app}.{migration}" for app, migration in MigrationRecorder(connection).applied_migrations())
        dump = folder / f"{name}.sql.gz" if databases.engine() == "mysql" else folder / f"{name}.sqlite3.gz"
        databases.dump(dump, goes_on)
        say(f"database dumped: {dump.stat().st_size:,} bytes, compressed")
        listing, count, size = "", 0, 0
        if media is not None:
            listing = f"{name}.files.jsonl.gz"
            files = _listed(uploads.copy(media, folder / FILES), moment.timestamp() - _MARGIN, goes_on)
            count, size = records.write_listing(folder / listing, files)
    backup = Backup(
        name=name,
        engine=databases.engine(),
        dump=dump.name,
        sha256=databases.checksum(dump),
        migrations=applied,
        listing=listing,
        files=count,
        bytes=size,
    )
    backup.write(folder)
    return backup


def _listed(files: Iterable[Seen], sure_until: float, goes_on: Callable[[], None]) -> Iterator[Listed]:
    for seen in files:
        goes_on()
        yield Listed(seen.path, seen.size, sure=seen.modified < sure_until)


@contextmanager
def _only_one(folder: Path, say: Say) -> Iterator[None]:
    """Keep others from writing the same files. A process that is killed holds the lock no longer."""
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being made in {folder}. Wait for its end.") from None
        except OSError:  # a file system of another machine that knows no locks
            say(f"{folder} cannot be locked: make no other backup there meanwhile")
        yield


@contextmanager
def _without_sweep(say: Say) -> Iterator[Callable[[], None]]:
    """Let no worker delete files meanwhile; yields what the block calls often, which keeps it so."""
    waited = False
    while True:
        with chores.alone("prune", Event()) as held:
            if held is not None:
                yield _renewal(held)
                return
        if not waited:
            say("waiting for a worker that deletes files just now")
            waited = True
        time.sleep(_LOOK_AGAIN)


def _renewal(held: Callable[[], bool]) -> Callable[[], None]:
    renewed = time.monotonic()

    def goes_on() -> None:
        nonlocal renewed
        if time.monotonic() - renewed < _RENEWED:
            return
        if not held():
            raise BackupError("A worker began to delete files meanwhile: this machine stood still. Begin again.")
        renewed = time.monotonic()

    return goes_on
