"""What asks for the classification of images, and wakes a worker for it."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from accounts.actors import Actor
from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy
from catalog.services import audit, lock_product, locked_for
from classifier import proposals
from classifier.jobs.new_jobs import add_drawn_job, add_live_job
from classifier.jobs.tasks import wake_worker
from classifier.models import Classification
from core.db import atomic

Priority = Classification.Priority
State = Classification.State


def wake_worker_on_commit() -> None:
    """Wake a worker once, however many images the transaction queues.

    Django drops the callbacks of a savepoint that is rolled back, so one that is still registered will run. If the
    task queue cannot be reached the images are stored all the same: the sweep wakes the worker later.
    """
    registered = (callback for _savepoints, callback, _robust in transaction.get_connection().run_on_commit)
    if wake_worker not in registered:
        transaction.on_commit(wake_worker, robust=True)


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
        wake_worker_on_commit()
    return added.job


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
def propose_again(*, product_id: int) -> None:
    """Build the product's proposal again from what is known of its current images."""
    proposals.propose(lock_product(product_id), Taxonomy.load())


def queue_place(classification: Classification) -> int:
    """Return the job's place in the queue, the next one being 1; 0 for a job that does not wait."""
    if classification.state != State.QUEUED:
        return 0
    before = Q(turn__lt=classification.turn) | Q(turn=classification.turn, pk__lt=classification.pk)
    ahead = Q(priority__lt=classification.priority) | (Q(priority=classification.priority) & before)
    return Classification.objects.filter(ahead, state=State.QUEUED).count() + 1
