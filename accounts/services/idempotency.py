"""Requests that may be sent again: who is first carries them out, the others get the same answer.

A request is claimed under a lease, in a transaction of its own. Its answer is written in the transaction that carries
it out, and only while the claim still holds. So whatever is killed: either nothing was done, and when the lease is over
the next one may do it, or it was done and the answer is there.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.actors import Actor
from accounts.models import IdempotentRequest

logger = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=20)
_ATTEMPTS = 3
_CHUNK = 500


class KeyInUse(Exception):
    """The request with this key is being carried out now."""


class KeyReused(Exception):
    """Another request had this key."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered with."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Claim:
    """The right to carry out a request, until the lease is over and somebody else has it."""

    pk: int
    token: str

    def finish(self, answer: Answer) -> None:
        """Keep the answer. Call it in the transaction that carries the request out.

        Raises:
            KeyInUse: somebody else has the request by now; what was done must not be committed.
        """
        kept = IdempotentRequest.objects.filter(pk=self.pk, lease_token=self.token, status=None).update(
            status=answer.status, headers=dict(answer.headers), body=answer.body
        )
        if not kept:
            raise KeyInUse

    def release(self) -> None:
        """Forget the request, of which nothing was done; if that fails, its lease ends it."""
        try:
            IdempotentRequest.objects.filter(pk=self.pk, lease_token=self.token, status=None).delete()
        except DatabaseError:
            logger.warning("a request with an Idempotency-Key is claimed until its lease ends", exc_info=True)


def caller_of(actor: Actor) -> str:
    """Return whose keys these are: an API key's or a person's own, within a merchant."""
    merchant = actor.merchant.pk if actor.merchant is not None else ""
    who = f"key-{actor.api_key.pk}" if actor.api_key is not None else f"user-{actor.user.pk if actor.user else ''}"
    return f"{merchant}:{who}"


def begin(*, actor: Actor, key: str, fingerprint: str, lease: timedelta = LEASE) -> Claim | Answer:
    """Claim a request, or return its answer where it was carried out already.

    Args:
        actor: who sends it, within a merchant.
        key: the caller's name for it.
        fingerprint: of all that it asks for, in at most 64 characters.
        lease: how long nobody else may carry it out, unless this process ends it.

    Raises:
        KeyInUse, KeyReused.
    """
    assert actor.merchant is not None
    digest = hashlib.sha256(f"{caller_of(actor)}:{key}".encode()).hexdigest()
    rows = IdempotentRequest.objects.filter(digest=digest)
    for _attempt in range(_ATTEMPTS):
        found = rows.annotate(is_over=Q(expires_at__lte=Now())).first()
        if found is None:
            if (claim := _first(actor.merchant.pk, digest, fingerprint, lease)) is not None:
                return claim
        elif found.is_over:
            rows.filter(pk=found.pk).delete()
        elif found.fingerprint != fingerprint:
            raise KeyReused
        elif found.status is not None:
            return Answer(found.status, found.headers, found.body)
        else:
            return _taken_over(found, lease)
    raise KeyInUse


def _first(merchant_id: int, digest: str, fingerprint: str, lease: timedelta) -> Claim | None:
    """Claim a request that nobody has sent yet; None if somebody was quicker."""
    token = secrets.token_hex(16)
    try:
        with transaction.atomic():
            row = IdempotentRequest.objects.create(
                digest=digest,
                merchant_id=merchant_id,
                fingerprint=fingerprint,
                lease_token=token,
                lease_until=Now() + lease,
                expires_at=Now() + KEPT,
            )
    except IntegrityError:
        return None
    return Claim(row.pk, token)


def _taken_over(found: IdempotentRequest, lease: timedelta) -> Claim:
    """Claim a request that a process has left undone. Raises KeyInUse."""
    token = secrets.token_hex(16)
    left = IdempotentRequest.objects.filter(
        pk=found.pk, lease_token=found.lease_token, status=None, lease_until__lt=Now()
    )
    if not left.update(lease_token=token, lease_until=Now() + lease):
        raise KeyInUse
    return Claim(found.pk, token)


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete requests whose time is over; returns how many. `goes_on` is asked before every 500."""
    due = IdempotentRequest.objects.filter(expires_at__lte=Now()).order_by("expires_at")
    deleted = 0
    while goes_on() and (ids := list(due.values_list("pk", flat=True)[:_CHUNK])):
        deleted += IdempotentRequest.objects.filter(pk__in=ids).delete()[0]
    return deleted
