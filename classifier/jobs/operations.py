"""Long operations over stored images: reclassifying a catalogue, trying a candidate.

Administrators also stop all others, which workers go on with in turns: `accounts.services.operations`.

An operation keeps some hundred jobs in the queue and adds more as they end, so that it can be paused, and people's
own uploads find a short queue. Which images are left follows from the jobs that carry its id, one per image
by a unique index; the cursor only saves looking. After a worker is killed, the next one goes on from the rows.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant, Operation
from accounts.services.operations import note
from catalog.models import ProductImage
from classifier.jobs.new_jobs import add_live_job, add_shadow_job
from classifier.models import Classification
from classifier.permissions import require_models, require_operations
from classifier.registry import shadow, uploads
from core.db import atomic
from core.errors import Conflict

logger = logging.getLogger(__name__)

State = Operation.State

RECLASSIFY = "reclassify"
IN_THE_QUEUE = 400  # jobs of one operation that wait or run at a time
CHUNK = 50  # images queued in one transaction, which locks their products

RUNNING = (State.QUEUED, State.RUNNING)
_KINDS = (RECLASSIFY, shadow.KIND)


@atomic
def start_reclassify(*, actor: Actor, merchant: Merchant | None = None) -> Operation:
    """Look at all current images once more, of one merchant or of all, with whatever set is active then.

    Predictions are added. Decisions and published products stay as they are.

    Raises:
        Forbidden: the actor may not manage models.
        Conflict: `under_way`; the same has been started and has not ended.
    """
    require_models(actor)
    newest = ProductImage.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    operation = Operation(
        kind=RECLASSIFY,
        merchant=merchant,
        created_by=actor.user,
        parameters={"last": newest, "cursor": 0},
        open_key=f"{RECLASSIFY}:{merchant.pk if merchant else '-'}",
    )
    operation.total = _images(operation).count()
    try:
        with transaction.atomic():
            operation.save()
    except IntegrityError as error:  # the database lets nobody be quicker
        same = Operation.objects.filter(open_key=operation.open_key).first()
        if same is None:
            raise
        raise Conflict(
            "under_way", _("This is under way already: operation %(id)s."), {"id": same.public_id}
        ) from error
    note(actor, operation, "start")
    return operation


@atomic
def pause(*, actor: Actor, operation: Operation) -> None:
    """Stop after what is being worked on, until `resume`. Raises Forbidden, or Conflict if there is nothing to stop."""
    _move(actor, operation, RUNNING, State.PAUSED, "pause", _KINDS)


@atomic
def resume(*, actor: Actor, operation: Operation) -> None:
    """Go on with a paused operation. Raises Forbidden, or Conflict if it is not paused."""
    _move(actor, operation, (State.PAUSED,), State.QUEUED, "resume", _KINDS)


@atomic
def cancel(*, actor: Actor, operation: Operation) -> None:
    """End an operation for good; what it did stays. Raises Forbidden, or Conflict if it has ended."""
    if operation.kind == uploads.KIND:
        _move(actor, operation, RUNNING, State.CANCELLED, "cancel", (uploads.KIND,))
        uploads.discard(operation)
    else:
        _move(actor, operation, (*RUNNING, State.PAUSED), State.CANCELLED, "cancel", _KINDS)


def _move(
    actor: Actor, operation: Operation, before: tuple[str, ...], after: str, what: str, kinds: tuple[str, ...]
) -> None:
    """Change the state, and take what waits out of the queue: a later `feed` finds those images again."""
    require_operations(actor)
    fields: dict[str, Any] = {"state": after}
    if after == State.CANCELLED:
        fields |= {"finished_at": timezone.now(), "open_key": None}
    if operation.kind not in (*_KINDS, uploads.KIND):  # its worker lets go of it, the next need not wait for the lease
        kinds = (*kinds, operation.kind)
        fields |= {"lease_token": "", "lease_until": None}
    moved = Operation.objects.filter(pk=operation.pk, kind__in=kinds, state__in=before).update(**fields)
    if not moved:
        raise Conflict("bad_move", _("The operation is not in a state that allows this."))
    Classification.objects.filter(operation=operation, state=Classification.State.QUEUED).delete()
    note(actor, operation, what)


def feed() -> bool:
    """Bring every operation up to date: queue what may wait, end what is done. Ended jobs have counted themselves.

    Returns:
        Whether something was queued. The caller wakes a worker then.
    """
    queued = False
    alive = Operation.objects.filter(kind__in=_KINDS, state__in=RUNNING).order_by("pk")
    for pk in list(alive.values_list("pk", flat=True)):
        try:
            while (jobs := _feed_some(pk)) is not None:
                queued |= jobs > 0
            _end_if_over(pk)
        except Exception:  # one that cannot end must not hold up the others
            logger.exception("operation %s cannot go on", pk)
    return queued


def _end_if_over(pk: int) -> None:
    operation = Operation.objects.get(pk=pk)
    if operation.state == State.RUNNING and _is_over(operation):
        _end(operation)


@atomic
def _feed_some(pk: int) -> int | None:
    """Queue some images of an operation, and count those queued; None if no more can be queued now."""
    operation = Operation.objects.select_for_update().get(pk=pk)
    if operation.state not in RUNNING:
        return None
    room = IN_THE_QUEUE - _open_jobs(operation).count()
    images = list(
        _left(operation)
        .select_related("product")
        .filter(pk__gt=operation.parameters["cursor"])[: max(0, min(room, CHUNK))]
    )
    queued = sum(_queue(operation, image) for image in images)
    # Past the last one: begin again, for images that had an open job of somebody else when they were met.
    operation.parameters["cursor"] = images[-1].pk if images else operation.parameters["cursor"] if room <= 0 else 0
    operation.state = State.RUNNING
    operation.started_at = operation.started_at or timezone.now()
    operation.save(update_fields=["parameters", "state", "started_at"])
    return queued if images else None


def _count(operation: Operation) -> None:
    """Count once more at the end: jobs may have been deleted since, with their images."""
    jobs = Classification.objects.filter(operation=operation)
    operation.done = jobs.filter(state=Classification.State.DONE).count()
    operation.failed = jobs.filter(state=Classification.State.FAILED).count()


def _queue(operation: Operation, image: ProductImage) -> bool:
    """Queue one image; says whether something waits now. Not if another job of it is open: its turn comes later."""
    if operation.kind == RECLASSIFY:
        priority = Classification.Priority.BULK
        return add_live_job(image=image, priority=priority, again=True, operation=operation).waits
    add_shadow_job(image=image, operation=operation)
    return True


def _images(operation: Operation) -> QuerySet[ProductImage]:
    """The operation's images: those that were there when it began, and have not been put away since."""
    images = ProductImage.objects.filter(archived_at=None, pk__lte=operation.parameters["last"]).order_by("pk")
    if operation.merchant_id is not None:
        images = images.filter(product__merchant=operation.merchant_id)
    chosen = operation.parameters.get("images")
    return images if chosen is None else images.filter(pk__in=chosen)


def _left(operation: Operation) -> QuerySet[ProductImage]:
    """Images without a job of this operation."""
    return _images(operation).filter(~Exists(Classification.objects.filter(operation=operation, image=OuterRef("pk"))))


def _open_jobs(operation: Operation) -> QuerySet[Classification]:
    waiting = (Classification.State.QUEUED, Classification.State.RUNNING)
    return Classification.objects.filter(operation=operation, state__in=waiting)


def _is_over(operation: Operation) -> bool:
    return not _open_jobs(operation).exists() and not _left(operation).exists()


def _end(operation: Operation) -> None:
    if operation.kind == shadow.KIND:
        shadow.write_report(operation)
    _count(operation)
    ended = Operation.objects.filter(pk=operation.pk, state=State.RUNNING).update(
        state=State.DONE,
        finished_at=timezone.now(),
        open_key=None,
        done=operation.done,
        failed=operation.failed,
        total=operation.done + operation.failed,  # what was put away meanwhile counts no more
    )
    if ended:
        logger.info("%s done: %d images, %d failed", operation, operation.done, operation.failed)
