"""New jobs, put into the queue. Nobody is woken for them here: that is for `requests`, the task and the sweep to do.

So long operations, which the task itself feeds, need to know nothing of tasks.
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Operation
from catalog.models import ProductImage
from catalog.services import lock_product, mark_classifying
from classifier.jobs.queue import place
from classifier.models import Classification
from core.db import atomic

Purpose = Classification.Purpose
Priority = Classification.Priority
State = Classification.State


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a request: the new job if there is one, and whether something waits that did not before."""

    job: Classification | None
    waits: bool


@atomic
def add_live_job(*, image: ProductImage, priority: int, again: bool, operation: Operation | None = None) -> Added:
    """Queue the classification of an image, within the caller's transaction.

    Args:
        image: whose product gets locked.
        priority: of the job, one of `Priority`; an open job that an operation queued takes it over.
        again: queue bytes, too, that were classified already. A job that is open is never doubled; one that only
            describes what people drew looks for garments as well then, unless an operation asks.
        operation: the long operation that asks, if one does.
    """
    merchant = lock_product(image.product_id).merchant_id
    open_key = f"{image.pk}:{Purpose.LIVE}"
    jobs = Classification.objects.filter(image=image, purpose=Purpose.LIVE)
    pending = jobs.filter(open_key=open_key).first()
    if pending is not None:
        has_new_bytes = pending.image_sha256 != image.sha256
        has_more_to_do = has_new_bytes or (pending.drawn_only and again and operation is None)
        if has_more_to_do:  # the worker that has it loses its lease
            jobs.filter(pk=pending.pk, open_key=open_key).update(
                state=State.QUEUED, lease_token="", lease_until=None, image_sha256=image.sha256, drawn_only=False
            )
        if operation is None and pending.operation_id is not None:  # somebody waits: no operation's any more
            turn = place(merchant, priority).turn
            jobs.filter(pk=pending.pk, open_key=open_key).update(priority=priority, turn=turn, operation=None)
        return Added(None, waits=has_more_to_do)
    if not again and jobs.filter(image_sha256=image.sha256, state=State.DONE, drawn_only=False).exists():
        return Added(None, waits=False)
    return Added(_add(image, merchant, priority, operation=operation), waits=True)


def add_first_job(*, image: ProductImage, priority: int) -> Classification:
    """Queue the classification of an image that has no jobs yet, within the caller's transaction."""
    return _add(image, image.product.merchant_id, priority)


@atomic
def add_drawn_job(*, image: ProductImage) -> None:
    """Queue the description of what people drew in an image, within the caller's transaction.

    The worker that has an open job of the image loses its lease, as it has not heard of this box; the next one
    has. An image that no models have looked at with success gets the whole look that it still needs.
    """
    merchant = lock_product(image.product_id).merchant_id
    jobs = Classification.objects.filter(image=image, purpose=Purpose.LIVE)
    turn = place(merchant, Priority.INTERACTIVE).turn
    waits_again = jobs.filter(open_key=f"{image.pk}:{Purpose.LIVE}").update(
        state=State.QUEUED,
        lease_token="",
        lease_until=None,
        attempts=0,
        priority=Priority.INTERACTIVE,
        turn=turn,
        operation=None,  # somebody waits for it
    )
    if not waits_again:
        seen = jobs.filter(image_sha256=image.sha256, state=State.DONE, drawn_only=False).exists()
        _add(image, merchant, Priority.INTERACTIVE, drawn_only=seen)


def _add(
    image: ProductImage, merchant: int, priority: int, *, operation: Operation | None = None, drawn_only: bool = False
) -> Classification:
    waiting = place(merchant, priority)
    job = Classification.objects.create(
        image=image,
        priority=priority,
        merchant_id=waiting.merchant_id,
        turn=waiting.turn,
        image_sha256=image.sha256,
        open_key=f"{image.pk}:{Purpose.LIVE}",
        operation=operation,
        drawn_only=drawn_only,
    )
    mark_classifying(product_id=image.product_id)
    return job


def add_shadow_job(*, image: ProductImage, operation: Operation) -> Classification:
    """Queue the image for the candidate set of an operation, whose results never count for the product."""
    waiting = place(image.product.merchant_id, Priority.BULK)
    return Classification.objects.create(
        image=image,
        purpose=Purpose.SHADOW,
        priority=Priority.BULK,
        merchant_id=waiting.merchant_id,
        turn=waiting.turn,
        image_sha256=image.sha256,
        open_key=f"{image.pk}:shadow:{operation.pk}",
        model_set_id=operation.parameters["model_set"],
        operation=operation,
    )
