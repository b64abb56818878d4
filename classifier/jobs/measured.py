"""What a worker measures of the images on their way: how long each phase takes, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from classifier.models import Classification
from core.metrics import WAITS, Counter, Times

# From a hundredth of a second that a read takes to the hours that bulk work may wait.
PHASES = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0)

WAITED = Times(
    "otjang_queue_wait_seconds", "From queued to claimed by a worker, of first attempts.", ("priority",), buckets=WAITS
)
PHASE = Times("otjang_phase_seconds", "Time of a phase per image; `apply` per product.", ("phase",), buckets=PHASES)
DONE = Counter("otjang_images_done_total", "Images classified, by the model set that looked.", ("model_set",))
FAILED = Counter("otjang_images_failed_total", "Jobs that ended without a result, by error code.", ("code",))
PUT_BACK = Counter("otjang_images_put_back_total", "Jobs that wait again: `broken_off` or `storage`.", ("reason",))

QUEUE, READ, STORE, APPLY = "queue", "read", "store", "apply"


def looked(timings: Iterable[Mapping[str, float]]) -> None:
    """Count the engine's phases of each image.

    Args:
        timings: milliseconds by phase: `decode`, `detect`, `classify`.
    """
    for image in timings:
        for phase, milliseconds in image.items():
            PHASE.add(milliseconds / 1000, phase=phase)


def claimed(jobs: Iterable[Classification]) -> None:
    """Count how long jobs have waited that were claimed just now; not those that were broken off before."""
    for job in jobs:
        if job.attempts == 1 and job.started_at is not None:
            seconds = max(0.0, (job.started_at - job.queued_at).total_seconds())
            WAITED.add(seconds, priority=Classification.Priority(job.priority).name.lower())
            PHASE.add(seconds, phase=QUEUE)


def stored(images: int, seconds: float, model_set: str) -> None:
    """Count images whose results one transaction wrote, each with its share of the time.

    Args:
        images: how many had their lease still.
        seconds: that the transaction took.
        model_set: the name of the set that looked.
    """
    if images:
        PHASE.add(seconds / images, images, phase=STORE)
        DONE.add(images, model_set=model_set)
