"""Which products the review shows, and in which order: any filter of the list, the least sure first."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts.actors import Actor
from catalog.models import Product
from catalog.product_filter import ProductFilter
from catalog.selectors import Taxonomy

Status = Product.Status
# What is put away has to be restored first, and what is being looked at would change under the person's hands.
REVIEWABLE = (Status.TO_REVIEW, Status.READY, Status.PUBLISHED, Status.DRAFT)

_LONGEST_PLACE = 1000


@dataclass(frozen=True)
class Place:
    """Where in the queue a product stands: its values of the columns that the queue is sorted by."""

    values: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str, columns: int) -> Place | None:
        """Read what `str` wrote; None for the beginning and for anything else."""
        try:
            values = json.loads(text) if len(text) <= _LONGEST_PLACE else None
        except ValueError:
            return None
        if not isinstance(values, list) or len(values) != columns:
            return None
        return cls(tuple(values)) if all(type(one) in (str, int) for one in values) else None

    def __str__(self) -> str:
        return json.dumps(self.values)


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

    @property
    def columns(self) -> tuple[str, ...]:
        """What the queue is sorted by."""
        return self.filter.order

    def products(self, actor: Actor, after: Place | None = None) -> QuerySet[Product]:
        """Products that the actor may see, in the queue's order, from the one after that place on."""
        if not self.filter.statuses:
            return Product.objects.none()
        found = self.filter.apply(Product.objects.visible_to(actor))
        if after is None:
            return found
        try:
            return found.filter(_behind(self.columns, after.values))
        except (ValidationError, ValueError, TypeError):  # somebody wrote the place by hand
            return found

    def place(self, pk: int) -> Place | None:
        """The place of a product; None if it was deleted meanwhile."""
        names = [column.lstrip("-") for column in self.columns]
        values = Product.objects.filter(pk=pk).values_list(*names).first()
        return values and Place(tuple(one if isinstance(one, int) else str(one) for one in values))


def _behind(columns: tuple[str, ...], values: tuple[str | int, ...]) -> Q:
    """What comes after these values in the order of the columns. The first column is limited twice, for its index."""
    found, same = Q(), Q()
    for column, value in zip(columns, values, strict=True):
        name, falling = column.lstrip("-"), column.startswith("-")
        found |= same & Q(**{f"{name}__{'lt' if falling else 'gt'}": value})
        same &= Q(**{name: value})
    first = columns[0]
    return Q(**{f"{first.lstrip('-')}__{'lte' if first.startswith('-') else 'gte'}": values[0]}) & found
