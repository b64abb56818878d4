"""The search, filters and order of a list of products, as its address says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import BigIntegerField, F, FilteredRelation, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware

from catalog.models import CATEGORY, AttributeValue, Product, ProductAttribute
from catalog.search import Search
from catalog.selectors import Taxonomy

OPEN = "-"  # in place of a value's code: the attribute has none yet
LISTED = tuple(status for status in Product.Status if status != Product.Status.ARCHIVED)
SOURCES: Mapping[str, str] = {
    "person": ProductAttribute.State.DECIDED,
    "model": ProductAttribute.State.PROPOSED,
    "auto": ProductAttribute.State.AUTO,
    "nobody": ProductAttribute.State.UNSET,
}
NEWEST = "newest"
# By the name of a sort the columns that it goes by, from its beginning; the id makes every order a complete one.
SORTS: Mapping[str, tuple[str, ...]] = {
    NEWEST: ("-id",),
    "oldest": ("id",),
    "changed": ("-updated_at", "-id"),
    "name": ("name_order", "id"),
    "sku": ("sku_order", "id"),
    "doubt": ("certainty", "id"),
}
_BY_DATE: Mapping[str, tuple[str, ...]] = {NEWEST: ("-created_at", "-id"), "oldest": ("created_at", "id")}
_LONGEST_SEARCH = 200


@dataclass(frozen=True)
class ChosenValues:
    """The values that one attribute is filtered by: their codes, and the ids of all values that these stand for."""

    attribute: str
    attribute_id: int
    codes: tuple[str, ...]
    ids: tuple[int, ...]

    @property
    def open(self) -> bool:
        """Whether products without a value are meant, too."""
        return OPEN in self.codes


def _values_meant(taxonomy: Taxonomy, attribute: str, code: str) -> frozenset[int]:
    """Ids of the values that are today what the code stands for, or a leaf of that top-level category."""
    known = taxonomy.values[attribute]
    if code not in known:
        return frozenset()
    meant = (taxonomy.today(attribute, code) or known[code]).pk
    today: dict[int, AttributeValue] = {
        value.pk: taxonomy.today(attribute, value.code) or value for value in known.values()
    }
    return frozenset(pk for pk, value in today.items() if meant in (value.pk, value.parent_id))


@dataclass(frozen=True)
class ProductFilter:
    """Which products a list shows, and in which order. `parse` reads it from an address, `query` writes it.

    `below`: something proposed is less sure than this share. `source`: who says the category. `since` and `until`: the
    days, both included, between which the product was created.
    """

    q: str = ""
    statuses: tuple[str, ...] = ()
    values: tuple[ChosenValues, ...] = ()
    source: str = ""
    below: float | None = None
    failed: bool = False
    several: bool = False
    nothing: bool = False
    since: date | None = None
    until: date | None = None
    sort: str = NEWEST
    category_id: int = field(default=0, repr=False)  # of the attribute, for `source`

    @classmethod
    def parse(cls, data: QueryDict, taxonomy: Taxonomy) -> ProductFilter:
        """Read the parameters of an address. What is not understood is left out, never an error."""
        sort, source = data.get("sort", ""), data.get("source", "")
        return cls(
            q=" ".join(data.get("q", "")[:_LONGEST_SEARCH].replace("\0", "").split()),
            statuses=tuple(status for status in Product.Status.values if status in data.getlist("status")),
            values=_chosen(data, taxonomy),
            source=source if source in SOURCES else "",
            below=_share(data.get("below", "")),
            failed=data.get("failed") == "1",
            several=data.get("several") == "1",
            nothing=data.get("nothing") == "1",
            since=_day(data.get("since", "")),
            until=_day(data.get("until", "")),
            sort=sort if sort in SORTS else NEWEST,
            category_id=taxonomy.attributes[CATEGORY].pk if CATEGORY in taxonomy.attributes else 0,
        )

    def query(self) -> str:
        """Write the parameters, always in the same order; empty for the list as it begins."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [("status", status) for status in self.statuses]
        pairs += [(chosen.attribute, code) for chosen in self.values for code in chosen.codes]
        pairs += [("source", self.source)] if self.source else []
        pairs += [("below", f"{self.below:g}")] if self.below is not None else []
        pairs += [(name, "1") for name in ("failed", "several", "nothing") if getattr(self, name)]
        days = (("since", self.since), ("until", self.until))
        pairs += [(name, day.isoformat()) for name, day in days if day is not None]
        pairs += [("sort", self.sort)] if self.sort != NEWEST else []
        return urlencode(pairs)

    @property
    def is_narrow(self) -> bool:
        """Whether anything is filtered or searched, beyond leaving archived products out."""
        return bool(self.statuses) or self.asks_more_than_status

    @property
    def asks_more_than_status(self) -> bool:
        """Whether anything but the status is filtered or searched."""
        flags = (self.q, self.values, self.source, self.failed, self.several, self.nothing, self.since, self.until)
        return any(flags) or self.below is not None

    @property
    def asks_columns(self) -> bool:
        """Whether products with the words and values are narrowed down further, by more than being archived."""
        flags = (self.statuses, self.failed, self.several, self.nothing, self.since, self.until)
        return any(flags) or self.below is not None

    @property
    def joins(self) -> bool:
        """Whether it looks into other tables than that of the products."""
        return bool(self.q or self.values or self.source)

    @property
    def asks_open(self) -> bool:
        """Whether products of whose attribute nothing is known are looked for."""
        return self.source == "nobody" or any(one.open for one in self.values)

    @property
    def by_id(self) -> bool:
        """Whether the products are sorted by their ids."""
        return self.order[0].lstrip("-") == "id"

    @property
    def open_attribute_id(self) -> int | None:
        """The attribute of which nothing is known yet, by id; None where that is not asked for."""
        if self.source == "nobody":
            return self.category_id
        return next((one.attribute_id for one in self.values if one.open), None)

    def apply(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Narrow the products down and put them in order. Archived ones only if their status is asked for."""
        return self.narrowed(products).order_by(*self.order)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that the list is sorted by; with a day as a limit, new and old are told by the time itself."""
        by_date = self.since is not None or self.until is not None
        return _BY_DATE.get(self.sort, SORTS[self.sort]) if by_date else SORTS[self.sort]

    def narrowed(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Narrow the products down."""
        products = self.by_columns(products)
        for term in sorted(Search.of(self.q).terms):
            # The merchant is the product's: databases put the one that the products are filtered by in its place.
            products = products.filter(terms__merchant=F("merchant"), terms__term=term)
        for row in self.rows:
            products = products.filter(attributes__merchant=F("merchant"), **row.lookups("attributes"))
        return products

    def looked_up(self, products: QuerySet[Product], merchant_id: int) -> QuerySet[Product]:
        """Narrow one merchant's products down, by looking each of them up in turn: where most of them are wanted.

        The database must not begin with the values or terms, so their conditions are none that it finds rows by.
        """
        products = self.by_columns(products)
        for term in sorted(Search.of(self.q).terms):
            name = f"term_{term}"
            own = Q(terms__merchant=merchant_id, terms__term=term)
            products = products.annotate(**{name: FilteredRelation("terms", condition=own)})
            products = products.alias(**{f"{name}_found": Coalesce(f"{name}__term", 0)})
            products = products.filter(**{f"{name}_found": term})
        for number, row in enumerate(self.rows):
            name = f"row_{number}"
            own = Q(attributes__attribute=row.attribute_id)
            products = products.annotate(**{name: FilteredRelation("attributes", condition=own)})
            products = products.alias(**{f"{name}_found": row.never_null(name)})
            products = products.filter(**{f"{name}_found__in": row.ids or (row.state,)})
        return products

    def by_value(self) -> list[ProductFilter]:
        """The same as filters of which no two select the same product: one for each value of the first attribute.

        In an index the products of one value follow each other in the order of ids, those of several values do not.
        """
        several = next((one for one in self.values if len(one.ids) > 1 and not one.open), None)
        if several is None:
            return [self]
        others = tuple(one for one in self.values if one is not several)
        return [replace(self, values=(replace(several, ids=(pk,)), *others)) for pk in several.ids]

    @property
    def rows(self) -> list[WantedValue]:
        """The current values that a product must have, each a row of its own."""
        wanted = [WantedValue(one.attribute_id, ids=one.ids) for one in self.values if not one.open]
        state = SOURCES.get(self.source, ProductAttribute.State.UNSET)
        if state != ProductAttribute.State.UNSET:
            wanted.append(WantedValue(self.category_id, state=state))
        return wanted

    def by_columns(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Narrow the products down by all but the terms of the search and the values that they must have."""
        products = products.filter(status__in=self.statuses or LISTED)
        for word in Search.of(self.q).words:
            products = products.filter(search_text__contains=word)
        for chosen in self.values:
            if chosen.open:
                products = _open(products, chosen.attribute_id, chosen.ids)
        if self.source == "nobody":
            products = _open(products, self.category_id)
        if self.below is not None:
            products = products.filter(certainty__lt=round(self.below * Product.CERTAIN))
        if self.failed:
            products = products.filter(failed_images__gt=0)
        if self.several:
            products = products.filter(unclear=Product.Unclear.SEVERAL)
        if self.nothing:
            products = products.filter(unclear=Product.Unclear.NOTHING)
        if self.since is not None:
            products = products.filter(created_at__gte=_midnight(self.since))
        if self.until is not None:
            products = products.filter(created_at__lt=_midnight(self.until + timedelta(days=1)))
        return products


@dataclass(frozen=True)
class WantedValue:
    """A current value that a product must have: one of `ids`, or any in that state."""

    attribute_id: int
    ids: tuple[int, ...] = ()
    state: str = ""

    def lookups(self, relation: str) -> dict[str, object]:
        """How it is looked for through a relation."""
        wanted = {f"{relation}__value__in": self.ids} if self.ids else {f"{relation}__state": self.state}
        return {f"{relation}__attribute": self.attribute_id, **wanted}

    def never_null(self, relation: str) -> Coalesce:
        """What is compared of it, as an expression that no index holds."""
        if self.ids:
            return Coalesce(f"{relation}__value_id", 0, output_field=BigIntegerField())
        return Coalesce(f"{relation}__state", Value(""))


def _chosen(data: QueryDict, taxonomy: Taxonomy) -> tuple[ChosenValues, ...]:
    found = []
    for attribute, row in taxonomy.attributes.items():
        asked = [code for code in dict.fromkeys(data.getlist(attribute)) if len(code) <= 40]
        meant = {code: _values_meant(taxonomy, attribute, code) for code in asked if code != OPEN}
        codes = tuple(code for code in asked if code == OPEN or meant[code])
        if codes and attribute not in _RESERVED:
            ids = tuple(sorted(set().union(*(meant[code] for code in codes if code != OPEN))))
            found.append(ChosenValues(attribute, row.pk, codes, ids))
    return tuple(found)


# An attribute that is called like another parameter cannot be filtered by.
_RESERVED = frozenset(
    ("q", "status", "source", "below", "failed", "several", "nothing", "since", "until", "sort", "after", "before")
)


def _open(products: QuerySet[Product], attribute_id: int, ids: tuple[int, ...] = ()) -> QuerySet[Product]:
    """Products of whose attribute nothing is known yet, or one of these values.

    Those that were never looked at have no row for it. An anti-join: NOT EXISTS makes MariaDB collect all rows first.
    """
    name = f"open_{attribute_id}"
    own = Q(attributes__attribute=attribute_id)
    found = Q(**{name: None}) | Q(**{f"{name}__state": ProductAttribute.State.UNSET}) | Q(**{f"{name}__value__in": ids})
    return products.annotate(**{name: FilteredRelation("attributes", condition=own)}).filter(found)


def _share(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, time()))
