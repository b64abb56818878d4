"""How the admin's lists find products among all merchants', whatever their number.

As `catalog.selection` does for one merchant: what has the words and values is looked up in indexes first. Few: they are
read by their keys. Many: products are walked newest first and each is looked up, for soon there are enough of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.messages import WARNING
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.admin.wanted import Wanted, few_with
from catalog.models import Product
from catalog.search import Search, normalized
from core.admin.newest_first import FEW, KeyFilter
from core.db import among
from core.ids import is_public_id

R = TypeVar("R", bound=Model)

# As many as are still read by their keys. Walking to those of which there are more finds a page among so many.
_FOUND = 2_000
# The same where only values are asked for, each of them one: their products follow each other in an index, so that a
# page is soon found among those of the rarest.
_FOUND_BY_VALUE = 200


@dataclass
class Finding:
    """What a list of products is asked for: words, and values that its filters add."""

    text: str = ""
    wanted: list[Wanted] = field(default_factory=list)

    def narrow(self, products: QuerySet[Product]) -> QuerySet[Product]:
        """Keep the products that are asked for; one query at most beside the products' own."""
        search = Search.of(self.text)
        if not search.terms and not self.wanted:
            return products
        ordered = not search.terms and all(len(one.ids) == 1 for one in self.wanted)
        most = _FOUND_BY_VALUE if ordered else _FOUND
        # Where other filters leave few of the products with these words, walking to them would take long.
        walkable = not products.query.where
        found, merchants = few_with(search, self.wanted, self.text, most=most, walkable=walkable)
        if found is not None and not merchants:
            if search.terms and is_public_id(self.text.strip()):
                return products.filter(Q(pk__in=found) | self._by_number())
            return products.filter(pk__in=among(found))
        if ordered:
            return self._joined(products)
        if not search.terms:
            return self._looked_up(products)
        named = Q(merchant__in=merchants) | self._by_number() if merchants else self._by_number()
        if found is not None and not self.wanted:
            return products.filter(Q(pk__in=found) | named)
        return self._looked_up(products.filter(_has_words(self.text) | named))

    def _by_number(self) -> Q:
        return Q(public_id=self.text.strip()) if is_public_id(self.text.strip()) else Q(pk__in=())

    def _joined(self, products: QuerySet[Product]) -> QuerySet[Product]:
        for one in self.wanted:
            products = products.filter(attributes__attribute=one.attribute_id, attributes__value__in=one.ids)
        return products

    def _looked_up(self, products: QuerySet[Product]) -> QuerySet[Product]:
        for number, one in enumerate(self.wanted):
            products = one.looked_up(products, f"wanted_{number}")
        return products


def _has_words(text: str) -> Q:
    condition = Q()
    for word in normalized(text).split():
        condition &= Q(search_text__contains=word)
    return condition


def keys_called(text: str) -> list[int] | None:
    """Ids of the products with these words, or of that number; None for more than _FOUND."""
    number = text.strip()
    if is_public_id(number) and (
        of_number := list(Product.objects.filter(public_id=number).values_list("pk", flat=True))
    ):
        return of_number
    found, _merchants = few_with(Search.of(text), (), text, most=_FOUND, merchants=False)
    return found


def of_products(
    page: ModelAdmin[Any], request: HttpRequest, rows: QuerySet[R], text: str, path: str, *, also: Q | None = None
) -> QuerySet[R]:
    """Keep the rows of products with these words; of too many products say so, and keep what `also` finds.

    Args:
        page: says it.
        request: of the person who asks.
        rows: of any model.
        text: what was typed.
        path: the lookup that leads from a row to its product.
        also: what else may be meant by the text.
    """
    found = keys_called(text)
    if found is None:
        page.message_user(request, _("Very many products are called so. Type more of the name, or the SKU."), WARNING)
    condition = Q(**{f"{path}__in": found or (0,)})
    return rows.filter(condition if also is None else condition | also)


class MerchantFilter(KeyFilter):
    """Rows of one merchant's products, found by a path such as `image__product__merchant`.

    Of few products their rows are read; of many, rows are walked newest first and each is looked up. A join would let
    the database begin with the merchant and sort all that it has.
    """

    name = ""  # of the chosen one, where it has products

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the chosen one's."""
        chosen = str(self.value() or "")
        if not chosen:
            return queryset
        if not (chosen.isascii() and chosen.isdecimal()):
            raise IncorrectLookupParameters
        merchant = int(chosen)
        products = list(
            Product.objects.filter(merchant=merchant).order_by().values_list("pk", "merchant__name")[: FEW + 1]
        )
        self.name = products[0][1] if products else ""
        if len(products) <= FEW:
            keys = [key for key, _name in products]
            return queryset.filter(**{f"{self.field_path.rpartition('__')[0]}__in": keys or (0,)})
        first, _hop, rest = self.field_path.partition("__")
        related = queryset.model._meta.get_field(first).related_model
        whose = related._default_manager.filter(pk=OuterRef(f"{first}_id")).order_by().values(rest)
        found: QuerySet[Any] = queryset.alias(whose=Subquery(whose)).filter(whose=merchant)
        return found

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The control, which need not ask the database again what the chosen one is called."""
        for entry in super().choices(changelist):
            if self.name:
                widget = entry["form"].fields[self.lookup_kwarg].widget
                chosen = widget.create_option(self.lookup_kwarg, self.value(), self.name, True, 0)
                widget.optgroups = lambda *_args, chosen=chosen, **_more: [(None, [chosen], 0)]
            yield entry
