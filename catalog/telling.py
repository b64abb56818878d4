"""What webhooks are told of products. Written in the transaction that changes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from accounts.actors import Actor
from catalog.known import known_of
from catalog.models import Product
from catalog.selectors import shown_values
from catalog.shown_values import ShownValue
from webhooks import events
from webhooks.events import Told
from webhooks.models import EventType

# By what the audit trail says that was done: one place for all services, whatever they are called by.
_KINDS: Mapping[str, EventType] = {
    **dict.fromkeys(
        (
            "product.accept",
            "product.choose_top_category",
            "product.decide",
            "product.not_applicable",
            "product.review",
            "product.undo",
            "product.withdraw",
        ),
        EventType.PRODUCT_DECIDED,
    ),
    "product.publish": EventType.PRODUCT_PUBLISHED,
}


def tell_of_action(actor: Actor, action: str, product: Product) -> None:
    """Tell webhooks of what a service did with a locked product, if they are told of such things.

    Of a product that is changed as one of many it is told when all of them are written: see `tell_of_many`.
    """
    kind = _KINDS.get(action)
    if kind is None:
        return
    if (known := known_of(product)) is not None:
        known.told.append((actor, kind))
        return
    events.emit(product.merchant_id, [kind], lambda: [_told(kind, product, _values_of([product]), actor)])


def tell_of_many(products: Iterable[Product]) -> None:
    """Tell of what was done with products that `catalog.values.many` locked and has written."""
    by_merchant: dict[int, list[Product]] = defaultdict(list)
    for product in products:
        if (known := known_of(product)) is not None and known.told:
            by_merchant[product.merchant_id].append(product)
    for merchant_id, some in by_merchant.items():
        kinds = {kind for product in some if (known := known_of(product)) for _actor, kind in known.told}
        events.emit(merchant_id, kinds, _all_of(some))


def _all_of(products: Sequence[Product]) -> Callable[[], list[Told]]:
    def told() -> list[Told]:
        values = _values_of(products)
        return [
            _told(kind, product, values, actor)
            for product in products
            if (known := known_of(product)) is not None
            for actor, kind in known.told
        ]

    return told


def tell_classified(product: Product) -> None:
    """Tell that all images of a locked product have been looked at."""
    kind = EventType.PRODUCT_CLASSIFIED
    events.emit(product.merchant_id, [kind], lambda: [_told(kind, product, _values_of([product]))])


def tell_failed(product: Product, failed: Sequence[tuple[str, str]]) -> None:
    """Tell of images of a locked product that could not be looked at, each with its number and the error's code."""
    kind = EventType.CLASSIFICATION_FAILED
    events.emit(
        product.merchant_id,
        [kind],
        lambda: [
            Told(
                kind,
                {"product": _identity(product), "image": {"id": image}, "error": error},
                product.public_id,
            )
            for image, error in failed
        ],
    )


def _told(
    kind: EventType, product: Product, values: Mapping[int, Mapping[str, Any]], actor: Actor | None = None
) -> Told:
    data: dict[str, Any] = {"product": {**_identity(product), "attributes": values.get(product.pk, {})}}
    if actor is not None:
        data |= {"channel": str(actor.channel)}
    return Told(kind, data, product.public_id)


def _identity(product: Product) -> dict[str, Any]:
    return {
        "id": product.public_id,
        "version": product.version,
        "sku": product.sku,
        "name": product.name,
        "status": str(product.status),
    }


def _values_of(products: Iterable[Product]) -> dict[int, dict[str, Any]]:
    """The current values of products by attribute code, as they are stored now; one query."""
    by_key = {product.pk: product for product in products}
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for current in shown_values().filter(product__in=by_key, attribute__active=True):
        current.product = by_key[current.product_id]  # whose proposal names the models
        found[current.product_id][current.attribute.code] = _shown(ShownValue.of_current(current))
    return found


def _shown(value: ShownValue) -> dict[str, Any]:
    label = value.label
    named = {"ko": label.name_ko, "en": label.name_en} if label is not None else None
    return {**asdict(replace(value, label=None)), "label": named}
