"""Where a product is among those that wait for a person, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Subquery

from accounts.actors import Actor
from catalog.listing import MOST_COUNTED, Number
from catalog.models import Product
from core.db import capped_counts


@dataclass(frozen=True)
class QueuePlace:
    """The place of a product among those of its merchant that wait for a person, newest first as in the list.

    `place` counts from 1 and is None for a product that does not wait itself, or for which that is too far to count.
    `previous` and `next` are public ids.
    """

    total: Number
    place: int | None
    previous: str | None
    next: str | None


def queue_around(actor: Actor, product: Product) -> QueuePlace:
    """Look for what waits before and after a product: two queries, neither of which counts further than lists do."""
    waiting = Product.objects.visible_to(actor).filter(merchant_id=product.merchant_id, status=Product.Status.TO_REVIEW)
    newer, older = waiting.filter(pk__gt=product.pk), waiting.filter(pk__lt=product.pk)
    counts = capped_counts({"total": waiting.order_by(), "newer": newer.order_by()}, MOST_COUNTED + 1)
    around = (newer.order_by("pk"), older.order_by("-pk"))
    neighbours = Product.objects.filter(pk=product.pk).order_by()
    found = neighbours.values_list(*(Subquery(one.values("public_id")[:1]) for one in around)).first()
    previous, following = found or (None, None)  # it may have been deleted since
    waits = product.status == Product.Status.TO_REVIEW and counts["newer"] <= MOST_COUNTED
    return QueuePlace(
        total=Number(min(counts["total"], MOST_COUNTED), counts["total"] > MOST_COUNTED),
        place=counts["newer"] + 1 if waits else None,
        previous=previous,
        next=following,
    )
