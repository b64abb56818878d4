"""What the site, its worker and `prepare` make sure of before they do anything."""

import gc
import itertools

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_started
from django.db import DEFAULT_DB_ALIAS, OperationalError


def require_sound_database() -> None:
    """Run the database's system checks, and say in a sentence each what is wrong and how it is put right.

    A database that cannot be reached says nothing about itself, so it passes: each process has its own way to wait.

    Raises:
        ImproperlyConfigured: the server, its settings or its tables would fail later, on somebody's data.
    """
    try:
        found = checks.run_checks(tags=[checks.Tags.database], databases=[DEFAULT_DB_ALIAS])
    except OperationalError:
        return
    errors = [f"{message.msg} {message.hint or ''}".strip() for message in found if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(errors))


def collect_less_often() -> None:
    """Look for garbage among what requests make, and no longer among modules, models and addresses.

    Call it once all of these are there. Python's collector otherwise walks through some hundred thousand objects that
    live as long as the process, in the middle of a request: every twentieth page took half as long again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def collect_between_requests() -> None:
    """As `collect_less_often`, and for garbage that a request leaves before the next one begins.

    That takes a millisecond or two, for there is little yet. Where it has to add up first, some page in ten or twelve
    was held up for 20 to 35 ms. What other threads had in hand meanwhile is looked through every 200 requests.
    """
    collect_less_often()
    gc.set_threshold(50_000, 10, 10)
    request_started.connect(_collect)


_requests = itertools.count(1)


def _collect(**_signal: object) -> None:
    gc.collect(1 if next(_requests) % 200 else 2)
