"""What people drew in the images of a batch: read when the batch is claimed, described by whichever set looks at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from classifier.models import Classification, Garment
from vision.engine import Given, GivenBox

Drawn = Mapping[int, Sequence[Garment]]
"""Garments that people drew, by the id of their image."""


def read(jobs: Iterable[Classification]) -> Drawn:
    """Read what counts now of what people drew in the images of these jobs (one query)."""
    found: dict[int, list[Garment]] = defaultdict(list)
    images = [job.image_id for job in jobs]
    for garment in Garment.objects.drawn().filter(image__in=images).select_related("top_category").order_by("pk"):
        found[garment.image_id].append(garment)
    return dict(found)


def given(jobs: Iterable[Classification], people: Drawn) -> dict[int, Given]:
    """Return what the engine has to know of each job's image, by the job's id."""
    return {
        job.pk: Given(tuple(_box(garment) for garment in people.get(job.image_id, ())), only=job.drawn_only)
        for job in jobs
    }


def _box(garment: Garment) -> GivenBox:
    level = garment.top_category.code if garment.top_category is not None else None
    return GivenBox((garment.x1, garment.y1, garment.x2, garment.y2), level)
