"""Sending what waits: by threads of a worker, so that a receiver that is slow holds up nothing but itself.

A thread claims an endpoint, not a delivery: then one endpoint occupies one thread at most, and gets what concerns a
product in order. One that does not answer is left alone for longer and longer, while others are sent to.
"""

from __future__ import annotations

import json
import logging
import random
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from core import outgoing
from core.db import atomic
from core.outgoing import Limits
from webhooks import notices, services
from webhooks.models import Delivery, Endpoint
from webhooks.signing import headers_of

logger = logging.getLogger(__name__)

State = Delivery.State

_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 3 * 3600, 4 * 3600))
"""Before the second attempt, the third and so on; the last one repeats."""

# Of an endpoint that fails; it doubles with each failure in a row. After it, something is tried again.
_FIRST_REST, _LONGEST_REST = timedelta(seconds=1), timedelta(minutes=10)
_TURN_SECONDS = 20.0  # for one endpoint, then another one's turn comes
_ANSWER_BYTES = 1000
_KEPT_ANSWERS = 12
_GONE = 410


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one attempt: a status, or the code why there was none."""

    status: int | None
    error: str
    milliseconds: int
    body: str = ""
    rest: timedelta = timedelta()  # that the receiver asked for

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    def to_json(self, at: datetime) -> dict[str, Any]:
        """As `Delivery.answers` keeps it."""
        return {
            "at": at.isoformat(),
            "status": self.status,
            "error": self.error,
            "milliseconds": self.milliseconds,
            "body": self.body,
        }


def body_of(delivery: Delivery) -> bytes:
    """Return what is sent: the same bytes at each attempt."""
    event = delivery.event
    said = {"type": event.type, "timestamp": event.created_at, "data": event.data}
    return json.dumps(said, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":")).encode()


def deliver_due(stop: threading.Event) -> int:
    """Send what is due, endpoint by endpoint, until nothing is or `stop` is set; returns how many calls were made."""
    calls = 0
    while not stop.is_set():
        with _claimed() as endpoint:
            if endpoint is None:
                return calls
            calls += _serve(endpoint, stop)
    return calls


def _lease() -> timedelta:
    """How long an endpoint stays claimed, by the database's clock: longer than one call takes."""
    return timedelta(seconds=settings.OTJANG_WEBHOOK_SECONDS + 15)


def _due(now: datetime) -> QuerySet[Delivery]:
    """Deliveries whose time has come and that wait for no earlier one of the same product."""
    earlier = Delivery.objects.filter(
        endpoint=OuterRef("endpoint"), subject=OuterRef("subject"), state=State.PENDING, pk__lt=OuterRef("pk")
    ).order_by()
    return Delivery.objects.filter(Q(subject="") | ~Exists(earlier), state=State.PENDING, next_at__lte=now)


@contextmanager
def _claimed() -> Iterator[Endpoint | None]:
    """Claim the endpoint that waits longest for its turn; None if none has anything due."""
    now = timezone.now()
    waiting = Endpoint.objects.filter(
        Q(paused_until=None) | Q(paused_until__lte=now),
        Exists(_due(now).filter(endpoint=OuterRef("pk")).order_by()),
        Q(lease_until=None) | Q(lease_until__lt=Now()),
        is_active=True,
        merchant__is_active=True,
    ).order_by(F("lease_until").asc(nulls_first=True))
    token = secrets.token_hex(16)
    for pk in list(waiting.values_list("pk", flat=True)[:20]):
        free = Endpoint.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), pk=pk)
        if free.update(lease_token=token, lease_until=Now() + _lease()):
            break
    else:
        yield None
        return
    held = Endpoint.objects.filter(pk=pk, lease_token=token)
    try:
        yield held.first()
    finally:
        held.update(lease_token="", lease_until=Now())


def _serve(endpoint: Endpoint, stop: threading.Event) -> int:
    """Send a claimed endpoint what is due, in order, until it fails or its turn is over."""
    until = time.monotonic() + _TURN_SECONDS
    calls = 0
    held = Endpoint.objects.filter(pk=endpoint.pk, lease_token=endpoint.lease_token, is_active=True)
    while not stop.is_set() and time.monotonic() < until and held.update(lease_until=Now() + _lease()):
        delivery = _due(timezone.now()).filter(endpoint=endpoint).select_related("event").order_by("pk").first()
        if delivery is None:
            break
        outcome = _send(endpoint, delivery)
        calls += 1
        if not _record(endpoint.pk, delivery.pk, outcome):
            break
    return calls


