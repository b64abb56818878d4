"""Pages of the list of products, and how many there are, whatever the number of rows.

A page begins behind a product, not after so many: its cursor holds what the list is sorted by at the page's edge. So a
late page costs as much as the first one, and rows that come in move nothing. Nothing counts further than it must.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from catalog.models import Product, ProductAttribute, ProductImage
from catalog.product_filter import LISTED, ProductFilter
from catalog.selection import Selection
from core.db import capped_counts, keys_of

PAGE_SIZE = 50
MOST_COUNTED = 1_000
MOST_JOINED = 500  # counted where products are found through their words or values
MOST_OPEN = 200  # and where those without a value are, for which every product is looked up in turn


@dataclass(frozen=True)
class Cursor:
    """The place of a product in a sorted list: its values of the columns that the list is sorted by."""

    place: tuple[Any, ...]

    @classmethod
    def of(cls, product: Product, order: Sequence[str]) -> Cursor:
        """Return the place of a product in a list in this order."""
        return cls(tuple(getattr(product, column.lstrip("-")) for column in order))

    @classmethod
    def parse(cls, text: str, order: Sequence[str]) -> Cursor | None:
        """Read a cursor of an address; None for none, or one of another order."""
        try:
            place = json.loads(base64.urlsafe_b64decode(text.encode() + b"=="))
            return cls(tuple(_read(column.lstrip("-"), part) for column, part in zip(order, place, strict=True)))
        except (ValueError, TypeError, RecursionError):
            return None

    def __str__(self) -> str:
        written = [part.isoformat() if isinstance(part, datetime) else part for part in self.place]
        return base64.urlsafe_b64encode(json.dumps(written).encode()).decode().rstrip("=")

    def behind(self, order: Sequence[str]) -> Q:
        """That a product comes after this place in a list in that order: of one column, or of two of one direction."""
        way = "lt" if order[0].startswith("-") else "gt"
        names = [column.lstrip("-") for column in order]
        last = Q(**{f"{names[-1]}__{way}": self.place[-1]})
        if len(names) == 1:
            return last
        # Two ranges of the index: where many share the first value, those before the place are not read.
        first, at = names[0], self.place[0]
        return Q(**{first: at}) & last | Q(**{f"{first}__{way}": at})


def _read(column: str, part: Any) -> Any:
    if column.endswith("_at"):
        when = datetime.fromisoformat(part)
        if when.tzinfo is None:
            raise ValueError(part)
        return when
    known = str if column.endswith("_order") else int
    if type(part) is not known or (isinstance(part, int) and abs(part) >= 1 << 63):
        raise TypeError(column)
    return part


@dataclass(frozen=True)
class ProductPage:
    """Products of a page, and the cursors of its neighbours; "" where there is none."""

    products: list[Product]
    previous: str
    next: str


def page_of(selection: Selection, *, after: str = "", before: str = "") -> ProductPage:
    """Read a page of a selection, in its filter's order; one query.

    Args:
        selection: the products.
        after: the `next` of the page before; anything else is left out.
        before: the `previous` of the page after.
    """
    order = selection.chosen.order
    start, end = Cursor.parse(after, order), Cursor.parse(before, order)
    backwards = end is not None and start is None
    way = tuple(_reversed(column) for column in order) if backwards else order
    parts = selection.parts_in_order()
    cursor = end if backwards else start
    if cursor is not None:
        parts = [part.filter(cursor.behind(way)) for part in parts]
    keys = keys_of([part.order_by(*way)[: PAGE_SIZE + 1] for part in parts])
    rows = list(with_cover(Product.objects.filter(pk__in=keys)).order_by(*way)[: PAGE_SIZE + 1])
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    if backwards:
        rows.reverse()
        if not more:  # the list's beginning: with a full page, and what came in since
            return page_of(selection)
    has_next, has_previous = (True, more) if backwards else (more, start is not None)
    return ProductPage(
        products=rows,
        previous=str(Cursor.of(rows[0], order)) if rows and has_previous else "",
        next=str(Cursor.of(rows[-1], order)) if rows and has_next else "",
    )


def _reversed(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def with_cover(products: QuerySet[Product]) -> QuerySet[Product]:
    """Add to products the public id of their first image, `cover`, and their number, `image_count`; None for none."""
    images = ProductImage.objects.filter(product=OuterRef("pk")).current()
    count = images.order_by().values("product").annotate(number=Count("pk")).values("number")
    return products.annotate(cover=Subquery(images.values("public_id")[:1]), image_count=Subquery(count))


class CurrentValue(NamedTuple):
    """What a list shows of a product's value of an attribute."""

    value_id: int | None
    state: str
    confidence: float | None


