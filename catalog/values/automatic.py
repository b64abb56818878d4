"""What is auto-accepted: the models' own layer of decisions, under those of people.

It follows the proposal's marks: a value that is fit to be accepted gets a decision, one that no longer is (the models
changed their mind, or a person chose another garment) has it taken back. Decisions are only ever added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accounts.channels import Channel
from catalog.models import Attribute, AttributeValue, Decision, Product
from catalog.selectors import Taxonomy
from catalog.values.answered import ACCEPT, ACCEPTANCE, accepted_fields


@dataclass(frozen=True)
class Standing:
    """The decisions on a product that count, by attribute id: those of people, keys and imports, and automatic ones."""

    people: dict[int, Decision] = field(default_factory=dict)
    automatic: dict[int, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, product: Product) -> Standing:
        """Read the product's decisions in their order."""
        standing = cls()
        for decision in Decision.objects.filter(product=product).order_by("id"):
            standing.add(decision)
        return standing

    def add(self, decision: Decision) -> None:
        """Let one more decision count."""
        layer = self.automatic if decision.source == Decision.Source.AUTO else self.people
        if decision.kind == Decision.Kind.WITHDRAWN:
            layer.pop(decision.attribute_id, None)
        else:
            layer[decision.attribute_id] = decision

    @property
    def counting(self) -> dict[int, Decision]:
        """The decision that counts for each attribute id: a person's before an automatic one."""
        return self.automatic | self.people


def _acceptable(
    attribute: Attribute, row: dict[str, Any] | None, product: Product, taxonomy: Taxonomy
) -> AttributeValue | None:
    entry = row["attributes"].get(attribute.code) if row else None
    if entry is None or entry.get(ACCEPTANCE) != ACCEPT or not taxonomy.applies(attribute.code, product.row):
        return None
    return taxonomy.resolve(attribute.code, entry["value"])


def follow(product: Product, row: dict[str, Any] | None, standing: Standing, taxonomy: Taxonomy) -> None:
    """Bring the automatic decisions of a locked product in step with its chosen row; `standing` is kept up to date.

    What a person decided, or wants open, is left alone.
    """
    for attribute in taxonomy.attributes.values():
        if attribute.pk in standing.people:
            continue
        value = _acceptable(attribute, row, product, taxonomy)
        before = standing.automatic.get(attribute.pk)
        if (before.value_id if before else None) == (value.pk if value else None):
            continue
        decision = Decision.objects.create(
            product=product,
            attribute=attribute,
            kind=Decision.Kind.SET if value else Decision.Kind.WITHDRAWN,
            value=value,
            source=Decision.Source.AUTO,
            channel=Channel.COMMAND,
            **(accepted_fields(product, attribute, taxonomy) if value else {}),
        )
        standing.add(decision)
