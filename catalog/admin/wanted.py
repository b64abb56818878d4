"""What products of all merchants must have, words and values, and the keys of those that have them, where they are few.

Terms are found through the merchants, because their key begins with them. So the database meets a word merchant by
merchant, and can't know how many products have it: which of several words is rare, a look at the newest products tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from accounts.models import Merchant
from catalog.models import Product, ProductAttribute, ProductTerm
from catalog.search import Search, words_of

_SAMPLED = 1_000
_SOON = 3  # of these that have all words: a page of such products is among 7,000, which take 6 ms to walk through
# Two words are each read whole where fewer of the newest products have both, for then looking up takes long to find
# enough; and where the more common one has fewer than this many times the rarer one's, for a row that is looked up
# costs thrice what one costs that is read.
_SELDOM, _MORE_COMMON = 0.01, 2.5


@dataclass(frozen=True)
class Wanted:
    """A current value that a product must have: one of these, or one that is proposed and less sure than that."""

    attribute_id: int
    ids: tuple[int, ...] = ()
    less_sure_than: float | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """The condition on a row of current values, named {0}, with its parameters."""
        if self.less_sure_than is not None:
            condition = "{0}.attribute_id = %s AND {0}.state = %s AND {0}.confidence < %s"
            return condition, [self.attribute_id, ProductAttribute.State.PROPOSED, self.less_sure_than]
        places = ", ".join(["%s"] * len(self.ids or (0,)))
        return f"{{0}}.attribute_id = %s AND {{0}}.value_id IN ({places})", [self.attribute_id, *(self.ids or (0,))]

    def looked_up(self, products: QuerySet[Product], name: str) -> QuerySet[Product]:
        """Look the value of each product up: by a subquery that the database can't begin with."""
        own = ProductAttribute.objects.filter(product=OuterRef("pk"), attribute=self.attribute_id).order_by()
        if self.less_sure_than is not None:
            proposed = own.filter(state=ProductAttribute.State.PROPOSED).values("confidence")
            return products.alias(**{name: Subquery(proposed)}).filter(**{f"{name}__lt": self.less_sure_than})
        return products.alias(**{name: Subquery(own.values("value"))}).filter(**{f"{name}__in": self.ids or (0,)})


@dataclass(frozen=True)
class _Shares:
    """Which share of the newest products has each word of a search, and which has all of them."""

    by_word: dict[str, float]
    together: float = 0.0
    are_soon_met: bool = False  # so often that walking the products finds a page sooner than any index

    @classmethod
    def of(cls, words: Sequence[str]) -> _Shares:
        """Look at the newest products, if there are several words; one query."""
        if len(words) < 2:
            return cls(dict.fromkeys(words, 0.0))
        has = [Q(search_text__contains=word) for word in words]
        counted = [*(Count("pk", filter=one) for one in (*has, Q(*has))), Count("pk")]
        newest = Product.objects.order_by("-pk")[:_SAMPLED]
        found = newest.aggregate(**{f"count_{number}": count for number, count in enumerate(counted)})
        *each, together, all_ = found.values()
        shares = (one / max(all_, 1) for one in each)
        return cls(dict(zip(words, shares, strict=True)), together / max(all_, 1), together >= _SOON)

    def are_seldom_met(self) -> bool:
        """Whether both of two words are sooner read whole than one's products are looked up among the other's."""
        if not connection.features.supports_select_intersection:
            return False
        rare, common = sorted(self.by_word.values())
        return self.together < _SELDOM and common < _MORE_COMMON * rare

    def rarest_first(self, terms: frozenset[int]) -> list[int]:
        """The terms, those of pieces with digits first, from the end: SKUs begin alike; what they share is in all."""
        pieces = (word[start : start + 3] for word in self.by_word for start in range(len(word) - 3, -1, -1))
        numbers = [term for piece in pieces if any(map(str.isdigit, piece)) for term in Search.of(piece).terms]
        words = sorted(self.by_word, key=self.by_word.__getitem__)
        ordered = [*numbers, *(term for word in words for term in sorted(Search.of(word).terms))]
        return list(dict.fromkeys(term for term in ordered if term in terms))


