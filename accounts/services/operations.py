"""Long operations that workers go on with in turns, one process at a time, until they end.

An application names its kinds with `provide`; `manage.py worker` calls `continue_some`. A lease keeps other processes
from the same operation: its holder renews it, pausing and cancelling take it away, and what a killed process held is
free when it ends. Whatever is written must therefore be written in a transaction that found the lease still held.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Operation
from accounts.services.askers import actor_today
from accounts.services.audit import record
from core.db import atomic
from core.errors import Conflict, Forbidden
from core.outage import database_is_away

logger = logging.getLogger(__name__)

State = Operation.State

LEASE = timedelta(seconds=30)
TURN_SECONDS = 2.0  # for one operation, then it is another one's turn
ALIVE = (State.QUEUED, State.RUNNING)
_NEVER = threading.Event()


@dataclass(frozen=True)
class Lease:
    """The right to go on with an operation, while nobody pauses or cancels it."""

    pk: int
    token: str

    @property
    def held(self) -> QuerySet[Operation]:
        """The operation, if it is still this lease's. Lock it (`select_for_update`) before anything is written."""
        return Operation.objects.filter(pk=self.pk, state__in=ALIVE, lease_token=self.token)

    def take(self) -> bool:
        """Claim the operation; False if somebody was quicker."""
        free = Operation.objects.filter(_is_free(), pk=self.pk, state__in=ALIVE)
        return bool(free.update(lease_token=self.token, lease_until=Now() + LEASE))

    def renew(self) -> bool:
        """Hold it for another LEASE; False if it was paused, cancelled or taken over: stop then."""
        return bool(self.held.update(lease_until=Now() + LEASE))

    def let_go(self) -> None:
        """Leave the operation to the next process."""
        self.held.update(lease_token="", lease_until=None)


# Goes on with an operation until it ends, the event is set, the seconds are over or the lease is lost; returns how much
# it dealt with, 0 if there was nothing to do. It may write `state` and the counts, and ends the operation with `end`.
Run = Callable[[Lease, threading.Event, float], int]


@dataclass(frozen=True)
class _Kind:
    run: Run
    long: bool


_kinds: dict[str, _Kind] = {}


def provide(prefix: str, run: Run, *, long: bool = False) -> None:
    """Name what goes on with the operations whose kind begins so; for `AppConfig.ready`.

    Args:
        prefix: the kind, or what several kinds begin with.
        run: see `Run`.
        long: it cannot stop after a turn, as when one file is written from beginning to end. Such operations have a
            thread of their own, so that the others need not wait for them; they must renew their lease.
    """
    _kinds[prefix] = _Kind(run, long)


def _is_free() -> Q:
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def _kind_of(kind: str) -> _Kind | None:
    return next((found for prefix, found in _kinds.items() if kind.startswith(prefix)), None)


def _free(long: bool) -> list[tuple[int, Run]]:
    """What may be gone on with, in the order in which it began."""
    waiting = Operation.objects.filter(_is_free(), state__in=ALIVE).order_by("pk").values_list("pk", "kind")
    found = ((pk, _kind_of(kind)) for pk, kind in waiting)
    return [(pk, kind.run) for pk, kind in found if kind is not None and kind.long == long]


def continue_some(stop: threading.Event = _NEVER, *, long: bool = False) -> int:
    """Go on with all operations in turns until none has anything to do; for a worker to call every second or so.

    One that breaks off is logged and does not hold up the others; what it did stays, and it goes on after its lease.

    Args:
        stop: set when the process is to end.
        long: those that were provided as long, else all others.

    Returns:
        How much was dealt with, in lines, products or whatever the operations count.

    Raises:
        Error: the database is away.
    """
    total = 0
    while not stop.is_set():
        count = sum(_turn(pk, run, stop) for pk, run in _free(long))
        if not count:
            break
        total += count
    return total


def continue_long(stop: threading.Event = _NEVER) -> int:
    """Go on with the long operations; see `continue_some`."""
    return continue_some(stop, long=True)


