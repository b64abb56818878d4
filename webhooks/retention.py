"""Deleting what was told long ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from webhooks.models import Delivery, Event

_CHUNK = 500


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete events older than the retention time with their deliveries, but for what still waits; returns how many."""
    before = timezone.now() - timedelta(days=settings.OTJANG_WEBHOOK_RETENTION_DAYS)
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING, event__created_at__lt=before).values("event")
    deleted = 0
    while goes_on():
        old = Event.objects.filter(created_at__lt=before).exclude(pk__in=waiting).order_by("created_at")
        some = list(old.values_list("pk", flat=True)[:_CHUNK])
        if not some:
            break
        Event.objects.filter(pk__in=some).delete()
        deleted += len(some)
    return deleted
