"""The one writer of current values: decisions and the proposal become what lists show and filter on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy
from catalog.values.answered import proposal_row
from catalog.values.automatic import Standing, follow

State = ProductAttribute.State


def _proposed(
    row: dict[str, Any] | None, attribute: Attribute, taxonomy: Taxonomy
) -> tuple[dict[str, Any] | None, AttributeValue | None]:
    entry = row["attributes"].get(attribute.code) if row else None
    return entry, taxonomy.resolve(attribute.code, entry["value"]) if entry else None


def is_proposed(product: Product, attribute: Attribute, taxonomy: Taxonomy) -> bool:
    """Whether the models propose a value for the garment that is the product; they do not for what is public."""
    if product.status == Product.Status.PUBLISHED:
        return False
    row = proposal_row(product, product.row.code) if product.row else None
    return taxonomy.applies(attribute.code, product.row) and _proposed(row, attribute, taxonomy)[1] is not None


def _value_of(
    product: Product,
    attribute: Attribute,
    decision: Decision | None,
    row: dict[str, Any] | None,
    top_category: AttributeValue | None,
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    if not taxonomy.applies(attribute.code, top_category):  # whatever was decided before the category was
        return {"state": State.NOT_APPLICABLE, "value_id": None, "confidence": None, "decision_id": None}
    if decision is not None:
        automatic = decision.source == Decision.Source.AUTO
        if decision.value_id is None:
            state = State.UNSET if decision.kind == Decision.Kind.OPEN else State.NOT_APPLICABLE
            return {"state": state, "value_id": None, "confidence": None, "decision_id": decision.pk}
        return {
            "state": State.AUTO if automatic else State.DECIDED,
            "value_id": decision.value_id,
            "confidence": decision.proposed_confidence if automatic else None,
            "decision_id": decision.pk,
        }
    proposed, value = _proposed(row, attribute, taxonomy)
    if proposed is None or value is None:
        return {"state": State.UNSET, "value_id": None, "confidence": None, "decision_id": None}
    return {
        "state": State.PROPOSED,
        "value_id": value.pk,
        "confidence": proposed["confidence"],
        "decision_id": None,
    }


def images_wait(product: Product) -> bool:
    """Whether images of the product are still to be looked at, so that the proposal speaks for some only."""
    return (
        product.images.current()
        .filter(classifications__purpose="live", classifications__open_key__isnull=False)
        .exists()
    )


def _stands(product: Product, standing: Standing) -> bool:
    """Whether what was accepted stays for now: while images wait, the proposal speaks for some of them only.

    Not for another garment than before, whose values are not these.
    """
    if not standing.automatic:
        return False
    same = Product.objects.filter(pk=product.pk, row=product.row_id)
    return same.exists() and images_wait(product)


def refresh(product: Product, taxonomy: Taxonomy | None = None, *, accept: bool = True) -> dict[str, ProductAttribute]:
    """Write the product's current values again, in the caller's transaction, with the product locked.

    Args:
        product: the locked product.
        taxonomy: the taxonomy, if the caller has read it already.
        accept: whether what is auto-accepted follows the proposal. It stays in any case while images wait,
            unless the product is another garment than before.

    Returns:
        The current values by attribute code.
    """
    taxonomy = taxonomy or Taxonomy.load()
    standing = Standing.of(product)
    existing = {
        current.attribute_id: current for current in ProductAttribute.objects.filter(product=product).select_related()
    }
    # What was open when the product was published stays open: no later model speaks for what is public.
    public = product.status == Product.Status.PUBLISHED
    row = proposal_row(product, product.row.code) if product.row and not public else None
    if accept and not public and not _stands(product, standing):
        follow(product, row, standing, taxonomy)
    decisions = standing.counting
    created, changed, result = [], [], {}
    for attribute in taxonomy.attributes.values():
        fields = _value_of(product, attribute, decisions.get(attribute.pk), row, product.row, taxonomy)
        current = existing.get(attribute.pk)
        if current is None:
            current = ProductAttribute(product=product, attribute=attribute, **fields)
            created.append(current)
        elif any(getattr(current, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(current, name, value)
            changed.append(current)
        result[attribute.code] = current
    if created:
        ProductAttribute.objects.bulk_create(created)
    for current in changed:
        current.save()
    return result


def is_settled(values: Mapping[str, ProductAttribute]) -> bool:
    """Whether a product needs no review: a person decided its category, or nothing is left of what is proposed.

    What no model says anything about holds nothing up: an attribute that was just added has no model yet.
    """
    state = values[CATEGORY].state
    if state == State.AUTO:
        return all(value.state != State.PROPOSED for value in values.values())
    return state == State.DECIDED
