"""The task queue's side of classification: the only module that knows the Django Tasks API.

The rows of `Classification` are the queue. A task carries nothing: it wakes a worker up, which then claims rows until
none waits, or for OTJANG_TASK_SECONDS. So a task that runs twice, finds nothing or gets lost (the sweep sends one)
does no harm. It is sent to the queue `interactive` or `bulk` by the jobs that it is for, but its worker begins
with what is interactive, unless it is told to leave bulk work to others (OTJANG_WORKER_QUEUES).
"""

from __future__ import annotations

import logging
import math

from django_tasks import task

from classifier.jobs import batches, operations, queue
from classifier.models import Classification
from core.broker import BrokerAway, broker

logger = logging.getLogger(__name__)

Priority = Classification.Priority

IMAGES_A_MESSAGE = 100  # so that the length of the broker's queues says how much work waits
MOST_MESSAGES = 50


@task(queue_name="interactive")
def classify_waiting() -> int:
    """Classify every image that waits, and let long operations queue more; returns how many there were."""
    ended = batches.classify_waiting()
    queued = operations.feed()
    if queued or (ended and queue.any_waiting()):  # the latter when one task's time was over
        wake_for_next()
    return ended


def wake_worker() -> None:
    """Let a worker look into the queue, for somebody who waits."""
    _send("interactive")


def wake_bulk_worker() -> None:
    """Let a worker look into the queue that takes bulk work."""
    _send("bulk")


def wake_for_next() -> None:
    """Let a worker look into the queue that takes what is next in it."""
    if queue.any_waiting(Priority.INTERACTIVE):
        wake_worker()
    else:
        wake_bulk_worker()


def wake_workers() -> None:
    """Let workers look into the queue whose wake-ups may have been lost.

    Behind a broker as many as there is work for, less those that are on their way: it shows by the length of its
    queues whether there are enough workers. Without one, one for each kind of work: a worker need not take both.
    """
    asked = broker()
    for name, priority in (("interactive", Priority.INTERACTIVE), ("bulk", Priority.BULK)):
        if asked is None:
            if queue.any_waiting(priority):
                _send(name)
            continue
        images = queue.due().filter(priority=priority).order_by()[: IMAGES_A_MESSAGE * MOST_MESSAGES].count()
        if not images:
            continue
        try:
            missing = math.ceil(images / IMAGES_A_MESSAGE) - asked.waiting(name)
        except BrokerAway as error:
            logger.warning("no worker is woken for %d images: the broker is away (%s)", images, error)
            return
        for _message in range(missing):
            _send(name)


def _send(queue_name: str) -> None:
    """Send a wake-up. It is lost where the broker is away: workers look into the queue without one then."""
    try:
        classify_waiting.using(queue_name=queue_name).enqueue()
    except BrokerAway as error:
        logger.warning("no worker is woken: the broker is away (%s)", error)
