"""How far the models are with a product's images: the last job of each, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import prefetch_related_objects
from django.utils import timezone

from catalog.models import ProductImage

if TYPE_CHECKING:
    from catalog.models.of_classifier import Classification

_SLOW_SECONDS = 15
_USUAL = timedelta(seconds=10)
_LATE = timedelta(minutes=1)


@dataclass(frozen=True)
class Progress:
    """How far the images of a product have been read."""

    open_jobs: list[Classification] = field(default_factory=list)
    failed_jobs: list[Classification] = field(default_factory=list)
    done: int = 0
    total: int = 0
    seconds: float | None = None
    finished_at: datetime | None = None

    @property
    def polling(self) -> bool:
        """Whether the page should ask again."""
        return bool(self.open_jobs)

    @property
    def interval(self) -> int:
        """After how many seconds: what waits for a model may wait for days."""
        return _SLOW_SECONDS if self.late or all(job.error_code for job in self.open_jobs) else 1

    @property
    def slow(self) -> bool:
        """Whether people wait longer than proposals usually take, and may want to go on without them."""
        return any(timezone.now() - job.queued_at > _USUAL for job in self.open_jobs)

    @property
    def late(self) -> bool:
        """Whether something waits so long that no worker seems to run, or all have very much to do."""
        return any(job.state == "queued" and timezone.now() - job.queued_at > _LATE for job in self.open_jobs)


def last_jobs(images: list[ProductImage]) -> dict[int, Classification]:
    """Return the last job that counts for the product, by the image's id; one query for all of them."""
    prefetch_related_objects(images, "classifications")
    jobs: dict[int, Classification] = {}
    for image in images:
        live = [job for job in image.classifications.all() if job.purpose == "live"]
        if live:
            jobs[image.pk] = max(live, key=lambda job: job.pk)
    return jobs


def jobs_of(public_id: str) -> dict[int, Classification]:
    """Return the last job of each image of a product, to be read before the product itself.

    A job that ends between the two reads then counts as open, and the page asks once more. The other way round the
    page would show the old proposal and never ask again.
    """
    return last_jobs(list(ProductImage.objects.current().filter(product__public_id=public_id)))


def _is_unapplied(job: Classification) -> bool:
    """Whether the networks are done with the image, but the product does not say so yet."""
    return job.state == "done" and job.applied_at is None


def progress_of(images: list[ProductImage], jobs: Mapping[int, Classification]) -> Progress:
    """Sum up the last job of each image."""
    last = [jobs[image.pk] for image in images if image.pk in jobs]
    done = [job for job in last if job.state == "done" and job.applied_at is not None]
    durations = [
        (job.finished_at - job.started_at).total_seconds() for job in done if job.finished_at and job.started_at
    ]
    return Progress(
        open_jobs=[job for job in last if job.state in {"queued", "running"} or _is_unapplied(job)],
        failed_jobs=[job for job in last if job.state in {"failed", "cancelled"}],
        done=len(done),
        total=len(images),
        seconds=max(durations, default=None),
        finished_at=max((job.finished_at for job in done if job.finished_at), default=None),
    )
