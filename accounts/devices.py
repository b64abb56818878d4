"""Devices that logged in before: a signed cookie of a year says to which accounts.

It opens nothing. It only keeps a stranger's guesses from locking an owner out (`accounts/attempts.py`), and so it is
not given back at the log-out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from accounts.models import User

COOKIE = "device"
_SECONDS = 365 * 24 * 3600
_MOST_ACCOUNTS = 8
_SALT = "accounts.devices"


@dataclass(frozen=True, slots=True)
class Device:
    """What the cookie says: a number of this browser, and marks of the accounts it logged in to, the last one last."""

    number: str
    accounts: tuple[str, ...]


def _mark(email_key: str) -> str:
    return salted_hmac(_SALT, email_key).hexdigest()[:20]


def _device(request: HttpRequest) -> Device | None:
    try:
        number, accounts = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Device(number, tuple(accounts))


def known_device(request: HttpRequest, email_key: str) -> str:
    """Return the number of the device if it logged in to the account before, else ''."""
    device = _device(request)
    return device.number if device is not None and _mark(email_key) in device.accounts else ""


class _LoggedIn(HttpRequest):
    """A request by which somebody logged in; `DeviceMiddleware` reads to which account."""

    logged_in_to: str


def logged_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Remember the device with the answer, and list the session; for Django's signal, so whatever page it was."""
    if request is None or not request.META:  # a test or a command logs somebody in
        return
    match = request.resolver_match
    if match is not None and "hijack" in match.namespaces:  # staff who work as the person, on their own device
        return
    cast(_LoggedIn, request).logged_in_to = user.email_key
    UserSession.objects.create_from_request(request, user=user)


class DeviceMiddleware:
    """Gives a browser that has just logged in its cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        email_key = getattr(request, "logged_in_to", None)
        if email_key is not None:
            before = _device(request) or Device(secrets.token_hex(8), ())
            mark = _mark(email_key)
            accounts = [*(one for one in before.accounts if one != mark), mark][-_MOST_ACCOUNTS:]
            value = signing.dumps([before.number, accounts], salt=_SALT)
            response.set_cookie(
                COOKIE, value, max_age=_SECONDS, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
            )
        return response
