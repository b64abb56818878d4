"""How the products that a filter selects are found, whatever the number of rows.

A database that joins and sorts reads too much where it guesses wrong, and what is right depends on how many products
have the words and values that are asked for. So that is looked up first, in indexes alone. Few: they are read by their
ids, in any order. Many: in the order of ids the rarest word or value leads; in any other order the products are walked
in that order and each is looked up, for soon there are enough of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts.actors import Actor
from catalog.models import Product, ProductAttribute, ProductTerm
from catalog.product_filter import ProductFilter
from catalog.search import Search

FEW = 1_000


@dataclass(frozen=True)
class Selection:
    """What a filter selects of the products that an actor may see.

    `few`: the ids of all that have its words and values, where these are few; None where they are many, or it asks for
    none.
    """

    products: QuerySet[Product]
    chosen: ProductFilter
    merchant_id: int | None
    few: tuple[int, ...] | None

    @classmethod
    def of(cls, actor: Actor, chosen: ProductFilter) -> Selection:
        """Look how many there are; one query if the filter has words or values, none otherwise."""
        merchant_id = actor.merchant.pk if actor.merchant is not None else None
        few = _few(merchant_id, chosen) if merchant_id is not None else None
        return cls(Product.objects.visible_to(actor), chosen, merchant_id, few)

    def in_order(self) -> QuerySet[Product]:
        """The products, to be read in the filter's order. Not sorted yet."""
        if self.few is not None or self._by_id or self.merchant_id is None or not self.chosen.joins:
            return self.in_any_order()
        return self.chosen.looked_up(self.products, self.merchant_id)

    def parts_in_order(self) -> list[QuerySet[Product]]:
        """The same, where so many are to be read of each: one queryset, or one for each of several values."""
        if self.few is None and self._by_id:
            return [chosen.narrowed(self.products) for chosen in self.chosen.by_value()]
        return [self.in_order()]

    @property
    def _by_id(self) -> bool:
        return self.chosen.order[0].lstrip("-") == "id"

    def in_any_order(self) -> QuerySet[Product]:
        """The products, to be counted up to some number.

        What is looked up in turn is walked by age: an index of another order may begin with products of which none is
        wanted, as that of doubt begins with those that nobody has decided.
        """
        if self.few is not None:
            return self.chosen.by_columns(self.products).filter(pk__in=self.few or (0,)).order_by()
        selected = self.chosen.narrowed(self.products)
        if self.chosen.asks_open:
            return selected.order_by("-created_at", "-id")
        return selected.order_by(*(("-id",) if self.chosen.source else ()))


def _few(merchant_id: int, chosen: ProductFilter) -> tuple[int, ...] | None:
    """Ids of the products that have all words and values, from indexes alone; None for more than FEW."""
    quote = connection.ops.quote_name
    terms, values = (quote(model._meta.db_table) for model in (ProductTerm, ProductAttribute))
    wanted: list[tuple[str, str, list[Any]]] = [
        (terms, "{}.term = %s", [term]) for term in sorted(Search.of(chosen.q).terms)
    ]
    for row in chosen.rows:
        if row.ids:
            places = ", ".join(["%s"] * len(row.ids))
            wanted.append(
                (values, f"{{0}}.attribute_id = %s AND {{0}}.value_id IN ({places})", [row.attribute_id, *row.ids])
            )
        else:
            wanted.append((values, "{0}.attribute_id = %s AND {0}.state = %s", [row.attribute_id, row.state]))
    if not wanted:
        return None
    # In this index the products of a value lie together and in order, so that those of two are soon compared; left to
    # itself, MariaDB looks each product up among all values.
    hints = {values: f" FORCE INDEX ({quote('current_value_merchant')})"} if connection.vendor == "mysql" else {}
    tables, conditions, parameters = [], [], []
    for number, (table, condition, own) in enumerate(wanted):
        name = f"t{number}"
        tables.append(f"{table} {name}{hints.get(table, '') if '.value_id' in condition else ''}")
        conditions.append(f"{name}.merchant_id = %s AND {condition.format(name)}")
        parameters += [merchant_id, *own]
        if number:
            conditions.append(f"{name}.product_id = t0.product_id")
    # Names of tables and conditions are written above, what people typed is in the parameters.
    sql = f"SELECT t0.product_id FROM {', '.join(tables)} WHERE {' AND '.join(conditions)} LIMIT {FEW + 1}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found = [pk for (pk,) in cursor.fetchall()]
    return tuple(found) if len(found) <= FEW else None
