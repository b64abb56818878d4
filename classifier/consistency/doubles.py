"""Garments and predictions that were stored twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.db.models import Count

from classifier.consistency.walking import Check, Found, Kind, Step, keys_of, last_key
from classifier.models import Classification, Garment, Prediction

_AT_A_TIME = 2_000


def _predictions(asked: Collection[str]) -> Iterator[Step]:
    last, after = last_key(Garment), 0
    for ids in keys_of(Garment, _AT_A_TIME):
        said = Prediction.objects.filter(garment__gt=after, garment__lte=ids[-1])
        twice = said.order_by().values("garment", "attribute", "model_version").annotate(times=Count("pk"))
        garments = sorted({row["garment"] for row in twice.filter(times__gt=1)})
        yield Step(ids[-1], last, [Found("predictions-doubled", f"garment {pk}", pk) for pk in garments])
        after = ids[-1]


def _garments(asked: Collection[str]) -> Iterator[Step]:
    """A job's garments are added in one transaction: the same box twice was added twice."""
    last, after = last_key(Classification), 0
    for ids in keys_of(Classification, _AT_A_TIME):
        seen = Garment.objects.filter(
            classification__gt=after, classification__lte=ids[-1], source=Garment.Source.MODEL
        )
        boxes = seen.order_by().values("classification", "x1", "y1", "x2", "y2").annotate(times=Count("pk"))
        jobs = sorted({row["classification"] for row in boxes.filter(times__gt=1)})
        yield Step(ids[-1], last, [Found("garments-doubled", f"job {pk}", pk) for pk in jobs])
        after = ids[-1]


PREDICTIONS = Check(
    "garments",
    (Kind("predictions-doubled", "garments of which a model said the same attribute twice"),),
    _predictions,
)
GARMENTS = Check(
    "jobs",
    (Kind("garments-doubled", "jobs that found a garment twice in the same place"),),
    _garments,
)
