"""Writing down what happened, in the transaction in which it does: what is rolled back is told to nobody."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from webhooks.models import Delivery, Endpoint, Event, EventType

TRIED_FOR = timedelta(days=1)
"""How long a delivery is tried, from the event on."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event: what kind, what receivers are told, and the product that it is about ("" for none)."""

    kind: EventType
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: str = ""


def listeners(merchant_id: int | None, kinds: Collection[EventType]) -> list[Endpoint]:
    """Return the endpoints that are told of events of at least one of these kinds, in one query.

    Args:
        merchant_id: whose; None for all merchants'.
        kinds: of events.
    """
    endpoints = Endpoint.objects.filter(is_active=True).order_by("pk")
    if merchant_id is not None:
        endpoints = endpoints.filter(merchant=merchant_id)
    return [endpoint for endpoint in endpoints if any(endpoint.wants(kind) for kind in kinds)]


def emit(merchant_id: int | None, kinds: Collection[EventType], told: Callable[[], Iterable[Told]]) -> None:
    """Write events for the merchant's endpoints (None: everybody's), in the caller's transaction.

    Args:
        merchant_id: whose.
        kinds: what `told` may return.
        told: the events in their order; called only if somebody listens, because most merchants have no endpoint.
    """
    endpoints = listeners(merchant_id, kinds)
    if not endpoints:
        return
    for one in told():
        wanting = [endpoint for endpoint in endpoints if endpoint.wants(one.kind)]
        if wanting:
            add(one, wanting, merchant_id)


def add(told: Told, endpoints: Iterable[Endpoint], merchant_id: int | None) -> list[Delivery]:
    """Write one event for exactly these endpoints, in the caller's transaction."""
    now = timezone.now()
    event = Event.objects.create(merchant_id=merchant_id, type=told.kind, data=told.data, created_at=now)
    deliveries = [
        Delivery(endpoint=endpoint, event=event, subject=told.subject, next_at=now, until=now + TRIED_FOR)
        for endpoint in endpoints
    ]
    Delivery.objects.bulk_create(deliveries)
    return deliveries
