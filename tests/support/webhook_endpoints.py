"""Webhooks for tests: endpoints at a receiver of this machine, what they got, and time that passes."""

import json
import threading
from datetime import timedelta

from django.db.models import F
from standardwebhooks.webhooks import Webhook

from tests.support.receivers import receiving  # noqa: F401 - those who test webhooks need it
from webhooks import delivery, services
from webhooks.models import Delivery, Endpoint

ALLOWED = ["127.0.0.1"]


def endpoint_at(receiver, actor, **fields):
    """Add an endpoint of the actor's merchant there."""
    return services.create_endpoint(actor=actor, merchant=actor.merchant, url=f"{receiver.url}/hook", **fields)


def deliver():
    """Send everything that is due; returns how many calls were made."""
    return delivery.deliver_due(threading.Event())


def got(receiver, endpoint, secret=None):
    """What the receiver got, each checked with the library that receivers use."""
    checker = Webhook(secret or endpoint.secret)
    return [checker.verify(call.body, call.headers) and json.loads(call.body) for call in receiver.calls]


def pass_time(**of):
    """Let time pass for all that waits."""
    by = timedelta(**of)
    Delivery.objects.update(next_at=F("next_at") - by, until=F("until") - by)
    for name in ("paused_until", "failing_since", "previous_until", "lease_until"):
        Endpoint.objects.exclude(**{name: None}).update(**{name: F(name) - by})
