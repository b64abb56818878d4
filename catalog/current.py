"""The one writer of current values: decisions and the proposal become what lists show and filter on."""

from __future__ import annotations

from typing import Any

from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy

State = ProductAttribute.State


def deciding(product: Product) -> dict[int, Decision]:
    """Return the decision that counts for each attribute id: the last by people, imports or keys, else the last auto.

    A withdrawn one counts as none, and lets what was accepted by itself show again.
    """
    people: dict[int, Decision] = {}
    automatic: dict[int, Decision] = {}
    for decision in Decision.objects.filter(product=product).order_by("id"):
        layer = automatic if decision.source == Decision.Source.AUTO else people
        if decision.kind == Decision.Kind.WITHDRAWN:
            layer.pop(decision.attribute_id, None)
        else:
            layer[decision.attribute_id] = decision
    return automatic | people


def proposal_row(product: Product, first_level: str | None) -> dict[str, Any] | None:
    """Return the proposal's entry for that first level."""
    return next((row for row in product.proposal if row["first_level"] == first_level), None)


def _value_of(
    product: Product,
    attribute: Attribute,
    decision: Decision | None,
    row: dict[str, Any] | None,
    first_level: AttributeValue | None,
    taxonomy: Taxonomy,
) -> dict[str, Any]:
    if decision is not None:
        automatic = decision.source == Decision.Source.AUTO
        if decision.kind == Decision.Kind.NOT_APPLICABLE:
            return {"state": State.NOT_APPLICABLE, "value_id": None, "confidence": None, "decision_id": decision.pk}
        state = State.AUTO if automatic else State.DECIDED
        return {"state": state, "value_id": decision.value_id, "confidence": None, "decision_id": decision.pk}
    if not taxonomy.applies(attribute.code, first_level):
        return {"state": State.NOT_APPLICABLE, "value_id": None, "confidence": None, "decision_id": None}
    proposed = row["attributes"].get(attribute.code) if row else None
    value = taxonomy.resolve(attribute.code, proposed["value"]) if proposed else None
    if proposed is None or value is None:
        return {"state": State.UNSET, "value_id": None, "confidence": None, "decision_id": None}
    return {
        "state": State.PROPOSED,
        "value_id": value.pk,
        "confidence": proposed["confidence"],
        "decision_id": None,
    }


def refresh(product: Product, taxonomy: Taxonomy | None = None) -> dict[str, ProductAttribute]:
    """Write the product's current values anew, in the caller's transaction, with the product locked.

    Returns:
        The current values by attribute code.
    """
    taxonomy = taxonomy or Taxonomy.load()
    decisions = deciding(product)
    existing = {
        current.attribute_id: current for current in ProductAttribute.objects.filter(product=product).select_related()
    }
    # What was open when the product was published stays open: no later model speaks for what is public.
    public = product.status == Product.Status.PUBLISHED
    row = proposal_row(product, product.row.code) if product.row and not public else None
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


def decided_first_level(product: Product, taxonomy: Taxonomy) -> AttributeValue | None:
    """Return the first level of the category that was decided, if one was."""
    decision = deciding(product).get(taxonomy.attributes[CATEGORY].pk)
    if decision is None or decision.value_id is None:
        return None
    value = next(value for value in taxonomy.values[CATEGORY].values() if value.pk == decision.value_id)
    return value.parent
