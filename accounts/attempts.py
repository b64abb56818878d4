"""How often somebody may try passwords and codes: counted in the cache, in fixed stretches of time.

Counted by account and address together, so that a stranger's guesses cost the owner nothing elsewhere. Ten times as
many are possible from one address at all accounts, and at one account from all addresses together. A device that logged
in to the account before is counted on its own: it goes on, whatever others do.

Each web process counts for itself; where CACHE_URL names a Redis they also count there together, and the higher count
is what matters. So a Redis that is away, or had to forget, frees nobody from the process's own count.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import BaseCache, cache, caches
from django.http import HttpRequest

from accounts import devices
from core.text import lookup_key

logger = logging.getLogger(__name__)

CACHE = "login-attempts"
STRETCH_SECONDS = 900
_PEOPLE_BEHIND_AN_ADDRESS = 10
_ADDRESSES_OF_AN_ACCOUNT = 10


def address_of(request: HttpRequest) -> str:
    """The caller's address, '' where a proxy does not tell it. The last one is what the proxy itself saw."""
    if settings.BEHIND_PROXY:
        return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(*parts: str) -> str:
    return ":".join(("attempts", str(int(time.time() // STRETCH_SECONDS)), *parts))


def _count(*parts: str) -> int:
    key = _key(*parts)

    def count(where: BaseCache) -> int:
        where.add(key, 0, STRETCH_SECONDS)
        return where.incr(key)

    return max(count(caches[CACHE]), _shared(count))


def _shared(ask: Callable[[BaseCache], int]) -> int:
    """Ask the cache that all processes share; 0 where there is none, or it is away."""
    if "LOCATION" not in settings.CACHES["default"]:
        return 0
    try:
        return ask(cache)
    except Exception:  # whatever the cache's own client raises
        logger.exception("the shared cache of the counts of attempts is away")
        return 0


def _own_count(request: HttpRequest, email: str, what: str) -> tuple[str, ...]:
    """What is counted of this caller at this account, and of nobody else."""
    account = lookup_key(email)
    device = devices.known_device(request, account)
    return (what, "device", device, account) if device else (what, "pair", address_of(request), account)


def _exhausted(request: HttpRequest, email: str, what: str) -> bool:
    limit = settings.OTJANG_LOGIN_ATTEMPTS
    own = _own_count(request, email, what)
    if own[1] == "device":
        return _count(*own) > limit
    address = address_of(request)
    # In this order: an exhausted caller must neither lock others out nor crowd the cache with accounts.
    if address and _count(what, "address", address) > limit * _PEOPLE_BEHIND_AN_ADDRESS:
        return True
    if _count(*own) > limit:
        return True
    return _count(what, "account", lookup_key(email)) > limit * _ADDRESSES_OF_AN_ACCOUNT


def minutes_to_wait(request: HttpRequest, email: str, what: str = "login") -> int:
    """Count an attempt; 0 if it may be made, else the minutes until the next one may.

    Args:
        request: whose attempt it is.
        email: of the account, however it is spelled.
        what: is tried; a password that somebody logs in with is counted apart from a code, for example.
    """
    left = STRETCH_SECONDS - time.time() % STRETCH_SECONDS
    return int(left // 60) + 1 if _exhausted(request, email, what) else 0


def is_first_refusal(request: HttpRequest, email: str, what: str = "login") -> bool:
    """Return whether this caller was not refused before at this account, in this stretch of time."""
    return caches[CACHE].add(_key("refused", *_own_count(request, email, what)), 1, STRETCH_SECONDS)


def forget(request: HttpRequest, email: str, what: str = "login") -> None:
    """Begin to count again for this caller, who has proved to be the account's owner."""
    key = _key(*_own_count(request, email, what))
    caches[CACHE].delete(key)
    _shared(lambda where: where.delete(key))
