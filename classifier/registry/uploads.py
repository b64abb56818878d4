"""Weights uploaded in the admin: kept unopened until a worker registers them, then deleted."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Operation
from accounts.services import record
from classifier.permissions import require_superuser
from classifier.registry import model_sets, weight_files
from classifier.registry.registration import Description, register, roles
from core.db import atomic
from core.errors import Forbidden, Invalid, Refused
from core.ids import public_id

logger = logging.getLogger(__name__)

State = Operation.State

KIND = "register_model"
LEASE = timedelta(seconds=60)
RENEW_SECONDS = 5  # also how soon a cancelled registration ends
_WAITING = {"state": State.QUEUED, "lease_token": "", "lease_until": None}
_NEVER = threading.Event()
_ZIP = b"PK\x03\x04"  # how checkpoints begin
FOLDER = f"{weight_files.FOLDER}/uploads"


def queue(
    *,
    actor: Actor,
    file: UploadedFile[Any],
    role: str,
    name: str = "",
    mapping: Mapping[str, str] | None = None,
    threshold: float | None = None,
    image_size: int | None = None,
    licence: str = "",
    card: str = "",
    activate: bool = False,
) -> Operation:
    """Keep uploaded weights, unopened, for a worker to register; see `registration.register`.

    Raises:
        Forbidden: not a superuser.
        Invalid: `unknown_role`, `empty`, `no_checkpoint`, `too_large`.
    """
    require_superuser(actor)
    if role not in roles():
        raise Invalid("unknown_role", _("There is no role “%(role)s”."), {"role": role})
    if not file.size:
        raise Invalid("empty", _("The file is empty. Choose another one."))
    if file.read(len(_ZIP)) != _ZIP:
        raise Invalid("no_checkpoint", _("This is not a PyTorch checkpoint (.pt). Choose the best.pt of a training."))
    file.seek(0)
    limit = settings.OTJANG_MAX_MODEL_BYTES
    if file.size > limit:
        raise Invalid("too_large", _("The file is larger than %(limit)d MB."), {"limit": limit // 2**20})
    path = default_storage.save(f"{FOLDER}/{public_id()}.pt", file)
    parameters: dict[str, Any] = {
        "file": path,
        "role": role,
        "name": name or PurePath(file.name or "weights").stem[:100],
        "mapping": dict(mapping or {}),
        "threshold": threshold,
        "image_size": image_size,
        "licence": licence,
        "card": card,
        "activate": activate,
    }
    return _add(actor, parameters)


@atomic
def _add(actor: Actor, parameters: dict[str, Any]) -> Operation:
    operation = Operation.objects.create(kind=KIND, created_by=actor.user, parameters=parameters, total=1)
    record(
        actor=actor,
        action="operation.start",
        subject_type="operation",
        subject_id=operation.public_id,
        merchant_id=None,
        kind=KIND,
        role=parameters["role"],
    )
    return operation


def discard(operation: Operation) -> None:
    """Delete the uploaded file once the caller's transaction holds."""
    path = operation.parameters["file"]
    transaction.on_commit(lambda: default_storage.delete(path))


class _Stopped(Exception):
    """This process shall end: the upload waits for another one."""


class _Lost(Exception):
    """The upload is no longer this process's: somebody cancelled it, or its lease has ended."""


