"""From the secret that a caller sends to the key, with wrong ones counted before the database is asked."""

from __future__ import annotations

from django.http import HttpRequest

from accounts import api_rates
from accounts.models import ApiKey
from accounts.services import note_use_of_api_key
from core import rates

_KNOWN_SECONDS = 3600


class Expired(Exception):
    """It is a key's secret, but the key's time is over."""


def find_api_key(request: HttpRequest, secret: str) -> ApiKey | None:
    """Return the key with that secret if it may be used; None when it is unknown, revoked or its merchant is closed.

    Every secret that was not good within the last hour is counted for the caller's address before it is looked up, and
    taken back if it is good: guessing costs the database little, and a program that is in use is not locked out by
    others at its address. Unknown and refused keys cost the same indexed look-up, so an answer's time tells nothing.

    Raises:
        Expired: the key's time is over.
        TooManyCalls: too many wrong ones came from this address.
    """
    known = f"api-key:{ApiKey.hash(secret)}"
    counted = not rates.is_remembered(known)
    if counted:
        api_rates.count_stranger(request)
    try:
        key = _usable(secret)
    except Expired:
        _refuse(request, known, counted)
        raise
    if key is None:
        _refuse(request, known, counted)
        return None
    if counted:
        api_rates.forgive_stranger(request)
        rates.remember(known, _KNOWN_SECONDS)
    note_use_of_api_key(key=key, old_secret=key.is_old_secret(secret))
    return key


def _refuse(request: HttpRequest, known: str, counted: bool) -> None:
    """Count a key that was good lately and is not any more, too."""
    if not counted:
        rates.forget(known)
        api_rates.count_stranger(request)


def _usable(secret: str) -> ApiKey | None:
    key = ApiKey.objects.select_related("merchant").filter(prefix=ApiKey.prefix_of(secret)).first()
    if key is None or not key.has_secret(secret) or key.revoked_at is not None or not key.merchant.is_active:
        return None
    if key.is_expired:
        raise Expired
    return key