def continue_one(operation: Operation, stop: threading.Event = _NEVER) -> int:
    """Go on with one operation for a turn, for who waits for just that; 0 if another process has it."""
    kind = _kind_of(operation.kind)
    return _turn(operation.pk, kind.run, stop) if kind is not None else 0


def _turn(pk: int, run: Run, stop: threading.Event) -> int:
    """Go on with an operation for a while, unless another process has it."""
    lease = Lease(pk, secrets.token_hex(16))
    try:
        if not lease.take():
            return 0
        count = run(lease, stop, TURN_SECONDS)
        lease.let_go()
    except Exception as error:
        if database_is_away(error):
            raise
        logger.exception("operation %d broke off; it is tried again", pk)
        return 0
    return count


def end(operation: Operation, state: Operation.State, *, error: str = "") -> None:
    """End a locked operation that this process holds: store state, counts, parameters and file, and free its keys."""
    operation.state = state
    operation.error = error
    operation.finished_at = timezone.now()
    operation.lease_token, operation.lease_until, operation.open_key = "", None, None
    operation.save()
    logger.info("%s: %s, %d done, %d not possible", operation, state, operation.done, operation.failed)


def starter_of(operation: Operation) -> Actor | None:
    """Return who started an operation of a merchant, with the permissions of today.

    None if they left the merchant, their key is no longer good, or the merchant is closed.
    """
    return actor_today(
        operation.merchant,
        channel=Channel(operation.parameters["channel"]),
        user=operation.created_by,
        api_key=operation.api_key,
        operation=operation,
        impersonator=operation.impersonator,
    )


def waits_long(operation: Operation) -> bool:
    """Whether an operation waits so long that no worker seems to run."""
    late = timezone.now() - LEASE
    return operation.state == State.QUEUED and operation.started_at is None and operation.created_at < late


@atomic
def pause(*, actor: Actor, operation: Operation) -> None:
    """Stop after what is being written now, until `resume`. Raises Forbidden, or Conflict `bad_move`."""
    _move(actor, operation, ALIVE, "pause", State.PAUSED)


@atomic
def resume(*, actor: Actor, operation: Operation) -> None:
    """Go on with a paused operation. Raises Forbidden, or Conflict `bad_move` if it is not paused."""
    _move(actor, operation, (State.PAUSED,), "resume", State.QUEUED)


@atomic
def cancel(*, actor: Actor, operation: Operation) -> None:
    """End an operation; what it did stays. Raises Forbidden, or Conflict `bad_move` at its end."""
    _move(actor, operation, (*ALIVE, State.PAUSED), "cancel", State.CANCELLED)


MOVES: dict[str, Callable[..., None]] = {"pause": pause, "resume": resume, "cancel": cancel}


def _move(actor: Actor, operation: Operation, before: tuple[str, ...], what: str, after: Operation.State) -> None:
    if operation.merchant_id is None or actor.merchant is None or actor.merchant.pk != operation.merchant_id:
        raise Forbidden("forbidden", _("This operation is not one of your shop's."))
    actor.require_edit(operation.merchant_id)
    moved = Operation.objects.filter(pk=operation.pk, state__in=before)
    if after == State.CANCELLED:
        changed = moved.update(state=after, lease_token="", lease_until=None, open_key=None, finished_at=timezone.now())
    else:
        changed = moved.update(state=after, lease_token="", lease_until=None)
    if not changed:
        raise Conflict("bad_move", _("The operation is not in a state that allows this."))
    note(actor, operation, what)


def note(actor: Actor, operation: Operation, what: str, **details: object) -> None:
    """Write into the audit trail what was done with an operation: start, pause, resume, cancel."""
    record(
        actor=actor,
        action=f"operation.{what}",
        subject_type="operation",
        subject_id=operation.public_id,
        merchant_id=operation.merchant_id,
        kind=operation.kind,
        **details,
    )
