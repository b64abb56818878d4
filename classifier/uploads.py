"""Weights uploaded in the admin: kept unopened until a worker registers them, then deleted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.actors import Actor, Via
from accounts.db import atomic
from accounts.errors import Forbidden, Invalid, Refused
from accounts.ids import public_id
from accounts.models import Operation
from accounts.services import record
from classifier import registry, weight_files
from classifier.registration import SECONDS, Description, register, roles
from classifier.rights import require_superuser

logger = logging.getLogger(__name__)

State = Operation.State

KIND = "register_model"
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
        raise Invalid("no_checkpoint", _("This is no PyTorch checkpoint (.pt). Choose the best.pt of a training."))
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


def run_waiting() -> int:
    """Register what was uploaded, one after the other; returns how many uploads were dealt with.

    One that a worker was killed over begins again: to register twice is the same as once.
    """
    mine = Operation.objects.filter(kind=KIND)
    abandoned = timezone.now() - timedelta(seconds=2 * SECONDS)
    mine.filter(state=State.RUNNING, started_at__lt=abandoned).update(state=State.QUEUED)
    count = 0
    for operation in mine.filter(state=State.QUEUED).select_related("created_by").order_by("pk"):
        claimed = mine.filter(pk=operation.pk, state=State.QUEUED)
        if claimed.update(state=State.RUNNING, started_at=timezone.now()):
            _run(operation)
            count += 1
    return count


def _run(operation: Operation) -> None:
    error = ""
    try:
        _register(operation)
    except Refused as refused:
        # Whoever reads it has a language, and this process has not: the page says it again.
        with override("en"):
            error = refused.message
            operation.parameters["refused"] = {"message": refused.template, "params": refused.params}
    except OSError as missing:
        error = str(missing)
    except Exception as broken:
        logger.exception("the registration of uploaded weights broke off")
        error = repr(broken)
    operation.state = State.FAILED if error else State.DONE
    operation.done, operation.failed = (0, 1) if error else (1, 0)
    operation.error, operation.finished_at = error, timezone.now()
    operation.save(update_fields=["state", "done", "failed", "error", "finished_at", "parameters"])
    default_storage.delete(operation.parameters["file"])


def _register(operation: Operation) -> None:
    given = operation.parameters
    if operation.created_by is None:  # nobody left to answer for it
        raise Forbidden("forbidden", _("Only superusers may bring in weights."))
    actor = Actor(via=Via.ADMIN, user=operation.created_by)
    with default_storage.open(given["file"]) as file:
        checkpoint = file.read()
    version = register(
        actor=actor,
        checkpoint=checkpoint,
        name=given["name"],
        role=given["role"],
        mapping=given["mapping"],
        image_size=given["image_size"],
        description=Description(use={} if given["threshold"] is None else {"threshold": given["threshold"]}),
    )
    operation.parameters = {**given, "version": version.pk}
    if given["activate"]:
        registry.promote(actor=actor, versions=[version])
