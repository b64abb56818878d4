"""What a mapping says of some products, before they are exported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from accounts.actors import Actor
from catalog.mapping import Mapper, Target, Unmapped, current_values
from catalog.models import AttributeValue, Product, TaxonomyMapping
from catalog.selectors import Taxonomy
from catalog.services.exports.choice import ExportChoice
from catalog.services.exports.lines import BATCH, ExportLines

_MOST_READ = 5_000
_SHOWN = 10


@dataclass(frozen=True)
class Example:
    """A product, its value, and what the mapping makes of it; None for nothing."""

    product: Product
    value: AttributeValue | None
    target: Target | None


@dataclass(frozen=True)
class MappingPreview:
    """What a mapping says of some products.

    Attributes:
        mapping: the version.
        examples: a few of the products.
        unmapped: values without a counterpart, with the number of products that were read; None: no value yet.
        read: of how many products that was found.
    """

    mapping: TaxonomyMapping
    examples: list[Example]
    unmapped: list[tuple[AttributeValue | None, int]]
    read: int


def preview_mapping(actor: Actor, choice: ExportChoice) -> MappingPreview | None:
    """Look at the first few thousand products of an export; None if it has no mapping."""
    lines = ExportLines(actor, choice)
    if lines.mapper is None:
        return None
    for _batch in islice(lines.batches(), _MOST_READ // BATCH):
        pass
    return MappingPreview(
        mapping=lines.mapper.mapping,
        examples=examples_of(lines.mapper, lines.first(_SHOWN)),
        unmapped=_values(lines.unmapped, lines.mapper),
        read=lines.read,
    )


def preview_newest(mapping: TaxonomyMapping) -> MappingPreview:
    """Look at the newest products of all merchants, for those who keep mappings; four queries."""
    taxonomy = Taxonomy.load()
    mapper = Mapper(mapping, taxonomy)
    products = list(Product.objects.order_by("-pk")[:BATCH])
    unmapped = Unmapped()
    examples = examples_of(mapper, products)
    for example in examples:
        if example.target is None:
            unmapped.meet(example.value.pk if example.value is not None else None, mapper)
    return MappingPreview(mapping, _telling(examples), _values(unmapped, mapper), len(products))


def _telling(examples: list[Example]) -> list[Example]:
    """Some of the examples, no two with the same value and counterpart."""
    seen: dict[object, Example] = {}
    for example in examples:
        seen.setdefault((example.value, example.target), example)
    return list(seen.values())[: 2 * _SHOWN]


def examples_of(mapper: Mapper, products: Iterable[Product]) -> list[Example]:
    """Return what the mapping makes of each product; one query."""
    products = list(products)
    own = mapper.mapping.attribute_id
    values = current_values([product.pk for product in products], mapper.attributes)
    found = []
    for product in products:
        ids = {attribute: pk for attribute, (pk, _state) in values.get(product.pk, {}).items()}
        found.append(Example(product, mapper.value_today(ids.get(own)), mapper.target(ids)))
    return found


def _values(unmapped: Unmapped, mapper: Mapper) -> list[tuple[AttributeValue | None, int]]:
    return [(mapper.value_today(pk), count) for pk, count in unmapped.products.most_common()]
