"""Restoring into an empty database and an empty folder of uploads: files first, then the rows that name them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from catalog.models import FILES as IMAGE_FILES
from catalog.models import ProductImage
from classifier.consistency import files
from config.backups import databases, records, uploads
from config.backups.backup import Say
from config.backups.records import FILES, Backup, BackupError
from core.ids import PUBLIC_ID_LENGTH
from core.startup import require_sound_database

_AT_A_TIME = 200


def restore(path: Path, say: Say) -> Backup:
    """Fill this site's empty database and uploads from a backup, and bring the database up to this release.

    Files that the dump may not know of, because they came or went while it was made, are left to the next sweep where
    no row names them.

    Args:
        path: the folder of backups, for the newest; or the JSON file of one.
        say: gets a line for each step.

    Raises:
        BackupError: there is no complete backup, it is damaged or of another kind of database or of a newer release,
            or database or uploads are not empty.
        ImproperlyConfigured: the database has settings that the site does not run with.
    """
    backup = records.read(path)
    folder = path if path.is_dir() else path.parent
    media = uploads.root() if backup.listing else None
    _require_fitting(backup, folder)
    _require_empty(backup, media)
    require_sound_database()
    unsure: list[str] = []
    if media is not None:
        for file in records.read_listing(folder / backup.listing):
            uploads.copy_file(folder / FILES / file.path, media / file.path)
            if not file.sure:
                unsure.append(file.path)
        say(f"{backup.files} files of uploads are there")
    databases.load(folder / backup.dump)
    say("database loaded")
    call_command("migrate", verbosity=0, interactive=False)
    for start in range(0, len(unsure), _AT_A_TIME):
        files.delete(_without_named(unsure[start : start + _AT_A_TIME]))
    return backup


def _without_named(paths: Sequence[str]) -> list[str]:
    """Leave out files that images name, found by what a file is called after: most are."""
    images = {path.rsplit("/", 1)[-1][:PUBLIC_ID_LENGTH] for path in paths}
    rows = ProductImage.objects.filter(public_id__in=images).values_list(*IMAGE_FILES)
    named = {name for names in rows for name in names}
    return [path for path in paths if path not in named]


def _require_fitting(backup: Backup, folder: Path) -> None:
    """Refuse a backup that is damaged, or not for this site's database and release."""
    if backup.engine != databases.engine():
        raise BackupError(f"The backup is of {backup.engine}, the site's database is {databases.engine()}.")
    known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    if newer := sorted(set(backup.migrations) - known):
        raise BackupError(f"The backup is of a newer release, which has {newer[-1]}. Install that release.")
    dump = folder / backup.dump
    if not dump.is_file() or databases.checksum(dump) != backup.sha256:
        raise BackupError(f"{dump} is missing or damaged.")
    if backup.listing:
        for file in records.read_listing(folder / backup.listing):
            copied = folder / FILES / file.path
            if not copied.is_file() or copied.stat().st_size != file.size:
                raise BackupError(f"{copied} is missing or damaged.")


def _require_empty(backup: Backup, media: Path | None) -> None:
    """Refuse to write over a site."""
    if not databases.is_empty():
        raise BackupError("The database is not empty. Restore into a new one.")
    if backup.listing and media is None:
        raise BackupError(
            "The backup has files, but MEDIA_STORAGE is not a folder of this machine: copy them yourself."
        )
    if media is not None and next(uploads.walk(media), None) is not None:
        raise BackupError(f"{media} is not empty. Restore into a new folder.")
