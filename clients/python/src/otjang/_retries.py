"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from otjang._calls import Call
from otjang.errors import ApiError, Unreachable, WaitedTooLong, error_of, seconds_in

_AGAIN = frozenset({429, 500, 502, 503, 504})
_RUNNING = "idempotency_key_in_use"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a request is sent again.

    Attributes:
        most: how often at most after the first time; 0 for never.
        first_pause: seconds before the second attempt; each further pause is up to twice as long.
        longest_pause: seconds. A Retry-After above it is not waited for: the refusal is raised.
    """

    most: int = 6
    first_pause: float = 0.5
    longest_pause: float = 30.0


class Attempts:
    """The attempts at one request."""

    def __init__(self, call: Call[Any], retries: Retries) -> None:
        self._call, self._retries = call, retries
        self._failed = 0

    def no_answer(self, error: httpx.TransportError) -> float:
        """Return the seconds until the next attempt.

        Raises:
            Unreachable: there were enough.
        """
        if self._failed >= self._retries.most:
            raise Unreachable(f"No answer after {self._failed + 1} attempts: {error!r}") from error
        return self._pause(None)

    def answered(self, response: httpx.Response) -> float | None:
        """Return the seconds until the next attempt; None where the answer is the one that was wanted.

        Raises:
            ApiError: it is a refusal, and trying again would not help.
        """
        if response.is_success:
            return None
        if response.status_code == 404 and self._call.method == "DELETE" and self._failed:
            return None  # an attempt before this one did it, and its answer was lost
        error = error_of(response)
        said = seconds_in(response)
        is_over = self._failed >= self._retries.most or (said is not None and said > self._retries.longest_pause)
        if is_over or not _may_pass(error):
            raise error
        return self._pause(said)

    def _pause(self, said: float | None) -> float:
        self._failed += 1
        longest = min(self._retries.first_pause * 2.0 ** (self._failed - 1), self._retries.longest_pause)
        return max(said or 0.0, longest * random.uniform(0.5, 1.0))


def _may_pass(error: ApiError) -> bool:
    return error.status in _AGAIN or error.code == _RUNNING


def pauses(what: str, timeout: float, first: float = 0.5, longest: float = 5.0) -> Iterator[float]:
    """Yield the seconds to wait between looks, longer and longer, until the time is over.

    Raises:
        WaitedTooLong: it is.
    """
    until = time.monotonic() + timeout
    pause = first
    while (left := until - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(pause * 1.5, longest)
    raise WaitedTooLong(f"{what} took longer than {timeout:g} seconds")
