"""What is auto-accepted: the models' own layer of decisions, under those of people.

It follows the proposal's marks: a value that is fit to be accepted gets a decision, one that no longer is (the models
changed their mind, or a person chose another garment) has it taken back. Decisions are only ever added.
"""

from __future__ import annotations

from catalog.models import Attribute, AttributeValue, Product
from catalog.proposal import Acceptance
from catalog.selectors import Taxonomy
from catalog.values.deciding import EffectiveDecisions, record_acceptance


def _acceptable(attribute: Attribute, product: Product, taxonomy: Taxonomy) -> AttributeValue | None:
    candidate = product.candidate
    proposed = candidate.attributes.get(attribute.code) if candidate else None
    if proposed is None or proposed.acceptance != Acceptance.ACCEPT:
        return None
    if not taxonomy.applies(attribute.code, product.top_category):
        return None
    return taxonomy.resolve(attribute.code, proposed.value)


def auto_accept(product: Product, effective: EffectiveDecisions, taxonomy: Taxonomy) -> None:
    """Accept what the marks of the product's candidate allow, and take back what they no longer do.

    What a person decided, or wants open, is left alone.

    Args:
        product: the locked product.
        effective: its decisions in effect; kept up to date.
        taxonomy: the taxonomy.
    """
    for attribute in taxonomy.attributes.values():
        if attribute.pk in effective.people:
            continue
        value = _acceptable(attribute, product, taxonomy)
        before = effective.automatic.get(attribute.pk)
        if (before.value_id if before else None) != (value.pk if value else None):
            effective.add(record_acceptance(product, attribute, value, taxonomy))
