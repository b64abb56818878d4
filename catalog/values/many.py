"""Locking many products at once with all that their writers read, and writing what came of it.

A product alone costs some thirty queries to publish; most read what one query reads for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

from accounts.models import AuditEvent
from catalog.known import Known, known_of, make_known
from catalog.models import CATEGORY, Decision, Product, ProductAttribute, ProductImage
from catalog.selectors import Taxonomy
from catalog.telling import tell_of_many


def lock_many(ids: Collection[int], taxonomy: Taxonomy) -> dict[int, Product]:
    """Lock products in the order of their ids, and read what their writers need; five queries for all of them.

    Args:
        ids: which; those that were deleted are left out.
        taxonomy: the taxonomy.

    Returns:
        The products by id. They hold for the caller's transaction alone, and each for one change.
    """
    products = {
        product.pk: product for product in Product.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    }
    decisions: dict[int, list[Decision]] = defaultdict(list)
    for decision in Decision.objects.filter(product__in=products).order_by("id"):
        decisions[decision.product_id].append(decision)
    values: dict[int, dict[int, ProductAttribute]] = defaultdict(dict)
    for current in ProductAttribute.objects.filter(product__in=products).order_by():
        values[current.product_id][current.attribute_id] = current
    waiting = set(
        ProductImage.objects.current()
        .filter(product__in=products, classifications__purpose="live", classifications__open_key__isnull=False)
        .order_by()
        .values_list("product_id", flat=True)
    )
    versions = _versions(products.values())
    for pk, product in products.items():
        top = product.top_category_id
        product.top_category = taxonomy.stored(CATEGORY, top) if top is not None else None
        known = Known(
            decisions=decisions[pk],
            values=values[pk],
            images_wait=pk in waiting,
            versions=versions,
            top_category_id=top,
        )
        make_known(product, known)
    return products


def _versions(products: Iterable[Product]) -> dict[int, int]:
    """Model versions by the ids of all predictions that the proposals name; some may have been pruned."""
    named = {
        value.prediction
        for product in products
        for candidate in product.proposal.candidates
        for value in candidate.attributes.values()
    }
    predictions = apps.get_model("classifier", "Prediction")._default_manager
    found = predictions.filter(pk__in=named).order_by().values_list("pk", "model_version_id")
    return dict(found) if named else {}


def write_changes(products: Iterable[Product]) -> None:
    """Write what products that were locked by `lock_many` became: values, lines of the audit trail, events."""
    products = list(products)
    known = [one for product in products if (one := known_of(product)) is not None]
    values = [current for one in known for current in one.changed.values()]
    replace_rows(values, ["state", "value", "confidence", "decision", "updated_at"])
    AuditEvent.objects.bulk_create([event for one in known for event in one.events])
    tell_of_many(products)


def replace_rows(rows: list[Any], fields: list[str]) -> None:
    """Write these fields of rows of one table that are there, whatever differs from row to row, in one statement."""
    if not rows:
        return
    table: type[Model] = type(rows[0])
    by_key = connection.features.supports_update_conflicts_with_target
    table._default_manager.bulk_create(
        rows, update_conflicts=True, update_fields=fields, unique_fields=["id"] if by_key else None
    )
