"""How many products an action would be done to, said before it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from catalog.models import CATEGORY, Product, ProductAttribute
from catalog.services.bulk.actions import find_action

Status = Product.Status


@dataclass(frozen=True)
class Preview:
    """How many products were chosen, and which of them cannot be changed.

    Args:
        total: all that were chosen.
        already: those that are so already.
        cannot: how many cannot be changed, by the code of the reason; only what is cheap to know is known here.
        last: the newest product's id: what is added later is not among them.
    """

    total: int = 0
    already: int = 0
    cannot: dict[str, int] = field(default_factory=dict)
    last: int = 0

    @property
    def possible(self) -> int:
        """To how many it can be done, as far as that is known."""
        return self.total - self.already - sum(self.cannot.values())


def look_ahead(action: str, products: QuerySet[Product]) -> Preview:
    """Count the products that an action would be done to; one query, or two.

    Args:
        action: a code of `ACTIONS`.
        products: those that were chosen; only products that the person may see.

    Raises:
        Invalid: `unknown_action`.
    """
    found = find_action(action)
    rows = list(products.order_by().values_list("status").annotate(Count("pk", distinct=True), Max("pk")))
    cannot: Counter[str] = Counter()
    already = 0
    for status, count, _newest in rows:
        reason = found.cannot.get(status)
        if reason:
            cannot[reason] += count
        elif reason is not None:
            already += count
    if found.needs_category:
        without = ProductAttribute.objects.filter(product=OuterRef("pk"), attribute__code=CATEGORY, value__isnull=True)
        others = [status for status, _count, _newest in rows if status not in found.cannot]
        if others:
            open_ones = products.filter(Exists(without), status__in=others).order_by()
            cannot["category_open"] += open_ones.aggregate(n=Count("pk", distinct=True))["n"]
    return Preview(
        total=sum(count for _status, count, _newest in rows),
        already=already,
        cannot={reason: count for reason, count in cannot.items() if count},
        last=max((newest for _status, _count, newest in rows), default=0),
    )
