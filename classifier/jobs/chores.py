"""Work that one worker at a time does: a lease on the row of its name."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from classifier.models import Chore

# Of a part of the work, by the database's clock: after this much silence its worker counts as dead.
_LEASE = timedelta(minutes=10)


@contextmanager
def alone(name: str, stop: threading.Event) -> Iterator[Callable[[], bool] | None]:
    """Do a piece of work that nobody else does meanwhile.

    Args:
        name: of the work.
        stop: says when to end early.

    Yields:
        A function that the work asks before each of its parts whether it may go on, which also renews the lease; None
        if another worker is at it.
    """
    Chore.objects.get_or_create(name=name)
    token = secrets.token_hex(16)
    free = Chore.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), name=name)
    if not free.update(lease_token=token, lease_until=Now() + _LEASE):
        yield None
        return
    held = Chore.objects.filter(name=name, lease_token=token)
    try:
        yield lambda: not stop.is_set() and bool(held.update(lease_until=Now() + _LEASE))
    finally:
        held.update(lease_token="", lease_until=None)
