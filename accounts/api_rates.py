"""How often callers may come: each key, each person, each merchant, and strangers by their address."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.attempts import address_of
from core import rates
from core.rates import Rate, Taken

_NOTED = "otjang.rates"  # where a request keeps what was counted of it, for the headers of the answer


class TooManyCalls(Exception):
    """Nothing more is done for this caller in this stretch of time."""

    def __init__(self, taken: Taken) -> None:
        super().__init__(taken.rate.name)
        self.seconds = taken.reset


def rate_of_callers() -> Rate:
    """Of one key, or of one person who is logged in."""
    return Rate.of("caller", settings.API_RATE)


def rate_of_merchants() -> Rate:
    """Of all keys and people of a merchant together."""
    return Rate.of("merchant", settings.API_MERCHANT_RATE)


def rate_of_strangers() -> Rate:
    """Of one address, for calls without a key, or with one that opens nothing."""
    return Rate.of("address", settings.API_ANONYMOUS_RATE)


def taken_of(request: HttpRequest) -> list[Taken]:
    """Return what was counted of the request so far."""
    return cast(list[Taken], request.META.setdefault(_NOTED, []))


def _count(request: HttpRequest, counted: Iterable[tuple[Rate, str]]) -> None:
    for rate, whom in counted:
        taken = rates.take(rate, whom)
        taken_of(request).append(taken)
        if taken.is_exceeded:
            raise TooManyCalls(taken)


def _network(request: HttpRequest) -> str:
    return rates.network_of(address_of(request))


def count_stranger(request: HttpRequest) -> None:
    """Count a call of nobody in particular.

    Raises:
        TooManyCalls: it is one too many.
    """
    _count(request, [(rate_of_strangers(), _network(request))])


def forgive_stranger(request: HttpRequest) -> None:
    """Take back what `count_stranger` counted: it was somebody after all."""
    rates.take(rate_of_strangers(), _network(request), -1)
    taken_of(request).clear()


def count_caller(request: HttpRequest, caller: str, merchant_id: int | None) -> None:
    """Count a call of a key or a person, and of their merchant; once a request, however often it is asked.

    Args:
        request: what they sent.
        caller: `key-7` or `user-7`.
        merchant_id: None for people who belong to none.

    Raises:
        TooManyCalls: it is one too many.
    """
    if taken_of(request):
        return
    counted = [(rate_of_callers(), caller)]
    if merchant_id is not None:
        counted.append((rate_of_merchants(), f"merchant-{merchant_id}"))
    _count(request, counted)


class RateLimitMiddleware:
    """Says in the headers of every counted answer how many more calls may come."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in rates.headers(request.META.get(_NOTED, ())).items():
            response.headers[name] = value
        return response