@dataclass
class _Join:
    """Indexes that are joined by their product."""

    tables: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)
    products: list[str] = field(default_factory=list)  # the column of each index

    def add(self, name: str, table: str, condition: str, parameters: Iterable[Any]) -> None:
        """Join an index, of which `name` is used here, to those before it."""
        self.tables.append(table)
        self.conditions.append(condition)
        if self.products:
            self.conditions.append(f"{self.products[0]} = {name}.product_id")
        self.parameters += parameters
        self.products.append(f"{name}.product_id")

    def add_terms(self, terms: Iterable[int]) -> None:
        """Join the products with these terms, rarest first."""
        table, owners = (connection.ops.quote_name(model._meta.db_table) for model in (ProductTerm, Merchant))
        for term in terms:
            name = f"t{len(self.products)}"
            through = f"{table} {name}" if self.products else f"{owners} m, {table} {name}"
            self.add(name, through, f"{name}.merchant_id = m.id AND {name}.term = %s", [term])

    def add_value(self, wanted: Wanted) -> None:
        """Join the products with a value."""
        quote = connection.ops.quote_name
        name, table = f"v{len(self.products)}", quote(ProductAttribute._meta.db_table)
        # In this index the products of a value follow each other; without the hint each is looked up among all values.
        hint = f" FORCE INDEX ({quote('current_value_value')})" if wanted.ids and connection.vendor == "mysql" else ""
        condition, parameters = wanted.sql()
        self.add(name, f"{table} {name}{hint}", condition.format(name), parameters)

    def sql(self, *, in_order: bool) -> str:
        """The statement; `in_order`: the database shall read the indexes as they were added."""
        how = "STRAIGHT_JOIN " if in_order and connection.vendor == "mysql" else ""
        return (
            f"SELECT {how}{self.products[0]} AS product FROM {', '.join(self.tables)} "  # noqa: S608 - names of ours; what was typed is a parameter
            f"WHERE {' AND '.join(self.conditions)}"
        )


def few_with(
    search: Search, wanted: Sequence[Wanted], text: str, *, most: int, merchants: bool = True, walkable: bool = False
) -> tuple[list[int] | None, list[int]]:
    """Ids of the products that have all words and values, None for more than `most`; and of merchants called so.

    One query, and one more for several words. `walkable`: None will do, too, where these are soon found by walking
    through the products, newest first.
    """
    if not search.terms and not wanted:
        return [], []
    shares = _Shares.of(words_of(text))
    parts: list[tuple[str, list[Any]]] = []
    walked = walkable and shares.are_soon_met and not wanted
    if not walked:
        parts.append(_products(shares, search.terms, wanted, most))
    if merchants and search.terms:
        owners = connection.ops.quote_name(Merchant._meta.db_table)
        like = f"%{connection.ops.prep_for_like_query(text.strip())}%"
        called_so = f"SELECT 1 AS kind, id FROM (SELECT id FROM {owners} WHERE name LIKE %s LIMIT 50) called"  # noqa: S608 - the table's name; what was typed is a parameter
        parts.append((called_so, [like]))
    rows = _rows(parts)
    found = [key for kind, key in rows if kind == 0]
    called = [key for kind, key in rows if kind == 1]
    return (None if walked or len(found) > most else found), called


def _products(shares: _Shares, terms: frozenset[int], wanted: Sequence[Wanted], most: int) -> tuple[str, list[Any]]:
    """The statement for up to `most` products and one more, with its parameters."""
    ordered = shares.rarest_first(terms)
    apart = len(ordered) == len(shares.by_word) == 2 and not wanted and shares.are_seldom_met()
    statements, parameters = [], []
    for part in [[term] for term in ordered] if apart else [ordered]:
        join = _Join()
        join.add_terms(part)
        for one in wanted:
            join.add_value(one)
        statements.append(join.sql(in_order=bool(part)))
        parameters += join.parameters
    ids = " INTERSECT ".join(statements)
    return f"SELECT 0 AS kind, product FROM ({ids} LIMIT {most + 1:d}) found", parameters  # noqa: S608 - statements of _Join; what was typed is a parameter


def _rows(parts: Sequence[tuple[str, list[Any]]]) -> list[tuple[int, int]]:
    """What statements of a kind and an id find, together; one query."""
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(sql for sql, _own in parts), [one for _sql, own in parts for one in own])
        return list(cursor.fetchall())
