"""The address of a list of products: its filter, and how it is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalog.models import Product
from catalog.product_filter import NEWEST, OPEN, ProductFilter
from catalog.selectors import Taxonomy
from catalog.views.list_rows import CHANGED, CREATED, SKU, STATUS

TABLE, GRID = "table", "grid"


def all_columns(taxonomy: Taxonomy) -> dict[str, str]:
    """The columns that can be chosen, with their heads; the photo and the name are always there."""
    names = {code: attribute.name for code, attribute in taxonomy.attributes.items()}
    return {SKU: "SKU", **names, STATUS: _("Status"), CREATED: _("Created"), CHANGED: _("Changed")}


def default_columns(taxonomy: Taxonomy) -> tuple[str, ...]:
    """The columns of who has chosen none."""
    return tuple(column for column in all_columns(taxonomy) if column != CHANGED)


def chosen_columns(text: str, taxonomy: Taxonomy) -> tuple[str, ...]:
    """Read columns as an address names them, in their own order; what is unknown is left out."""
    asked = text.split(",")
    return tuple(column for column in all_columns(taxonomy) if column in asked)


@dataclass(frozen=True)
class ListAddress:
    """A list as its address says it; `columns` only where the address names them."""

    chosen: ProductFilter
    layout: str = TABLE
    columns: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: QueryDict, taxonomy: Taxonomy) -> ListAddress:
        """Read it. What is not understood is left out."""
        return cls(
            chosen=ProductFilter.parse(data, taxonomy),
            layout=GRID if data.get("as") == GRID else TABLE,
            columns=chosen_columns(data.get("columns", ""), taxonomy),
        )

    def query(self, **more: str) -> str:
        """Write it, with more parameters behind it; begins with "?"."""
        own = {"as": self.layout if self.layout != TABLE else "", "columns": ",".join(self.columns)}
        rest = urlencode({name: text for name, text in (own | more).items() if text})
        return "?" + "&".join(part for part in (self.chosen.query(), rest) if part)

    def with_filter(self, **changes: Any) -> str:
        """Write it with some of the filter's fields changed."""
        return replace(self, chosen=replace(self.chosen, **changes)).query()

    def as_layout(self, layout: str) -> str:
        """Write it in another layout."""
        return replace(self, layout=layout).query()


@dataclass(frozen=True)
class Chip:
    """One thing that the list is narrowed down by, and the address without it."""

    label: str
    without: str


def chips_of(address: ListAddress, taxonomy: Taxonomy) -> list[Chip]:
    """What is filtered, each to be taken away alone. The status is shown by the tabs, unless it is several."""
    chosen = address.chosen
    chips = []
    if len(chosen.statuses) > 1:
        for status in chosen.statuses:
            rest = tuple(one for one in chosen.statuses if one != status)
            chips.append(Chip(str(Product.Status(status).label), address.with_filter(statuses=rest)))
    for one in chosen.values:
        attribute = taxonomy.attributes[one.attribute].name
        for code in one.codes:
            value = taxonomy.values[one.attribute].get(code)
            label = _("open") if code == OPEN or value is None else value.name
            chips.append(Chip(f"{attribute}: {label}", _without_code(address, one.attribute, code, taxonomy)))
    if chosen.source:
        label = _("Category by: %(who)s") % {"who": dict(sources())[chosen.source]}
        chips.append(Chip(label, address.with_filter(source="")))
    if chosen.below is not None:
        label = _("Less sure than %(share)s") % {"share": f"{chosen.below * 100:g}%"}
        chips.append(Chip(label, address.with_filter(below=None)))
    for name, label in troubles().items():
        if getattr(chosen, name):
            chips.append(Chip(label, address.with_filter(**{name: False})))
    if chosen.since is not None:
        label = _("Created since %(day)s") % {"day": chosen.since.isoformat()}
        chips.append(Chip(label, address.with_filter(since=None)))
    if chosen.until is not None:
        label = _("Created until %(day)s") % {"day": chosen.until.isoformat()}
        chips.append(Chip(label, address.with_filter(until=None)))
    return chips


def _without_code(address: ListAddress, attribute: str, code: str, taxonomy: Taxonomy) -> str:
    data = QueryDict(address.query()[1:], mutable=True)
    data.setlist(attribute, [other for other in data.getlist(attribute) if other != code])
    return ListAddress.parse(data, taxonomy).query()


def troubles() -> dict[str, str]:
    """The names of what asks for a person, by the filter's parameters."""
    return {"failed": _("Failed"), "several": _("Several garments"), "nothing": _("Nothing found")}


def sources() -> Sequence[tuple[str, str]]:
    """Who may say the category: the filter's words with what people read."""
    return (
        ("person", _("a person")),
        ("auto", _("auto-accepted")),
        ("model", _("a model, not yet checked")),
        ("nobody", _("nobody yet")),
    )


def sorts() -> Sequence[tuple[str, str]]:
    """The orders: the filter's words with what people read."""
    return (
        (NEWEST, _("Newest first")),
        ("oldest", _("Oldest first")),
        ("changed", _("Changed last")),
        ("name", _("Name")),
        ("sku", "SKU"),
        ("doubt", _("Least sure first")),
    )


SHARES = (0.3, 0.5, 0.6, 0.7, 0.85, 0.95)
