"""Files of requests to classify images that nobody stores: where they lie until they were looked at, and their end.

The rows know what is in the spool: a request's row is there before its first file, and goes after its last one. So
whatever breaks off in between, nothing is left that nobody knows of, and the storage never has to be listed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models.functions import Now

from classifier.models import ClassifyRequest

logger = logging.getLogger(__name__)

_AT_A_TIME = 100


def remove(request: ClassifyRequest, places: Iterable[int] | None = None) -> bool:
    """Delete files of a request, whether they were written or not; says whether the storage let go of all of them.

    Args:
        request: the request.
        places: of the files among those that were sent, from 0; None for all.
    """
    whole = True
    for place in range(len(request.names)) if places is None else places:
        try:
            default_storage.delete(request.path(place))
        except Exception:  # storages raise whatever their libraries do
            logger.warning("a file in the spool could not be deleted; it is tried again", exc_info=True)
            whole = False
    if isinstance(default_storage, FileSystemStorage):
        with suppress(OSError):  # not empty, or not there
            Path(default_storage.path(request.folder)).rmdir()
    return whole


def forget(request: ClassifyRequest) -> bool:
    """Delete a request with its files and its result; says whether the storage let go of all files.

    It ends at once: a worker that is at it finds that its lease is over. If files are left, so is the row, expired.
    """
    ClassifyRequest.objects.filter(pk=request.pk).update(
        state=ClassifyRequest.State.FAILED, lease_token="", lease_until=None, results=[], expires_at=Now()
    )
    if whole := remove(request):
        request.names = []  # `request_deleted` has nothing left to do
        request.delete()
    return whole


def forget_expired(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Forget requests whose time is over; returns how many. Safe beside other workers, and when it is repeated."""
    expired = ClassifyRequest.objects.filter(expires_at__lte=Now()).order_by("expires_at")
    forgotten = 0
    for request in list(expired[:_AT_A_TIME]):
        if not goes_on():
            break
        forgotten += forget(request)
    return forgotten
