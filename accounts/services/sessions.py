"""Log-ins that are over: Django keeps their rows until somebody deletes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.utils import timezone

_CHUNK = 500


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete sessions that have expired, and what devices' pages list of them; returns how many of these.

    `goes_on` is asked before every 500.
    """
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    before = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    old = UserSession.objects.filter(created_at__lt=before).order_by("pk")
    deleted = after = 0
    while goes_on() and (some := list(old.filter(pk__gt=after)[:_CHUNK])):
        after = some[-1].pk
        deleted += sum(session.purge() for session in some)
    return deleted
