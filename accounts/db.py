"""Transactions that survive a deadlock."""

import functools
import logging
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, transaction

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_RETRYABLE_MYSQL = {1205, 1213}  # lock wait timeout, deadlock


def _is_retryable(error: OperationalError) -> bool:
    return bool(error.args) and (error.args[0] in _RETRYABLE_MYSQL or "database is locked" in str(error.args[0]))


def atomic(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in a transaction, and again from the start when the database gave it up as a deadlock's victim.

    Inside an outer transaction it runs once: only the outermost one can be repeated as a whole.
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, _ATTEMPTS + 1):
            nested = transaction.get_connection().in_atomic_block
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except OperationalError as error:
                if nested or attempt == _ATTEMPTS or not _is_retryable(error):
                    raise
                logger.info("retrying %s after %s", function.__qualname__, error.args[0])
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    return wrapper
