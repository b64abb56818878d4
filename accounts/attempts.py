"""How often somebody may try to log in: counted in the cache, by account and by address, in fixed stretches of time."""

from __future__ import annotations

import time

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest

from core.text import lookup_key

CACHE = "login-attempts"
STRETCH_SECONDS = 900
_PEOPLE_BEHIND_AN_ADDRESS = 10


def _address(request: HttpRequest) -> str:
    """The caller's address, '' where a proxy does not tell it. The last one is what the proxy itself saw."""
    if settings.BEHIND_PROXY:
        return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _key(*parts: str) -> str:
    return ":".join(("login", str(int(time.time() // STRETCH_SECONDS)), *parts))


def _count(key: str) -> int:
    caches[CACHE].add(key, 0, STRETCH_SECONDS)
    return caches[CACHE].incr(key)


def minutes_to_wait(request: HttpRequest, email: str) -> int:
    """Count an attempt to log in; 0 if it may be made, else the minutes until the next one may."""
    limit = settings.OTJANG_LOGIN_ATTEMPTS
    address = _address(request)
    exhausted = address != "" and _count(_key("address", address)) > limit * _PEOPLE_BEHIND_AN_ADDRESS
    if not exhausted:  # else one address could lock everybody out, or crowd the cache with accounts
        exhausted = _count(_key("account", lookup_key(email))) > limit
    left = STRETCH_SECONDS - time.time() % STRETCH_SECONDS
    return int(left // 60) + 1 if exhausted else 0


def forget(email: str) -> None:
    """Begin to count again for an account whose owner has logged in."""
    caches[CACHE].delete(_key("account", lookup_key(email)))