def values_by_product(products: Iterable[Product]) -> dict[int, dict[int, CurrentValue]]:
    """Current values by product and attribute, both by id; one query."""
    found: dict[int, dict[int, CurrentValue]] = {product.pk: {} for product in products}
    rows = ProductAttribute.objects.filter(product__in=list(found)).order_by()
    for product, attribute, *shown in rows.values_list("product", "attribute", *CurrentValue._fields):
        found[product][attribute] = CurrentValue(*shown)
    return found


@dataclass(frozen=True)
class Number:
    """How many there are: exactly, or `more` than that."""

    count: int
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.count)

    def __str__(self) -> str:
        return f"{self.count:,}{'+' if self.more else ''}"


@dataclass(frozen=True)
class Numbers:
    """How many products a merchant has by status and by trouble, and how many a filter selects."""

    by_status: Mapping[str, Number]
    failed: Number
    several: Number
    nothing: Number
    matching: Number

    @property
    def listed(self) -> Number:
        """All but archived ones."""
        return _sum(self.by_status[status] for status in LISTED)

    @property
    def any(self) -> bool:
        """Whether there is any product at all."""
        return any(self.by_status.values())


def _sum(numbers: Iterable[Number]) -> Number:
    known = list(numbers)
    total = sum(number.count for number in known)
    more = total > MOST_COUNTED or any(number.more for number in known)
    return Number(min(total, MOST_COUNTED), more)


def numbers_of(selection: Selection) -> Numbers:
    """Count for the list's head, each number up to MOST_COUNTED; one query for all of them."""
    products, chosen = selection.products, selection.chosen
    asked: dict[str, QuerySet[Product]] = {status: products.filter(status=status) for status in Product.Status.values}
    trouble = {
        "failed": ProductFilter(failed=True),
        "several": ProductFilter(several=True),
        "nothing": ProductFilter(nothing=True),
    }
    asked |= {name: filter_.narrowed(products).order_by() for name, filter_ in trouble.items()}
    if chosen.asks_more_than_status:
        asked["matching"] = selection.in_any_order()
    most = MOST_OPEN if chosen.asks_open else MOST_JOINED if chosen.joins else MOST_COUNTED
    part = selection.quick_part()
    found = counted(asked, {"matching": most}, {"matching": part} if part is not None else {})
    by_status = {status: found[status] for status in Product.Status.values}
    if "matching" not in found:
        found["matching"] = _sum(by_status[status] for status in chosen.statuses or LISTED)
    return Numbers(
        by_status=by_status,
        **{name: found[name] for name in trouble},
        matching=found["matching"],
    )


def counted(
    asked: Mapping[str, QuerySet[Product]], most: Mapping[str, int], parts: Mapping[str, QuerySet[Product]]
) -> dict[str, Number]:
    """Count what each query finds, up to MOST_COUNTED or what `most` says; one query for all of them.

    `parts`: some of what a query finds, found sooner; see `core.db.capped_counts`.
    """
    limits = {name: most.get(name, MOST_COUNTED) for name in asked}
    found = capped_counts(asked, MOST_COUNTED + 1, {name: limit + 1 for name, limit in limits.items()}, parts)
    return {name: Number(min(found[name], limit), found[name] > limit) for name, limit in limits.items()}


def count_behind(selection: Selection, first: Cursor, most: int) -> int:
    """How many products a list has by now before the one that it began with, up to `most`; one query."""
    backwards = tuple(_reversed(column) for column in selection.chosen.order)
    before = (
        part.filter(first.behind(backwards)).order_by().values("pk")[:most] for part in selection.parts_in_order()
    )
    return min(most, sum(part.count() for part in before))