def _send(endpoint: Endpoint, delivery: Delivery) -> _Outcome:
    """Make one call. No transaction is open meanwhile."""
    body = body_of(delivery)
    headers = headers_of(
        message_id=delivery.event.message_id, timestamp=int(time.time()), body=body, secrets=endpoint.secrets
    )
    limits = Limits(seconds=settings.OTJANG_WEBHOOK_SECONDS, size=_ANSWER_BYTES, cut=True)
    began = time.monotonic()
    try:
        answer = outgoing.call(
            "POST", endpoint.url, limits=limits, body=body, headers={"Content-Type": "application/json", **headers}
        )
    except outgoing.CallFailed as failed:
        return _Outcome(None, failed.code, int((time.monotonic() - began) * 1000))
    text = answer.body.decode(errors="replace").replace("\x00", "")
    took = int((time.monotonic() - began) * 1000)
    return _Outcome(answer.status, "", took, text, _wished_rest(answer.headers))


def _wished_rest(headers: Mapping[str, str]) -> timedelta:
    """What `Retry-After` asks for in seconds, up to an hour; none for anything else."""
    wish = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return timedelta(seconds=min(int(wish), 3600)) if re.fullmatch(r"[0-9]{1,9}", wish) else timedelta()


def _jittered(pause: timedelta) -> timedelta:
    """A little more or less, so that what failed together is not tried together."""
    return pause * random.uniform(0.8, 1.2)


@atomic
def _record(endpoint_id: int, delivery_id: int, outcome: _Outcome) -> bool:
    """Keep what came of an attempt; says whether the endpoint can be sent more now."""
    endpoint = Endpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
    if endpoint is None or delivery is None:  # deleted meanwhile
        return False
    now = timezone.now()
    delivery.attempts += 1
    delivery.answers = [*delivery.answers, outcome.to_json(now)][-_KEPT_ANSWERS:]
    if outcome.taken:
        delivery.state, delivery.finished_at = State.DELIVERED, now
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
        endpoint.last_delivered_at = now
    elif endpoint.is_active:
        _put_off(endpoint, delivery, outcome, now)
    delivery.save(update_fields=["attempts", "answers", "state", "next_at", "finished_at"])
    endpoint.save(
        update_fields=["failures", "failing_since", "paused_until", "last_delivered_at", "is_active", "off_reason"]
    )
    if not endpoint.is_active:
        services.give_up(endpoint)
        return False
    return outcome.taken


def _put_off(endpoint: Endpoint, delivery: Delivery, outcome: _Outcome, now: datetime) -> None:
    """Say when the delivery and its endpoint are tried again, or that they no longer are."""
    pause = max(_jittered(_PAUSES[min(delivery.attempts, len(_PAUSES)) - 1]), outcome.rest)
    delivery.next_at = now + pause
    if delivery.next_at > delivery.until:
        delivery.state, delivery.finished_at = State.FAILED, now
    rest = _jittered(min(_FIRST_REST * 2 ** min(endpoint.failures, 12), _LONGEST_REST))
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.paused_until = now + max(rest, outcome.rest)
    constant = now - endpoint.failing_since >= timedelta(hours=settings.OTJANG_WEBHOOK_FAILING_HOURS)
    if outcome.status == _GONE or constant:
        endpoint.is_active = False
        endpoint.off_reason = Endpoint.OffReason.GONE if outcome.status == _GONE else Endpoint.OffReason.FAILING
        logger.warning("the webhook %s is switched off: %s", endpoint.public_id, endpoint.off_reason)
        notices.tell_owners_on_commit(endpoint)


def expire() -> int:
    """Give up what waited its day for an endpoint that does not answer; returns how many that were."""
    late = Delivery.objects.filter(
        endpoint__in=Endpoint.objects.filter(failures__gt=0).values("pk"),
        state=State.PENDING,
        until__lt=timezone.now(),
    )
    return late.update(state=State.FAILED, finished_at=timezone.now())
