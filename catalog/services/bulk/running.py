"""Going on with operations: some products a transaction, with the rows that say what became of each.

A transaction locks its operation first. So one process at a time changes products of an operation, and who wants
to pause it waits for a fraction of a second. The lease only keeps others from queueing for that lock.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Operation
from accounts.services.operations import LEASE, Lease, end
from catalog.models import BulkChange
from catalog.selectors import Taxonomy
from catalog.services.bulk.steps import actor_of, pending, take_step
from core.db import atomic

State = Operation.State
Outcome = BulkChange.Outcome

_REQUEST_SECONDS = 10.0  # what a person waits for at most; a worker goes on after that
_PAUSE_SECONDS = 0.05  # between transactions, for others that wait for the database or for this process
_NEVER = threading.Event()


def run_at_once(operation: Operation) -> Operation:
    """Go on with a small operation that was just started, while the person waits; returns it as it is then.

    What is left after some seconds, or if the process is killed, is done by a worker.
    """
    if operation.lease_token:
        lease = Lease(operation.pk, operation.lease_token)
        run(lease, _NEVER, _REQUEST_SECONDS)
        lease.let_go()
    operation.refresh_from_db()
    return operation


def run(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Change products until the time is over, nothing more can be done, or the lease is lost; returns how many.

    What `accounts.services.operations` calls in turns.
    """
    until = time.monotonic() + seconds
    taxonomy = Taxonomy.load()
    count = 0
    while not stop.is_set() and (dealt_with := _step(lease, taxonomy)):
        count += dealt_with
        if time.monotonic() >= until or not lease.held.exists():
            break
        stop.wait(_PAUSE_SECONDS)
    return count


@atomic
def _step(lease: Lease, taxonomy: Taxonomy) -> int:
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
    end(operation, state, error=error)


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
