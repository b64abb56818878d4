"""Search terms: each product is indexed by those of its text, and by no others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q

from catalog.models import Product, ProductTerm
from catalog.search import terms_of
from classifier.consistency.products import recompute_each
from classifier.consistency.walking import Check, Found, Kind, Step, last_key

_PRODUCTS = 50  # some 1,500 terms a query, each found by the whole key
_TERMS = 2_000

Key = tuple[int, int, int]  # merchant, term, product


def _walk(asked: Collection[str]) -> Iterator[Step]:
    """Look for terms that are missing, then for those that are too many, if more are stored than there should be."""
    last = last_key(Product)
    right = 0
    for batch in _products():
        found, terms = _missing(batch)
        right += terms
        yield Step(batch[-1].pk, last, found)
    stored = ProductTerm.objects.count()
    if stored > right:
        for done, found in _too_many():
            yield Step(done, stored, found)


def _products() -> Iterator[list[Product]]:
    after = 0
    rows = Product.objects.only("pk", "public_id", "merchant_id", "search_text").order_by("pk")
    while batch := list(rows.filter(pk__gt=after)[:_PRODUCTS]):
        yield batch
        after = batch[-1].pk


def _missing(products: Sequence[Product]) -> tuple[list[Found], int]:
    """Find products without some of their terms; says also how many of the terms are there."""
    expected = {product.pk: terms_of(product.search_text) for product in products}
    there = _stored(products, expected)
    suspects = [product for product in products if expected[product.pk] - there[product.pk]]
    found = []
    for suspect in suspects:
        with transaction.atomic():
            product = Product.objects.select_for_update().filter(pk=suspect.pk).first()
            if product is not None:
                terms = terms_of(product.search_text)
                if terms - _stored([product], {product.pk: terms})[product.pk]:
                    found.append(Found("terms", product.public_id, product.pk))
    return found, sum(len(terms) for terms in there.values())


def _stored(products: Sequence[Product], expected: dict[int, frozenset[int]]) -> dict[int, set[int]]:
    there: dict[int, set[int]] = defaultdict(set)
    keys = [
        Q(merchant=product.merchant_id, product=product.pk, term__in=expected[product.pk])
        for product in products
        if expected[product.pk]
    ]
    if keys:
        for term, product in ProductTerm.objects.filter(reduce(or_, keys)).values_list("term", "product_id"):
            there[product].add(term)
    return there


def _too_many() -> Iterator[tuple[int, list[Found]]]:
    """Walk the whole index in its order; yields how many terms were looked at, and what was found in each batch."""
    after: Key = (0, 0, 0)
    looked_at = 0
    while batch := _terms_behind(after):
        after = batch[-1]
        wrong = _strays(batch)
        # Second look: the product may have been renamed in between.
        ids = sorted({product for _merchant, _term, product in wrong})
        names = dict(Product.objects.filter(pk__in=ids).values_list("pk", "public_id"))
        again = _strays([key for key in wrong if _is_there(key)])
        looked_at += len(batch)
        yield looked_at, [Found("terms-strange", f"{names.get(key[2], key[2])}: {key[1]}", key) for key in again]


def _terms_behind(after: Key) -> list[Key]:
    """The next terms in the order of the key, in three ranges: no database reads a row comparison by the key alone."""
    merchant, term, product = after
    batch: list[Key] = []
    for behind in (
        Q(merchant=merchant, term=term, product__gt=product),
        Q(merchant=merchant, term__gt=term),
        Q(merchant__gt=merchant),
    ):
        rows = ProductTerm.objects.filter(behind).order_by("merchant_id", "term", "product_id")
        batch += rows.values_list("merchant_id", "term", "product_id")[: _TERMS - len(batch)]
        if len(batch) == _TERMS:
            break
    return batch


def _strays(keys: Sequence[Key]) -> list[Key]:
    texts = {
        (merchant, product): terms_of(text)
        for product, merchant, text in Product.objects.filter(pk__in={key[2] for key in keys}).values_list(
            "pk", "merchant_id", "search_text"
        )
    }
    return [key for key in keys if key[1] not in texts.get((key[0], key[2]), ())]


def _is_there(key: Key) -> bool:
    return ProductTerm.objects.filter(merchant=key[0], term=key[1], product=key[2]).exists()


def remove(keys: Sequence[Key]) -> None:
    """Take terms out of the index that their product does not have, with the product locked, if there is one."""
    for merchant, term, pk in keys:
        with transaction.atomic():
            list(Product.objects.select_for_update().filter(pk=pk).values_list("pk"))
            if _strays([(merchant, term, pk)]):
                ProductTerm.objects.filter(merchant=merchant, term=term, product=pk).delete()


TERMS = Check(
    "search terms",
    (
        Kind("terms", "products that a search does not find by all of their words", recompute_each),
        Kind("terms-strange", "search terms that lead to a product without them, or to none", remove),
    ),
    _walk,
)
