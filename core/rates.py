"""How often something may happen: counted in the cache, in fixed stretches of time."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache

logger = logging.getLogger(__name__)

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` in every stretch of `seconds`; `name` is what callers read in the headers."""

    name: str
    limit: int
    seconds: int

    @classmethod
    def of(cls, name: str, setting: str) -> Rate:
        """Read a setting such as 60/min, which `config.environment.rate` has checked."""
        number, _slash, unit = setting.partition("/")
        return cls(name, int(number), _SECONDS[unit[0]])


@dataclass(frozen=True, slots=True)
class Taken:
    """A rate after one more was counted."""

    rate: Rate
    used: int
    reset: int  # seconds until the next stretch begins, at least 1

    @property
    def remaining(self) -> int:
        """How many more may come in this stretch."""
        return max(self.rate.limit - self.used, 0)

    @property
    def is_exceeded(self) -> bool:
        """Whether this one was too many."""
        return self.used > self.rate.limit


def _place(rate: Rate, whom: str, now: float) -> tuple[str, int]:
    key = f"rate:{rate.name}:{whom}:{int(now // rate.seconds)}"
    return key, max(int(rate.seconds - now % rate.seconds), 1)


def take(rate: Rate, whom: str, count: int = 1) -> Taken:
    """Count for somebody; -1 takes back what should not have counted.

    A cache that is away lets everybody through: it must not take the site with it.

    Args:
        rate: what is counted.
        whom: a text without blanks, such as `key-7`.
        count: how many.
    """
    key, reset = _place(rate, whom, time.time())
    try:
        cache.add(key, 0, rate.seconds + 1)
        used = cache.incr(key, count)
    except ValueError:  # it ran out in between
        used = max(count, 0)
    except Exception:  # whatever the cache's own client raises
        logger.exception("the cache of the rate limits is away")
        used = 0
    return Taken(rate, used, reset)


def remember(key: str, seconds: int) -> None:
    """Keep for a while that something is so; a cache that is away forgets it."""
    try:
        cache.set(key, 1, seconds)
    except Exception:  # as in `take`
        logger.exception("the cache of the rate limits is away")


def forget(key: str) -> None:
    """End what `remember` keeps."""
    try:
        cache.delete(key)
    except Exception:  # as in `take`
        logger.exception("the cache of the rate limits is away")


def is_remembered(key: str) -> bool:
    """Whether `remember` was called for it, not long ago."""
    try:
        return cache.get(key) is not None
    except Exception:  # as in `take`
        logger.exception("the cache of the rate limits is away")
        return False


def network_of(address: str) -> str:
    """Return what a caller's address is counted as: itself, or of IPv6 the /64 that one customer has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return re.sub(r"[^\w.:-]", "", address) or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def headers(taken: Iterable[Taken]) -> dict[str, str]:
    """Return the header fields of an answer, as draft-ietf-httpapi-ratelimit-headers has them."""
    counted = list(taken)
    if not counted:
        return {}
    policies = (f'"{one.rate.name}";q={one.rate.limit};w={one.rate.seconds}' for one in counted)
    state = (f'"{one.rate.name}";r={one.remaining};t={one.reset}' for one in counted)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(state)}
