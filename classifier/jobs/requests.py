"""What asks for the classification of images, and wakes a worker for it."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy
from catalog.services import audit, lock_product, locked_for, locked_image
from classifier import proposals
from classifier.jobs.new_jobs import add_drawn_job, add_first_job, add_live_job
from classifier.jobs.tasks import wake_bulk_worker, wake_worker
from classifier.models import Classification
from core.db import atomic
from core.errors import Conflict, Gone

Priority = Classification.Priority
State = Classification.State


def wake_worker_on_commit(priority: int = Priority.INTERACTIVE) -> None:
    """Wake a worker for jobs of a priority: once, however many images the transaction queues.

    Django drops the callbacks of a savepoint that is rolled back, so one that is still registered will run. If the
    task queue cannot be reached the images are stored all the same: the sweep wakes the worker later.
    """
    registered = (callback for _savepoints, callback, _robust in transaction.get_connection().run_on_commit)
    wake = wake_bulk_worker if priority == Priority.BULK else wake_worker
    if wake not in registered:
        transaction.on_commit(wake, robust=True)


@atomic
def request_classification(
    *, image: ProductImage, priority: int = Priority.INTERACTIVE, again: bool = False
) -> Classification | None:
    """Queue the classification of an image, within the caller's transaction; a worker is woken on commit.

    Bytes that were classified already, or wait for it, are not queued a second time unless `again`; a job that is
    open is never doubled.

    Returns:
        The new job, or None if there is nothing to do.
    """
    added = add_live_job(image=image, priority=priority, again=again)
    if added.waits:
        wake_worker_on_commit(priority)
    return added.job


@atomic
def request_first(*, image: ProductImage, priority: int = Priority.INTERACTIVE) -> Classification:
    """Queue an image that was stored just now, within the caller's transaction; a worker is woken on commit.

    It can have no job yet, so none is looked for: an upload's answer waits for every query.
    """
    job = add_first_job(image=image, priority=priority)
    wake_worker_on_commit(priority)
    return job


@atomic
def request_description(*, image: ProductImage) -> None:
    """Queue the description of what people drew in an image, within the caller's transaction; wakes a worker."""
    add_drawn_job(image=image)
    wake_worker_on_commit()


@atomic
def classify_again(*, actor: Actor, product: Product, priority: int = Priority.INTERACTIVE) -> int:
    """Queue all current images of the product once more; predictions are added, decisions stay.

    Args:
        actor: who asks.
        product: the product.
        priority: of the jobs, one of `Priority`.

    Returns:
        The number of images queued; those that wait already are not counted.

    Raises:
        Forbidden: the actor may only look.
        Conflict: `archived`.
    """
    product = locked_for(actor, product)
    queued = sum(
        request_classification(image=image, priority=priority, again=True) is not None
        for image in product.images.filter(archived_at=None)
    )
    if queued:
        audit(actor, "product.classify_again", product, images=queued)
    return queued


@atomic
def retry(*, actor: Actor, job: Classification) -> Classification:
    """Queue an image once more whose classification failed or was cancelled; returns the new job.

    Raises:
        Forbidden: the actor may only look.
        Gone: the image was removed, or deleted with its product.
        Conflict: `archived`; `nothing_to_retry` if this was not the last job of the image, or waits, runs or is done.
    """
    product, image = locked_image(actor, job.image)
    if image.archived_at is not None:
        raise Gone("not_found", _("This photo was removed meanwhile."))
    last = Classification.objects.filter(image=image, purpose=Classification.Purpose.LIVE).order_by("-pk").first()
    if last is None or last.pk != job.pk or last.state not in {State.FAILED, State.CANCELLED}:
        raise Conflict(
            "nothing_to_retry", _("Only the last classification of a photo can be tried again, if it has failed.")
        )
    new = request_classification(image=image, again=True)
    assert new is not None  # none is open: the last one has ended
    audit(actor, "product.classify_again", product, images=1)
    return new


@atomic
def cancel(*, actor: Actor, job: Classification) -> None:
    """End the classification of an image that waits or runs; what earlier ones found stays. It can be tried again.

    Raises:
        Forbidden: the actor may only look.
        Gone: the image was deleted with its product.
        Conflict: `archived`; `already_ended`.
    """
    product, _image = locked_image(actor, job.image)
    cancelled = _cancel([job.pk])
    if not cancelled:
        raise Conflict("already_ended", _("This classification has ended already."))
    _settle_cancelled(actor, product, cancelled)


def _cancel(ids: Collection[int]) -> int:
    """End jobs of a locked product that are open. A worker that is at one finds that its lease is over."""
    jobs = Classification.objects.filter(
        pk__in=ids, purpose=Classification.Purpose.LIVE, state__in=(State.QUEUED, State.RUNNING)
    )
    return jobs.update(
        state=State.CANCELLED,
        open_key=None,
        lease_token="",
        lease_until=None,
        not_before=None,
        error_code=Classification.Error.CANCELLED,
        error_message="",
        finished_at=timezone.now(),
        applied_at=timezone.now(),
    )


def _settle_cancelled(actor: Actor, product: Product, images: int) -> None:
    proposals.propose(product, Taxonomy.load())
    audit(actor, "product.classify_cancel", product, images=images)


@atomic
def cancel_all(*, actor: Actor, product: Product) -> int:
    """End the classification of all images of a product that wait or run; returns how many. Raises as `cancel` does."""
    product = locked_for(actor, product)
    jobs = Classification.objects.filter(image__product=product, purpose=Classification.Purpose.LIVE)
    cancelled = _cancel(list(jobs.filter(open_key__isnull=False).order_by().values_list("pk", flat=True)))
    if cancelled:
        _settle_cancelled(actor, product, cancelled)
    return cancelled


@atomic
def propose_again(*, product_id: int) -> None:
    """Build the product's proposal again from what is known of its current images."""
    proposals.propose(lock_product(product_id), Taxonomy.load())


def queue_place(classification: Classification) -> int:
    """Return the job's place in the queue, the next one being 1; 0 for a job that does not wait."""
    return _ahead_of(classification).count() + 1 if classification.state == State.QUEUED else 0


def ahead_of(classification: Classification, most: int) -> int:
    """Return how many jobs are handed out before this one, up to `most`; 0 for a job that does not wait."""
    return _ahead_of(classification)[:most].count() if classification.state == State.QUEUED else 0


def _ahead_of(classification: Classification) -> QuerySet[Classification]:
    before = Q(turn__lt=classification.turn) | Q(turn=classification.turn, pk__lt=classification.pk)
    ahead = Q(priority__lt=classification.priority) | (Q(priority=classification.priority) & before)
    return Classification.objects.filter(ahead, state=State.QUEUED).order_by()
