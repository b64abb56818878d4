"""What a mapping says of a product: the code and name that a marketplace has for its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from catalog.models import AttributeValue, MappingEntry, ProductAttribute, TaxonomyMapping
from catalog.selectors import Taxonomy


@dataclass(frozen=True)
class Target:
    """What one of our values is called elsewhere."""

    code: str
    name: str


class Mapper:
    """One version of a mapping, over the taxonomy of today: a merged value is what it was merged into.

    A pair counts before its value alone, and a value before the top-level category that it is in.
    """

    def __init__(self, mapping: TaxonomyMapping, taxonomy: Taxonomy) -> None:
        self.mapping = mapping
        self._today: dict[int, AttributeValue] = {}
        self.attributes = [attribute.pk for attribute in taxonomy.attributes.values()]
        for code, values in taxonomy.values.items():
            for value in values.values():
                self._today[value.pk] = taxonomy.today(code, value.code) or value
        self._targets: dict[tuple[int, int | None], Target] = {}
        merged = []
        for entry in mapping.entries.all():
            ids = (entry.value_id, entry.other_id)
            if ids == self._ids_today(entry):
                self._targets[ids] = Target(entry.target_code, entry.target_name)
            else:
                merged.append(entry)
        for entry in merged:  # what a value says itself counts before what was merged into it
            self._targets.setdefault(self._ids_today(entry), Target(entry.target_code, entry.target_name))

    def _ids_today(self, entry: MappingEntry) -> tuple[int, int | None]:
        return self._id_today(entry.value_id), None if entry.other_id is None else self._id_today(entry.other_id)

    def _id_today(self, pk: int) -> int:
        return self._today[pk].pk if pk in self._today else pk

    def target(self, values: Mapping[int, int | None]) -> Target | None:
        """Return what a product is called elsewhere.

        Args:
            values: its current values, by attribute, both as ids; in the order of the attributes.
        """
        own = values.get(self.mapping.attribute_id)
        value = self._today.get(own) if own is not None else None
        if value is None:
            return None
        others = [
            self._id_today(pk)
            for attribute, pk in values.items()
            if pk is not None and attribute != self.mapping.attribute_id
        ]
        for meant in (value.pk, value.parent_id):
            for other in (*others, None):
                if meant is not None and (found := self._targets.get((meant, other))) is not None:
                    return found
        return None

    def value_today(self, pk: int | None) -> AttributeValue | None:
        """Return the value that an id stands for today."""
        return self._today.get(pk) if pk is not None else None

    def without_target(self, values: Iterable[AttributeValue]) -> list[AttributeValue]:
        """Return the values of the mapping's attribute that have no counterpart on their own."""
        return [value for value in values if self.target({self.mapping.attribute_id: value.pk}) is None]


@dataclass
class Unmapped:
    """The values without a counterpart that were met, with the number of products; None: the product has no value."""

    products: Counter[int | None] = field(default_factory=Counter)

    def meet(self, value_id: int | None, mapper: Mapper) -> None:
        """Count a product of which the mapping says nothing."""
        value = mapper.value_today(value_id)
        self.products[value.pk if value is not None else None] += 1


def current_values(
    product_ids: Iterable[int], attribute_ids: Iterable[int]
) -> dict[int, dict[int, tuple[int | None, str]]]:
    """Read products' current values: by product, then by attribute in the order given, the value's id and the state."""
    order = list(attribute_ids)
    rows = ProductAttribute.objects.filter(product__in=list(product_ids)).order_by()
    found: dict[int, dict[int, tuple[int | None, str]]] = {}
    for product, attribute, value, state in rows.values_list("product_id", "attribute_id", "value_id", "state"):
        found.setdefault(product, {})[attribute] = (value, state)
    return {
        product: {attribute: values[attribute] for attribute in order if attribute in values}
        for product, values in found.items()
    }
