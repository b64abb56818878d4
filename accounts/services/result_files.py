"""Files that operations end in: written once, downloaded for a week, then deleted.

A file is put into the storage when it is complete, under a name that the operation has from before that on: so whatever
is killed, no file lies there that no operation knows of, and who writes it a second time replaces it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from django.utils import timezone

from accounts.models import Operation

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)  # after the operation's end
# By the file's ending. What the machine's own list of types says differs from machine to machine.
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
_FOLDER = "operations"
_CHUNK = 100


@contextmanager
def open_new(operation: Operation, file_name: str) -> Iterator[IO[bytes]]:
    """Write an operation's result; what the block has written is in the storage when it ends, unless it raises.

    Outside of any transaction. The file lies on this machine's disk meanwhile: it may be large, and sought in.
    `operation.result_file` is set; who saves the operation later saves the same.

    Args:
        operation: this process holds its lease.
        file_name: what people get it as, such as `products.xlsx`.
    """
    name = f"{_FOLDER}/{operation.public_id}/{file_name}"
    if operation.result_file != name:
        discard(operation)
        operation.result_file = name
        Operation.objects.filter(pk=operation.pk).update(result_file=name)
    with tempfile.NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".upload") as file:
        yield file
        file.flush()
        file.seek(0)
        _put(name, file)


def _put(name: str, file: IO[bytes]) -> None:
    """Store a file under exactly this name, instead of one that an earlier attempt has left."""
    default_storage.delete(name)
    stored = default_storage.save(name, File(file))
    if stored != name:  # another process that had the operation before was as quick
        default_storage.delete(stored)


def is_there(operation: Operation) -> bool:
    """Whether the operation is over and its result can still be downloaded."""
    over = operation.finished_at is not None
    return over and bool(operation.result_file) and default_storage.exists(operation.result_file)


def download_response(operation: Operation) -> FileResponse:
    """Send the result of an operation that is over; the caller has checked who asks.

    Raises:
        Http404: it is not over, ended without a result, or ended more than a week ago.
    """
    if not is_there(operation):
        raise Http404
    name = operation.result_file.rsplit("/", 1)[-1]
    content_type = CONTENT_TYPES[name.rsplit(".", 1)[-1]]
    answer = FileResponse(
        default_storage.open(operation.result_file), as_attachment=True, filename=name, content_type=content_type
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def discard(operation: Operation) -> None:
    """Delete the result of an operation, if there is one. Idempotent."""
    if operation.result_file:
        default_storage.delete(operation.result_file)
        Operation.objects.filter(pk=operation.pk).update(result_file="")
        operation.result_file = ""


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete results whose time is over; returns how many. `goes_on` is asked before every hundred.

    What the storage does not let go of is logged, and tried again the next time.
    """
    due = Operation.objects.filter(finished_at__lt=timezone.now() - KEPT, result_file__gt="").order_by("pk")
    deleted, last = 0, 0
    while goes_on() and (some := list(due.filter(pk__gt=last)[:_CHUNK])):
        for operation in some:
            try:
                discard(operation)
            except Exception:  # storages raise whatever their libraries do
                logger.warning("%s could not be deleted; it is tried again later", operation.result_file, exc_info=True)
            else:
                deleted += 1
        last = some[-1].pk
    return deleted
