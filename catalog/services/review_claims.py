"""Claims of the review: which products are in whose hands, so that two people never answer the same one.

A claim is a row with the product as its unique key. It is taken by an insert that a second person's insert loses to,
or by an UPDATE that checks that the claim before has run out; nothing is locked beyond these statements.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from accounts.models import User
from catalog.models import Product, ReviewClaim
from core.db import atomic

LEASE = timedelta(minutes=3)  # an open page renews its claims every minute
_TRIES = 3  # how often somebody else may be quicker before less is handed out than was asked for


def _end() -> datetime:
    return cast(datetime, Now() + LEASE)


def unclaimed(products: QuerySet[Product], user: User) -> QuerySet[Product]:
    """Leave out the products that are in somebody else's hands."""
    others = ReviewClaim.objects.live().filter(product=OuterRef("pk")).exclude(user=user)
    return products.exclude(Exists(others))


@atomic
def claim(*, user: User, products: Iterable[int]) -> set[int]:
    """Claim these products for a person, renewing what they hold already.

    Args:
        user: who is going to look at them.
        products: primary keys.

    Returns:
        Those that are the person's now; the others are somebody else's.
    """
    wanted = sorted(set(products))
    if not wanted:
        return set()
    claims = ReviewClaim.objects.filter(product__in=wanted)
    claims.filter(Q(user=user) | Q(until__lte=Now())).update(user=user, until=_end())
    missing = set(wanted) - set(claims.values_list("product_id", flat=True))
    ReviewClaim.objects.bulk_create(
        [ReviewClaim(product_id=pk, user=user, until=_end()) for pk in sorted(missing)], ignore_conflicts=True
    )
    return set(claims.live().filter(user=user).values_list("product_id", flat=True))


def claim_next(*, user: User, products: QuerySet[Product], want: int) -> list[int]:
    """Claim the first products of a queue that nobody else holds.

    Args:
        user: who is going to look at them.
        products: the queue, in its order.
        want: how many at most.

    Returns:
        Their primary keys in the queue's order; fewer than `want` where the queue ends.
    """
    ReviewClaim.objects.filter(user=user, until__lte=Now()).delete()  # left behind by a browser that was killed
    found: list[int] = []
    for _attempt in range(_TRIES):
        free = unclaimed(products, user).exclude(pk__in=found).values_list("pk", flat=True)[: want - len(found)]
        asked = list(free)
        mine = claim(user=user, products=asked)
        found += [pk for pk in asked if pk in mine]
        if len(found) >= want or len(mine) == len(asked):
            break
    return found


def release(*, user: User, products: Collection[int]) -> None:
    """Give products back that the person holds: they were answered, or the page was left."""
    ReviewClaim.objects.filter(user=user, product__in=products).delete()


def keep(*, user: User, products: QuerySet[Product]) -> set[str]:
    """Renew claims. Returns the public ids of those products that are still, or again, the person's."""
    names = dict(products.values_list("pk", "public_id"))
    return {names[pk] for pk in claim(user=user, products=names)}
