"""The one writer of current values: decisions and the proposal become what lists show and filter on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.known import known_of
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute
from catalog.proposal import ProposedValue
from catalog.selectors import Taxonomy, images_wait
from catalog.values.automatic import auto_accept
from catalog.values.deciding import EffectiveDecisions

State = ProductAttribute.State


def _proposed(
    product: Product, attribute: Attribute, taxonomy: Taxonomy
) -> tuple[ProposedValue | None, AttributeValue | None]:
    """What the models propose for the product, and the value that it stands for today.

    What was open when the product was published stays open: no later model speaks for what is public.
    """
    candidate = product.candidate if product.status != Product.Status.PUBLISHED else None
    proposed = candidate.attributes.get(attribute.code) if candidate else None
    return proposed, taxonomy.resolve(attribute.code, proposed.value) if proposed else None


def is_proposed(product: Product, attribute: Attribute, taxonomy: Taxonomy) -> bool:
    """Whether the models propose a value for the garment that is the product; they do not for what is public."""
    applies = taxonomy.applies(attribute.code, product.top_category)
    return applies and _proposed(product, attribute, taxonomy)[1] is not None


def current_value(
    product: Product, attribute: Attribute, decision: Decision | None, taxonomy: Taxonomy
) -> dict[str, Any]:
    """Return the fields of an attribute's current value: they follow from its decision, else from the proposal."""
    if not taxonomy.applies(attribute.code, product.top_category):  # whatever was decided before the category was
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
    proposed, value = _proposed(product, attribute, taxonomy)
    if proposed is None or value is None:
        return {"state": State.UNSET, "value_id": None, "confidence": None, "decision_id": None}
    return {"state": State.PROPOSED, "value_id": value.pk, "confidence": proposed.confidence, "decision_id": None}


def _keeps_accepted(product: Product, effective: EffectiveDecisions) -> bool:
    """Whether what was accepted stays for now: while images wait, the proposal speaks for some of them only.

    Not for another garment than before, whose values are not these.
    """
    if not effective.automatic:
        return False
    if (known := known_of(product)) is not None:
        return known.top_category_id == product.top_category_id and known.images_wait
    same = Product.objects.filter(pk=product.pk, top_category=product.top_category_id)
    return same.exists() and images_wait(product)


def recompute_values(product: Product, taxonomy: Taxonomy, *, accept: bool = True) -> dict[str, ProductAttribute]:
    """Write the product's current values again, in the caller's transaction, with the product locked.

    Args:
        product: the locked product.
        taxonomy: the taxonomy.
        accept: whether what is auto-accepted follows the proposal. It stays in any case while images wait,
            unless the product is another garment than before.

    Returns:
        The current values by attribute code.
    """
    effective = EffectiveDecisions.of(product)
    existing = _existing(product)
    public = product.status == Product.Status.PUBLISHED
    if accept and not public and not _keeps_accepted(product, effective):
        auto_accept(product, effective, taxonomy)
    decisions = effective.by_attribute
    created, changed, result = [], [], {}
    for attribute in taxonomy.attributes.values():
        fields = current_value(product, attribute, decisions.get(attribute.pk), taxonomy)
        current = existing.get(attribute.pk)
        if current is None:
            current = ProductAttribute(product=product, merchant_id=product.merchant_id, attribute=attribute, **fields)
            created.append(current)
        elif any(getattr(current, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(current, name, value)
            changed.append(current)
        result[attribute.code] = current
    _store(product, created, changed)
    _write_certainty(product, result.values())
    return result


def _existing(product: Product) -> dict[int, ProductAttribute]:
    """The product's current values as they are stored, by attribute id."""
    known = known_of(product)
    if known is not None:
        return known.values
    rows = ProductAttribute.objects.filter(product=product).select_related()
    return {current.attribute_id: current for current in rows}


def _store(product: Product, created: list[ProductAttribute], changed: list[ProductAttribute]) -> None:
    if created:
        ProductAttribute.objects.bulk_create(created)
    known = known_of(product)
    if known is None:
        for current in changed:
            current.save()
        return
    known.changed |= {current.attribute_id: current for current in changed}
    if created:
        fresh = ProductAttribute.objects.filter(product=product, attribute__in=[one.attribute_id for one in created])
        known.values |= {current.attribute_id: current for current in fresh}  # MySQL says no ids of new rows


def certainty_of(product: Product, values: Iterable[ProductAttribute]) -> int:
    """Return how sure the least sure of the proposed values is; while the garment is unclear, how sure that is."""
    confidences = [value.confidence for value in values if value.state == State.PROPOSED]
    if product.top_category_source == Product.TopCategorySource.NONE:
        confidences += [candidate.confidence for candidate in product.proposal.candidates[:1]]
    return min((int(share * Product.CERTAIN) for share in confidences if share is not None), default=Product.CERTAIN)


def _write_certainty(product: Product, values: Iterable[ProductAttribute]) -> None:
    certainty = certainty_of(product, values)
    if product.certainty != certainty:
        product.certainty = certainty
        if (known := known_of(product)) is not None:
            known.certainty_changed = True
            return
        Product.objects.filter(pk=product.pk).update(certainty=certainty)
