"""What a storage that is not this machine's own disk makes of reading: it may be silent, or hand out files itself."""

from __future__ import annotations

import sys
import time
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import default_storage


def _silences() -> tuple[type[Exception], ...]:
    """What S3's libraries raise for a storage that does not answer; they are there only where they are in use."""
    if "boto3" not in sys.modules:
        return ()
    from botocore.exceptions import BotoCoreError
    from s3transfer.exceptions import RetriesExceededError

    return (BotoCoreError, RetriesExceededError)


def read_errors() -> tuple[type[Exception], ...]:
    """Return what reading a file may raise, for an `except`."""
    if "boto3" not in sys.modules:
        return (OSError,)
    from botocore.exceptions import ClientError

    return (OSError, ClientError, *_silences())


class Silence:
    """Whether the storage did not answer a moment ago: each thread of a process would wait for it in turn."""

    SECONDS = 10

    def __init__(self) -> None:
        self._until = 0.0

    def __bool__(self) -> bool:
        return time.monotonic() < self._until

    def note(self, error: Exception) -> None:
        """Let nobody else wait for a while if the error means that there was no answer."""
        if isinstance(error, _silences()):
            self._until = time.monotonic() + self.SECONDS

    def end(self) -> None:
        """Ask the storage again from now on."""
        self._until = 0.0


silence = Silence()
"""Of this process."""


def origin() -> str | None:
    """Return where browsers get images from besides this site, as a policy names it; None for nowhere."""
    if not settings.MEDIA_SIGNED_URLS:
        return None
    url = urlsplit(default_storage.url("image"))
    return f"{url.scheme}://{url.netloc}"
