"""Large exports: an operation, whose file a worker writes from beginning to end."""

from __future__ import annotations

import logging
import threading
import time

from django.db.models import F, Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Operation
from accounts.services.operations import Lease, end, note, starter_of
from accounts.services.result_files import open_new
from catalog.models import Product
from catalog.services.exports.choice import ExportChoice
from catalog.services.exports.files import file_chunks
from catalog.services.exports.lines import ExportLines, count_up_to
from core.db import atomic
from core.errors import Forbidden, Invalid
from core.ids import is_public_id, public_id

logger = logging.getLogger(__name__)

State = Operation.State

KIND = "export_products"
AT_ONCE = 10_000  # lines that are sent while the person waits
AT_ONCE_IMAGES = 200  # ... of products with their images
_UNMAPPED_KEPT = 200
_TICK_SECONDS = 3.0  # of a lease of 30
_MOST_ATTEMPTS = 5
_COUNTED = 5_000_000


def at_once_limit(choice: ExportChoice) -> int:
    """How many products are exported while the person waits; more become an operation."""
    return AT_ONCE_IMAGES if choice.images else AT_ONCE


@atomic
def start(*, actor: Actor, choice: ExportChoice, number: str = "") -> Operation:
    """Start an export that a worker writes.

    Args:
        actor: who starts it; it goes on as long as they are a member of the merchant, or their key is good.
        choice: what is exported. Products that are added later are not.
        number: the operation's public id, drawn when the person was asked: who sends the form twice gets one export.

    Raises:
        Forbidden: nobody in particular acts, or within no merchant.
        Invalid: `nothing_chosen`.
    """
    if actor.merchant is None or actor.is_system:
        raise Forbidden("forbidden", _("Products are exported by members of the shop, or with a key of it."))
    number = number if is_public_id(number) else public_id()
    if (
        same := of_merchant(actor).filter(public_id=number, created_by=actor.user, api_key=actor.api_key).first()
    ) is not None:
        return same
    if not count_up_to(actor, choice, 1):
        raise Invalid("nothing_chosen", _("No product was chosen."))
    last = Product.objects.visible_to(actor).aggregate(last=Max("pk"))["last"]
    parameters = choice.parameters() | {"last": choice.last or last}
    operation = Operation.objects.create(
        public_id=number,
        kind=KIND,
        merchant=actor.merchant,
        created_by=actor.user,
        api_key=actor.api_key,
        impersonator=actor.impersonator,
        parameters={**parameters, "channel": str(actor.channel), "file": choice.file_name},
    )
    note(actor, operation, "start", format=choice.format.value)
    return operation


def of_merchant(actor: Actor) -> QuerySet[Operation]:
    """Exports of the merchant that the actor works in, the newest first."""
    if actor.merchant is None:
        return Operation.objects.none()
    return Operation.objects.filter(merchant=actor.merchant, kind=KIND)


class _Stopped(Exception):
    """The lease is lost, or the process is to end."""


class _Progress:
    """Holds the lease while a file is written, and says how far it is."""

    def __init__(self, lease: Lease, lines: ExportLines, stop: threading.Event) -> None:
        self._lease, self._lines, self._stop = lease, lines, stop
        self._next = 0.0

    def __call__(self) -> None:
        """Renew the lease every few seconds. Raises _Stopped."""
        if self._stop.is_set():
            raise _Stopped
        if time.monotonic() < self._next:
            return
        if not self._lease.renew():
            raise _Stopped
        self._lease.held.update(done=self._lines.read)
        self._next = time.monotonic() + _TICK_SECONDS


def run(lease: Lease, stop: threading.Event, _seconds: float) -> int:
    """Write an export's file, and end the operation; returns how many lines it has. See `operations.Run`.

    Paused, cancelled or killed on the way it leaves no file, and begins again when it goes on.
    """
    operation = _begin(lease)
    if operation is None:
        return 0
    actor = starter_of(operation)
    if actor is None:
        return _end(lease, State.FAILED, error="forbidden")
    choice = ExportChoice.of_parameters(operation.parameters)
    lines = ExportLines(actor, choice)
    progress = _Progress(lease, lines, stop)
    lease.held.update(total=count_up_to(actor, choice, _COUNTED))
    try:
        with open_new(operation, operation.parameters["file"]) as file:
            for chunk in file_chunks(lines, progress):
                file.write(chunk)
            if not lease.renew():
                raise _Stopped
    except _Stopped:  # no failure: it was paused, or the worker ends
        Operation.objects.filter(pk=operation.pk).update(attempts=F("attempts") - 1)
        return 0
    return _end(lease, State.DONE, lines=lines, result_file=operation.result_file)


@atomic
def _begin(lease: Lease) -> Operation | None:
    operation = lease.held.select_for_update().first()
    if operation is None:
        return None
    if operation.attempts >= _MOST_ATTEMPTS:
        end(operation, State.FAILED, error="broke_off")
        return None
    operation.state = State.RUNNING
    operation.started_at = operation.started_at or timezone.now()
    operation.attempts += 1
    operation.done = 0
    operation.save(update_fields=["state", "started_at", "attempts", "done"])
    return operation


@atomic
def _end(
    lease: Lease, state: Operation.State, *, error: str = "", lines: ExportLines | None = None, result_file: str = ""
) -> int:
    operation = lease.held.select_for_update().first()
    if operation is None:
        return 0
    if lines is not None:
        operation.done = operation.total = lines.read
        operation.result_file = result_file
        operation.parameters["unmapped"] = lines.unmapped.products.most_common(_UNMAPPED_KEPT)
    end(operation, state, error=error)
    return operation.done