@dataclass
class _Lease:
    """The right to register an upload, for as long as its holder says now and then that it is alive."""

    operation: Operation
    stop: threading.Event
    _renewed: float = field(default_factory=time.monotonic)

    @classmethod
    def take(cls, operation: Operation, stop: threading.Event) -> _Lease | None:
        """Claim a waiting upload; None if another worker was quicker."""
        operation.lease_token = secrets.token_hex(16)
        claimed = Operation.objects.filter(pk=operation.pk, state=State.QUEUED).update(
            state=State.RUNNING,
            started_at=timezone.now(),
            attempts=F("attempts") + 1,
            lease_token=operation.lease_token,
            lease_until=Now() + LEASE,
        )
        return cls(operation, stop) if claimed else None

    @property
    def _held(self) -> QuerySet[Operation]:
        return Operation.objects.filter(
            pk=self.operation.pk, state=State.RUNNING, lease_token=self.operation.lease_token
        )

    def keep(self) -> None:
        """Renew the lease if that is due. Raises _Stopped or _Lost."""
        if self.stop.is_set():
            raise _Stopped
        if time.monotonic() - self._renewed >= RENEW_SECONDS:
            self.renew()

    def renew(self) -> None:
        """Renew the lease. Raises _Lost."""
        if not atomic(self._held.update)(lease_until=Now() + LEASE):
            raise _Lost
        self._renewed = time.monotonic()

    def put_back(self) -> None:
        """Let the upload wait as if it had not been taken."""
        self._held.update(**_WAITING, attempts=F("attempts") - 1)

    def break_off(self, error: str) -> None:
        """Let the upload wait for the next attempt, or give it up after its last one."""
        if not self._held.filter(attempts__lt=settings.OTJANG_MAX_ATTEMPTS).update(**_WAITING, error=error):
            self.end(error)

    def end(self, error: str = "") -> None:
        """Store what became of the upload and delete its file, if it is still this process's."""
        ended = self._held.update(
            state=State.FAILED if error else State.DONE,
            done=0 if error else 1,
            failed=1 if error else 0,
            error=error,
            finished_at=timezone.now(),
            parameters=self.operation.parameters,
            lease_until=None,
        )
        if ended:
            default_storage.delete(self.operation.parameters["file"])


def run_waiting(stop: threading.Event = _NEVER) -> int:
    """Register what was uploaded, one after the other, until `stop` is set; returns how many uploads were dealt with.

    One that a worker was killed over begins again after its lease, to register twice being the same as once, and one
    that broke off, as on a full disk, with the next call; after OTJANG_MAX_ATTEMPTS it is given up.
    """
    _put_back_expired(stop)
    count = 0
    for operation in _of_state(State.QUEUED).select_related("created_by").order_by("pk"):
        if stop.is_set():
            break
        if lease := _Lease.take(operation, stop):
            _run(lease)
            count += 1
    return count


def _of_state(state: str) -> QuerySet[Operation]:
    return Operation.objects.filter(kind=KIND, state=state)


def _put_back_expired(stop: threading.Event) -> None:
    expired = _of_state(State.RUNNING).filter(Q(lease_until__lt=Now()) | Q(lease_until=None))
    for operation in expired.filter(attempts__gte=settings.OTJANG_MAX_ATTEMPTS):
        given_up = Refused("gave_up", _("The worker stopped several times before it was done: it was given up."))
        _Lease(operation, stop).end(_said(operation, given_up))
    expired.update(**_WAITING)


def _run(lease: _Lease) -> None:
    operation = lease.operation
    try:
        _register(lease)
    except _Stopped:
        lease.put_back()
    except _Lost:
        logger.info("the registration of %s was cancelled, or is another worker's now", operation)
    except Refused as refused:
        lease.end(_said(operation, refused))
    except Exception as broken:
        logger.exception("the registration of uploaded weights broke off")
        lease.break_off(repr(broken))
    else:
        lease.end()


def _said(operation: Operation, refused: Refused) -> str:
    """The sentence in English. This process has no language, its reader has: the page says it again."""
    with override("en"):
        operation.parameters["refused"] = {"message": refused.template, "params": refused.params}
        return refused.message


def _register(lease: _Lease) -> None:
    operation = lease.operation
    given = operation.parameters
    if operation.created_by is None:  # nobody left to answer for it
        raise Forbidden("forbidden", _("Only superusers may bring in weights."))
    actor = Actor(channel=Channel.ADMIN, user=operation.created_by)
    try:
        with default_storage.open(given["file"]) as file:
            checkpoint = file.read()
    except FileNotFoundError as error:
        raise Refused("file_missing", _("The file is no longer in the storage. Upload it again.")) from error
    version = register(
        actor=actor,
        checkpoint=checkpoint,
        name=given["name"],
        role=given["role"],
        mapping=given["mapping"],
        image_size=given["image_size"],
        description=Description(
            use={} if given["threshold"] is None else {"threshold": given["threshold"]},
            licence=given.get("licence", ""),  # not there in uploads that waited for this release
            card=given.get("card", ""),
        ),
        go_on=lease.keep,
    )
    operation.parameters = {**given, "version": version.pk}
    if given["activate"]:
        lease.renew()  # not if somebody cancelled it in the last moment
        model_sets.promote(actor=actor, versions=[version])
