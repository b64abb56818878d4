"""The task queue's side of classification: the only module that knows the Django Tasks API.

The rows of `Classification` are the queue. A task carries nothing: it wakes a worker up, which then claims rows until
none waits, or for an hour. So a task that runs twice, finds nothing or gets lost (the sweep sends one) does no harm.
"""

from __future__ import annotations

from django_tasks import task

from classifier.jobs import batches, operations, queue


@task(queue_name="interactive")
def classify_waiting() -> int:
    """Classify every image that waits, and let long operations queue more; returns how many there were."""
    ended = batches.classify_waiting()
    queued = operations.feed()
    if queued or (ended and queue.any_waiting()):  # the latter when one task's time was over
        wake_worker()
    return ended


def wake_worker() -> None:
    """Let a worker look into the queue."""
    classify_waiting.enqueue()
