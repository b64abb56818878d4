"""Which products the review shows, and in which order: any filter of the list, the least sure first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.http import QueryDict

from accounts.actors import Actor
from catalog.listing import Cursor
from catalog.models import Product
from catalog.product_filter import ProductFilter
from catalog.selectors import Taxonomy

Status = Product.Status
# What is put away has to be restored first, and what is being looked at would change under the person's hands.
REVIEWABLE = (Status.TO_REVIEW, Status.READY, Status.PUBLISHED, Status.DRAFT)


@dataclass(frozen=True)
class ReviewOrder:
    """The queue of the review. `filtered`: it is a filter of the list, and not just what waits for a person."""

    filter: ProductFilter
    filtered: bool

    @classmethod
    def parse(cls, data: QueryDict, taxonomy: Taxonomy) -> ReviewOrder:
        """Read the address: the list's filter, by doubt unless it is sorted otherwise.

        Without a filter it is what waits for a person. With one it is whatever the list shows, as far as it can be
        answered now.
        """
        data = data.copy()
        data.setdefault("sort", "doubt")
        asked = ProductFilter.parse(data, taxonomy)
        filtered = asked.is_narrow
        statuses = asked.statuses or (REVIEWABLE if filtered else (Status.TO_REVIEW,))
        return cls(replace(asked, statuses=tuple(one for one in statuses if one in REVIEWABLE)), filtered)

    def products(self, actor: Actor, after: str = "") -> QuerySet[Product]:
        """Products that the actor may see, in the queue's order, from the one after a place on.

        Args:
            actor: who reviews.
            after: what `place` returned; anything else means the beginning.
        """
        if not self.filter.statuses:
            return Product.objects.none()
        found = self.filter.apply(Product.objects.visible_to(actor))
        cursor = Cursor.parse(after, self.filter.order)
        return found.filter(cursor.behind(self.filter.order)) if cursor else found

    def place(self, product: Product) -> str:
        """The place of a product in the queue, as text."""
        return str(Cursor.of(product, self.filter.order))
