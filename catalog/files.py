"""Files of images, and the records by which those that no image points to are found again.

A file is recorded before it is written. Its record goes in the transaction that adds the image's row, and comes back in
the one that deletes the row. So whatever breaks off in between, a file has a row that points to it or a record that
says when it is to be deleted; the storage never has to be listed.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, default_storage
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from catalog.models import FILES, PendingFile, ProductImage
from core.errors import Conflict

logger = logging.getLogger(__name__)

UPLOADS = "products"
_TIME_TO_FINISH = timedelta(hours=1)  # of a request that has recorded its files; the longest ones take minutes
_NEXT_TRY = timedelta(hours=1)
_CHUNK = 100
_FILES_PER_PASS = 20_000
_FAILURES_PER_PASS = 10
_TEMPORARY_AGE = timedelta(days=1)


def image_folder(product: str) -> str:
    """The folder of a product's files, by the product's public id."""
    return f"{UPLOADS}/{product}"


def announce(paths: Mapping[str, str]) -> None:
    """Record files that are about to be written, in a transaction of its own that is over before the first one is.

    Args:
        paths: the public id of the image that each file will belong to, by the file's path.

    Raises:
        RuntimeError: within another transaction, which would take the records with it when it is rolled back.
    """
    delete_after = Now() + _TIME_TO_FINISH  # by the clock that is not this process's alone
    with transaction.atomic(durable=True):
        PendingFile.objects.bulk_create(
            PendingFile(path=path, image=image, delete_after=delete_after) for path, image in paths.items()
        )


def write(path: str, content: bytes) -> None:
    """Store a file that was announced, under exactly this path.

    Raises:
        FileExistsError: there is such a file already.
    """
    try:
        stored = default_storage.save(path, ContentFile(content))
    except FileNotFoundError:  # a sweep removed the folder, which was empty, just after the storage had looked for it
        stored = default_storage.save(path, ContentFile(content))
    if stored != path:
        default_storage.delete(stored)
        raise FileExistsError(path)


def confirm(paths: Collection[str]) -> None:
    """Say, in the transaction that adds the images' rows, that these files are to stay.

    Raises:
        Conflict: `upload_expired` if a sweep has taken them for left over: the request came to a stop for an hour.
    """
    confirmed, _models = PendingFile.objects.filter(path__in=paths, tries=0).delete()
    if confirmed != len(paths):
        raise upload_expired()


def keep_until(paths: Collection[str], moment: datetime) -> None:
    """Keep announced files until that moment unless they are confirmed by then; within the caller's transaction.

    Raises:
        Conflict: `upload_expired`, as for `confirm`.
    """
    if PendingFile.objects.filter(path__in=paths, tries=0).update(delete_after=moment) != len(paths):
        raise upload_expired()


def upload_expired() -> Conflict:
    """Return the refusal of files that a sweep has taken for left over."""
    return Conflict("upload_expired", _("The upload took too long and was not stored. Send it again."))


def discard(paths: Iterable[str]) -> None:
    """Delete announced files that were not confirmed, as far as they were written.

    Those that storage or database do not let go of are left to the sweep. A confirmation whose answer was lost may
    still be on its way in the database: to claim the records waits for its end, to read them would not.
    """
    announced = PendingFile.objects.filter(path__in=list(paths))
    try:
        announced.update(tries=F("tries") + 1)
        _delete(default_storage, list(announced.filter(tries__gt=0)))
    except DatabaseError:
        logger.warning("files of a broken off upload are left to the sweep", exc_info=True)


def delete_image_files(image: ProductImage) -> None:
    """Let the sweep delete the files of an image whose row is deleted in the same transaction.

    Files that are not named after the image may belong to others, and stay.
    """
    names = set(image.files.values())
    delete_soon(*sorted(name for name in names if image.public_id in name), image=image.public_id)


def delete_soon(*paths: str, image: str) -> None:
    """Let the sweep delete files that were written for the image of that public id, unless it points to them then."""
    PendingFile.objects.bulk_create(
        (PendingFile(path=path, image=image, delete_after=Now()) for path in paths), ignore_conflicts=True
    )


def delete_due(goes_on: Callable[[], bool] = lambda: True, storage: Storage = default_storage) -> int:
    """Delete files whose time is over and that no image points to; returns how many.

    A file that cannot be deleted is tried again after an hour. Safe beside other workers, and when it is repeated: a
    record is claimed before its file is deleted, so that a request that is still alive sees that it came too late.

    Args:
        goes_on: asked before every hundred files.
        storage: where the files are.
    """
    seen = deleted = failed = 0
    while seen < _FILES_PER_PASS and failed < _FAILURES_PER_PASS and goes_on():
        due = PendingFile.objects.filter(delete_after__lte=Now())
        ids = list(due.order_by("delete_after", "pk").values_list("pk", flat=True)[:_CHUNK])
        if not ids:
            break
        due.filter(pk__in=ids).update(tries=F("tries") + 1, delete_after=Now() + _NEXT_TRY)
        claimed = PendingFile.objects.filter(pk__in=ids, tries__gt=0)
        orphans = _without_those_in_use(list(claimed))
        gone = _delete(storage, orphans)
        seen += len(ids)
        deleted += gone
        failed += len(orphans) - gone
    return deleted


def _without_those_in_use(pending: Sequence[PendingFile]) -> list[PendingFile]:
    """Forget the records of files that images point to, and return the others."""
    images = ProductImage.objects.filter(public_id__in={record.image for record in pending})
    used = {name for names in images.values_list(*FILES) for name in names}
    mistaken = [record.pk for record in pending if record.path in used]
    if mistaken:
        PendingFile.objects.filter(pk__in=mistaken).delete()
    return [record for record in pending if record.path not in used]


def _delete(storage: Storage, pending: Sequence[PendingFile]) -> int:
    """Delete files, then their records, and on a local disk the folders that they leave empty; returns how many."""
    gone = []
    for record in pending:
        try:
            storage.delete(record.path)
        except Exception:  # storages raise whatever their libraries do
            logger.warning("%s could not be deleted; it is tried again later", record.path, exc_info=True)
        else:
            gone.append(record)
    PendingFile.objects.filter(pk__in=[record.pk for record in gone]).delete()
    if isinstance(storage, FileSystemStorage):
        for folder in {Path(storage.path(record.path)).parent for record in gone}:
            with suppress(OSError):  # not empty, or not there
                folder.rmdir()
    return len(gone)


def remove_stale_temporary_files(folder: Path) -> int:
    """Delete what killed processes left of uploads and exports; returns how many files. Young ones are in use."""
    before = time.time() - _TEMPORARY_AGE.total_seconds()
    removed = 0
    for path in folder.glob("*.upload*"):
        with suppress(OSError):  # another process was quicker
            if path.stat().st_mtime < before:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
                removed += 1
    return removed
