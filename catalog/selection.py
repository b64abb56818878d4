"""How the products that a filter selects are found, whatever the number of rows.

A database that joins and sorts reads too much where it guesses wrong, and what is right depends on how many products
have the words and values that are asked for. So that is looked up first, in indexes alone. Few: they are read by their
ids, in any order. Many: in the order of ids the rarest word or value leads; in any other order the products are walked
in that order and each is looked up, for soon there are enough of them. What was found on the way to “many” is counted
first: mostly that is as many as anybody is told of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from accounts.actors import Actor
from catalog.models import Product, ProductAttribute, ProductTerm
from catalog.product_filter import ProductFilter
from catalog.search import Search
from core.db import among

FEW = 1_000
# In the order of ids, in which a page of many is soon found: as many as a list counts, and some that are archived.
_FEW_COUNTED = 650
_FEW_OF_A_PAGE = 200  # and where nobody is told how many there are


@dataclass(frozen=True)
class Selection:
    """What a filter selects of the products that an actor may see.

    `few`: the ids of all that have its words and values, where these are few; None where they are many, or it asks for
    none. `some`: where they are many, ids of as many as were looked at.
    """

    products: QuerySet[Product]
    chosen: ProductFilter
    merchant_id: int | None
    few: tuple[int, ...] | None
    some: tuple[int, ...] = ()

    @classmethod
    def of(cls, actor: Actor, chosen: ProductFilter, *, counted: bool = True) -> Selection:
        """Look how many there are; one query if the filter has words or values, none otherwise.

        `counted`: they are to be counted, too, not only read.
        """
        few = FEW
        if chosen.by_id and not counted:
            few = _FEW_OF_A_PAGE
        elif chosen.by_id and not chosen.asks_columns:
            few = min(FEW, _FEW_COUNTED)
        merchant_id = actor.merchant.pk if actor.merchant is not None else None
        found = _found(merchant_id, chosen, few + 1) if merchant_id is not None else None
        products = Product.objects.visible_to(actor)
        if found is None or len(found) > few:
            return cls(products, chosen, merchant_id, None, found or ())
        return cls(products, chosen, merchant_id, found)

    def in_order(self) -> QuerySet[Product]:
        """The products, to be read in the filter's order. Not sorted yet."""
        if self.few is not None or self.chosen.by_id or self.merchant_id is None or not self.chosen.joins:
            return self.in_any_order()
        return self.chosen.looked_up(self.products, self.merchant_id)

    def parts_in_order(self) -> list[QuerySet[Product]]:
        """The same, where so many are to be read of each: one queryset, or one for each of several values."""
        if self.few is None and self.chosen.by_id:
            return [chosen.narrowed(self.products) for chosen in self.chosen.by_value()]
        return [self.in_order()]

    def in_any_order(self) -> QuerySet[Product]:
        """The products, to be counted up to some number.

        What is looked up in turn is walked by age: an index of another order may begin with products of which none is
        wanted, as that of doubt begins with those that nobody has decided.
        """
        if self.few is not None:
            return self._of(among(self.few))
        selected = self.chosen.narrowed(self.products)
        if self.chosen.asks_open:
            return selected.order_by("-created_at", "-id")
        return selected.order_by(*(("-id",) if self.chosen.source else ()))

    def quick_part(self) -> QuerySet[Product] | None:
        """Some of the products, which are found sooner than all of them; None where there is no such way.

        They are those that were looked at already, or, of those without a value, those that have a row which says so.
        """
        if self.some:
            return self._of(among(self.some))
        attribute_id = self.chosen.open_attribute_id
        if attribute_id is None or self.merchant_id is None or self.few is not None:
            return None
        rows = ProductAttribute.objects.filter(
            merchant=self.merchant_id, attribute=attribute_id, state=ProductAttribute.State.UNSET
        )
        sql, parameters = rows.order_by("-product").values("product")[:FEW].query.sql_with_params()
        return self._of(RawSQL(f"SELECT said.product FROM ({sql}) said", parameters))  # noqa: S608, S611 - the ORM's own

    def _of(self, ids: RawSQL) -> QuerySet[Product]:
        return self.chosen.by_columns(self.products).filter(pk__in=ids).order_by()


def _found(merchant_id: int, chosen: ProductFilter, most: int) -> tuple[int, ...] | None:
    """Ids of the products that have all words and values, from indexes alone: as many as `most`.

    None if it asks for no words and values.
    """
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
    sql = f"SELECT t0.product_id FROM {', '.join(tables)} WHERE {' AND '.join(conditions)} LIMIT {most:d}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return tuple(pk for (pk,) in cursor.fetchall())
