"""Going on with operations: some products a transaction, with the rows that say what became of each.

A transaction locks its operation first. So one process at a time changes products of an operation, and who wants
to pause it waits for a fraction of a second. The lease only keeps others from queueing for that lock; what a killed
process held is free when it ends.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Operation
from catalog.models import BulkChange
from catalog.selectors import Taxonomy
from catalog.services.bulk.actions import KIND
from catalog.services.bulk.steps import actor_of, pending, take_step
from core.db import atomic
from core.outage import database_is_away

logger = logging.getLogger(__name__)

State = Operation.State
Outcome = BulkChange.Outcome

LEASE = timedelta(seconds=30)
_TURN_SECONDS = 2.0  # for one operation, then it is another one's turn
_REQUEST_SECONDS = 10.0  # what a person waits for at most; a worker goes on after that
_PAUSE_SECONDS = 0.05  # between transactions, for others that wait for the database or for this process
_NEVER = threading.Event()
_TO_DO = Q(state__in=(State.QUEUED, State.RUNNING), kind__startswith=KIND)


@dataclass(frozen=True)
class _Lease:
    """The right to go on with an operation, while nobody pauses or cancels it."""

    pk: int
    token: str

    @property
    def held(self) -> QuerySet[Operation]:
        """The operation, if it is still this lease's."""
        return Operation.objects.filter(_TO_DO, pk=self.pk, lease_token=self.token)

    def take(self) -> bool:
        """Claim the operation; False if somebody was quicker."""
        return bool(_free().filter(pk=self.pk).update(lease_token=self.token, lease_until=Now() + LEASE))

    def let_go(self) -> None:
        """Leave the operation to the next process."""
        self.held.update(lease_token="", lease_until=None)


def _free() -> QuerySet[Operation]:
    return Operation.objects.filter(_TO_DO).filter(Q(lease_until=None) | Q(lease_until__lt=Now()))


def continue_some(stop: threading.Event = _NEVER) -> int:
    """Go on with all operations in turns until none has anything to do; for a worker to call every second or so.

    One that breaks off is logged and does not hold up the others; what it did stays, and it goes on after its lease.

    Returns:
        How many products were dealt with.

    Raises:
        Error: the database is away.
    """
    total = 0
    while not stop.is_set():
        count = sum(_turn(pk, stop) for pk in list(_free().order_by("pk").values_list("pk", flat=True)))
        if not count:
            break
        total += count
    return total


def run_at_once(operation: Operation) -> Operation:
    """Go on with a small operation that was just started, while the person waits; returns it as it is then.

    What is left after some seconds, or if the process is killed, is done by a worker.
    """
    if operation.lease_token:
        _run(_Lease(operation.pk, operation.lease_token), _NEVER, _REQUEST_SECONDS)
    operation.refresh_from_db()
    return operation


def _turn(pk: int, stop: threading.Event) -> int:
    """Go on with an operation for a while, unless another process has it."""
    lease = _Lease(pk, secrets.token_hex(16))
    try:
        return _run(lease, stop, _TURN_SECONDS) if lease.take() else 0
    except Exception as error:
        if database_is_away(error):
            raise
        logger.exception("the bulk operation %d broke off; it is tried again", pk)
        return 0


def _run(lease: _Lease, stop: threading.Event, seconds: float) -> int:
    """Change products until the time is over, nothing more can be done, or the lease is lost; returns how many."""
    until = time.monotonic() + seconds
    taxonomy = Taxonomy.load()
    count = 0
    while not stop.is_set() and (dealt_with := _step(lease, taxonomy)):
        count += dealt_with
        if time.monotonic() >= until or not lease.held.exists():
            break
        stop.wait(_PAUSE_SECONDS)
    lease.let_go()
    return count


@atomic
def _step(lease: _Lease, taxonomy: Taxonomy) -> int:
    """Change some products in one transaction; returns how many. The one with the last product ends the operation."""
    operation = lease.held.select_for_update().first()
    if operation is None:
        return 0
    actor = actor_of(operation)
    if actor is None:
        _end(operation, State.FAILED, error="forbidden")
        return 0
    changes = take_step(operation, actor, taxonomy)
    operation.state = State.RUNNING
    operation.started_at = operation.started_at or timezone.now()
    operation.done += sum(change.outcome in {Outcome.DONE, Outcome.UNCHANGED} for change in changes)
    operation.failed += sum(change.outcome in {Outcome.REFUSED, Outcome.FAILED} for change in changes)
    operation.save(update_fields=["state", "started_at", "done", "failed"])
    Operation.objects.filter(pk=operation.pk).update(lease_until=Now() + LEASE)
    if operation.done + operation.failed >= operation.total and not pending(operation).exists():
        _end(operation, State.DONE)
    return len(changes)


def _end(operation: Operation, state: Operation.State, *, error: str = "") -> None:
    """End a locked operation, and note how many products it changed: those are what can be undone."""
    changed = BulkChange.objects.filter(operation=operation, outcome=Outcome.DONE).count()
    operation.parameters["changed"] = changed
    operation.state = state
    operation.error = error
    operation.finished_at = timezone.now()
    operation.lease_token, operation.lease_until = "", None
    operation.save(update_fields=["parameters", "state", "error", "finished_at", "lease_token", "lease_until"])
    logger.info("%s: %s, %d products, %d not possible", operation, state, operation.done, operation.failed)


def waits_long(operation: Operation) -> bool:
    """Whether an operation waits so long that no worker seems to run."""
    late = timezone.now() - LEASE
    return operation.state == State.QUEUED and operation.started_at is None and operation.created_at < late


@dataclass(frozen=True)
class Counts:
    """How many products of an operation came to what."""

    changed: int
    unchanged: int
    reasons: dict[str, int]


def counts_of(operation: Operation) -> Counts:
    """Count what became of an operation's products: by outcome, and by reason where it was not possible (a query)."""
    rows = BulkChange.objects.filter(operation=operation).exclude(outcome=Outcome.PENDING).order_by()
    found: dict[tuple[str, str], int] = {
        (outcome, reason): count
        for outcome, reason, count in rows.values_list("outcome", "reason").annotate(Count("pk"))
    }
    return Counts(
        changed=found.get((Outcome.DONE, ""), 0),
        unchanged=found.get((Outcome.UNCHANGED, ""), 0),
        reasons={reason: count for (outcome, reason), count in found.items() if reason},
    )
