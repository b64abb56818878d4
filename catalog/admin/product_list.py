"""The admin's list of products: how its filters and its search work together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.admin.views.main import IGNORED_PARAMS
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.admin.finding import Finding
from catalog.admin.wanted import Wanted
from catalog.listing import with_cover
from catalog.models import CATEGORY, Attribute, AttributeValue, Product
from catalog.selectors import Taxonomy, called
from catalog.views.list_rows import Row, rows_of
from core.admin.newest_first import NEWER, OLDER, NewestFirstList
from core.admin.theme import DropdownFilter

_LISTED = "row of the list"
_TAKEN = frozenset((*IGNORED_PARAMS, "p", "e", OLDER, NEWER, "less_sure_than"))  # in addresses of the list


class ListRequest(HttpRequest):
    """A request for the list: what is asked for, which filters add to, and the taxonomy that they offer."""

    finding: Finding
    taxonomy: Taxonomy


class ProductList(NewestFirstList):
    """Products, found by words and by current values together."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Let the filters say which values they want, then look them and the words up at once."""
        finding = cast(ListRequest, request).finding = Finding(self.query)
        return finding.narrow(super().get_queryset(request, exclude_parameters))

    def rows(self, request: HttpRequest, keys: Sequence[Any]) -> list[Product]:
        """As the portal's list reads them: what `row_of` shows, and no objects that are the same in each row."""
        products = list(with_cover(Product.objects.filter(pk__in=keys).select_related("merchant")))
        taxonomy = taxonomy_of(request)
        for row in rows_of(products, taxonomy, taxonomy.attributes):
            vars(row.product)[_LISTED] = row  # all that a column of the admin's gets is the product
        return products


def row_of(product: Product) -> Row:
    """What the list shows of a product that it read."""
    return cast(Row, vars(product)[_LISTED])


def taxonomy_of(request: HttpRequest) -> Taxonomy:
    """Today's taxonomy, read once a request."""
    asked = cast(ListRequest, request)
    if not hasattr(request, "taxonomy"):
        asked.taxonomy = Taxonomy.load()
    return asked.taxonomy


def _values(attribute: Attribute, request: HttpRequest) -> list[AttributeValue]:
    return list(taxonomy_of(request).values[attribute.code].values())


class ValueFilter(DropdownFilter):
    """Products whose current value of one attribute is the chosen one."""

    attribute: Attribute

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The attribute's values by code; top-level categories with values below them are not offered."""
        values = _values(self.attribute, request)
        parents = {value.parent_id for value in values}
        return [
            (value.code, value.name) for value in values if value.merged_into_id is None and value.pk not in parents
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        """Ask for the value, and for those that were merged into it."""
        code = self.value()
        if code:
            ids = called(_values(self.attribute, request), code)
            cast(ListRequest, request).finding.wanted.append(Wanted(self.attribute.pk, tuple(ids)))
        return queryset


class DoubtFilter(DropdownFilter):
    """Products whose proposed category is less sure than that, and that nobody has decided on."""

    title = _("confidence in the category")
    parameter_name = "less_sure_than"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """In whole per cent."""
        return [(str(limit), f"< {limit}%") for limit in (50, 70, 85, 95)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        """Ask for a doubtful category."""
        limit = self.value()
        category = taxonomy_of(request).attributes.get(CATEGORY)
        if limit is not None and limit.isdecimal() and category is not None:
            wanted = Wanted(category.pk, less_sure_than=int(limit) / 100)
            cast(ListRequest, request).finding.wanted.append(wanted)
        return queryset


def value_filters(request: HttpRequest) -> list[type[ValueFilter]]:
    """One for each active attribute that has values."""
    return [
        type(
            "ValueFilter",
            (ValueFilter,),
            {
                "title": one.name,
                "parameter_name": f"value_{one.code}" if one.code in _TAKEN else one.code,
                "attribute": one,
            },
        )
        for one in taxonomy_of(request).attributes.values()
        if taxonomy_of(request).values[one.code]
    ]
