"""What checking and importing have in common: whose operation it is, and that it still is this process's."""

from __future__ import annotations

import threading
import time

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Operation
from accounts.services.operations import Lease, end
from catalog.imports.refusals import to_json
from catalog.models import ProductImport
from catalog.services.bulk.steps import actor_of
from core.db import atomic
from core.errors import Refused

State = Operation.State

CHECK, IMPORT = "import_check", "import_products"
_RENEW_SECONDS = 5.0


class Lost(Exception):
    """The operation was paused, cancelled or taken over, or the process is to end."""


class Watch:
    """Renews a lease while something takes long, and says when it is lost."""

    def __init__(self, lease: Lease, stop: threading.Event) -> None:
        self._lease, self._stop = lease, stop
        self._next = time.monotonic() + _RENEW_SECONDS

    def __call__(self) -> None:
        """Go on, or raise Lost."""
        if self._stop.is_set():
            raise Lost
        if time.monotonic() >= self._next:
            if not self._lease.renew():
                raise Lost
            self._next = time.monotonic() + _RENEW_SECONDS


def importer_of(operation: Operation) -> Actor | None:
    """Who imports, with the permissions of today; None if they may not change products any more.

    A command's import is the system's, unless it was started for somebody.
    """
    if (
        operation.created_by_id is None
        and operation.api_key_id is None
        and operation.parameters["channel"] == Channel.COMMAND
    ):
        return Actor(channel=Channel.COMMAND, merchant=operation.merchant, operation=operation)
    return actor_of(operation)


def import_of(operation: Operation) -> ProductImport | None:
    """The import that an operation looks through or carries out; None if it was deleted."""
    return ProductImport.objects.filter(public_id=operation.parameters["import"]).first()


@atomic
def fail(lease: Lease, refused: Refused) -> None:
    """End the operation by a refusal of the whole import, which its page then says."""
    operation = lease.held.select_for_update().first()
    if operation is None:
        return
    ProductImport.objects.filter(public_id=operation.parameters["import"]).update(refusal=to_json(refused))
    end(operation, State.FAILED, error=refused.code)
