"""Images without a final state, with two open jobs, or that do not show the result that they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from catalog.models import Product, ProductImage
from catalog.selectors import Taxonomy
from classifier.consistency.walking import Check, Found, Kind, Step, keys_of, last_key
from classifier.jobs import requests, results
from classifier.models import Classification

_LIVE = Classification.Purpose.LIVE
_OPEN = (Classification.State.QUEUED, Classification.State.RUNNING)
_AT_A_TIME = 500


def _look(images: Any) -> list[Found]:
    rows = {pk: (number, current) for pk, number, current in images}
    jobs = Classification.objects.filter(image__in=list(rows)).order_by()
    live = jobs.filter(purpose=_LIVE)
    with_job = set(live.values_list("image", flat=True).distinct())
    applied = live.filter(state=Classification.State.DONE, drawn_only=False, applied_at__isnull=False)
    newest = dict(applied.values_list("image").annotate(newest=Max("pk")))
    found = [Found("images-without-state", rows[pk][0], pk) for pk in rows if pk not in with_job]
    found += [
        Found("images-behind", rows[pk][0], pk) for pk, newest_job in newest.items() if (rows[pk][1] or 0) < newest_job
    ]
    # A candidate's operations do not wait for each other; a candidate and what is live do not, either.
    opened: Counter[tuple[int, str, int | None]] = Counter(
        (image, purpose, None if purpose == _LIVE else operation)
        for image, purpose, operation in jobs.filter(state__in=_OPEN).values_list("image", "purpose", "operation")
    )
    found += [Found("jobs-doubled", rows[image][0], image) for (image, _p, _o), times in opened.items() if times > 1]
    return found


def _judge(ids: Collection[int], asked: Collection[str]) -> list[Found]:
    """Look at some images, and at those that seem wrong again with their products locked, as all writers do."""
    fields = ("pk", "public_id", "current_classification")
    suspects = {found.key for found in _look(ProductImage.objects.filter(pk__in=ids).order_by().values_list(*fields))}
    if not suspects:
        return []
    again = ProductImage.objects.filter(pk__in=suspects).order_by()
    with transaction.atomic():
        products = set(again.values_list("product", flat=True))
        list(Product.objects.select_for_update().filter(pk__in=products).order_by("pk").values_list("pk"))
        found = _look(again.values_list(*fields))
    return [one for one in found if one.kind in asked]


def _walk(asked: Collection[str]) -> Iterator[Step]:
    last = last_key(ProductImage)
    for ids in keys_of(ProductImage, _AT_A_TIME):
        yield Step(ids[-1], last, _judge(ids, asked))


def queue(ids: Sequence[int]) -> None:
    """Queue images that have no job, behind what somebody waits for."""
    for image in ProductImage.objects.filter(pk__in=ids):
        requests.request_classification(image=image, priority=Classification.Priority.BULK)


def apply(ids: Sequence[int]) -> None:
    """Let the results that images have count for their products."""
    products = ProductImage.objects.filter(pk__in=ids).order_by().values_list("product", flat=True)
    results.apply_each(set(products), Taxonomy.load())


IMAGES = Check(
    "images",
    (
        Kind("images-without-state", "images that nothing looks at, and nothing ever has", queue),
        Kind("images-behind", "images that do not show the newest result that was applied", apply),
        Kind("jobs-doubled", "images with two open jobs for the same purpose"),
    ),
    _walk,
)
