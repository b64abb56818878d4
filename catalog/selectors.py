"""Reads that need more than a queryset method."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from accounts.actors import Actor, Via
from catalog.models import (
    Attribute,
    AttributeValue,
    Decision,
    Product,
    ProductAttribute,
    ProductImage,
    ProductImageQuerySet,
)


@dataclass(frozen=True)
class Taxonomy:
    """The active attributes with their values, read once for a piece of work (three queries)."""

    attributes: dict[str, Attribute]
    values: dict[str, dict[str, AttributeValue]]
    applies_to: dict[str, frozenset[int]]

    @classmethod
    def load(cls) -> Taxonomy:
        """Read the taxonomy."""
        attributes = list(
            Attribute.objects.filter(active=True).prefetch_related(
                "applies_to", Prefetch("values", AttributeValue.objects.select_related("parent", "merged_into__parent"))
            )
        )
        return cls(
            attributes={attribute.code: attribute for attribute in attributes},
            values={
                attribute.code: {value.code: value for value in attribute.values.all()} for attribute in attributes
            },
            applies_to={
                attribute.code: frozenset(level.pk for level in attribute.applies_to.all()) for attribute in attributes
            },
        )

    def resolve(self, attribute: str, code: str) -> AttributeValue | None:
        """Return the value that a code stands for today: follows merges, ignores what is switched off or unknown."""
        value = self.values.get(attribute, {}).get(code)
        if value is not None and value.merged_into is not None:
            value = value.merged_into
        return value if value is not None and value.active else None

    def applies(self, attribute: str, first_level: AttributeValue | None) -> bool:
        """Whether garments of that first level have the attribute; yes as long as the level is unknown."""
        levels = self.applies_to[attribute]
        return not levels or first_level is None or first_level.pk in levels

    def leaves(self, attribute: str) -> list[AttributeValue]:
        """Values that people can choose, in the taxonomy's order: a category's first levels are not among them."""
        parents = {value.parent_id for value in self.values[attribute].values()}
        return [
            value
            for value in self.values[attribute].values()
            if value.active and value.merged_into_id is None and value.pk not in parents
        ]


def by_person(decision: str = "") -> Q:
    """That a person made a decision, not a key or a command; `decision` is the lookup that leads to it, if any.

    A person who was erased is known by the door, which only people use.
    """
    door = Q(**{f"{decision}user__isnull": False}) | Q(**{f"{decision}via__in": (Via.PORTAL, Via.ADMIN)})
    return door & Q(**{f"{decision}source": Decision.Source.HUMAN, f"{decision}api_key": None})


def _current_values() -> Prefetch[str]:
    return Prefetch(
        "attributes",
        ProductAttribute.objects.select_related(
            "attribute", "value__parent", "decision__user", "decision__api_key"
        ).order_by("attribute__position", "attribute_id"),
    )


def products_for_list(actor: Actor) -> QuerySet[Product]:
    """Products that the actor may see, newest first, with what a list shows: photographs, values, the chosen row."""
    return (
        Product.objects.visible_to(actor)
        .select_related("merchant", "row")
        .prefetch_related(_current_values(), Prefetch("images", ProductImage.objects.current(), to_attr="photographs"))
    )


def photographs_for_page() -> ProductImageQuerySet:
    """Photographs that are not archived, with what was found in each. Who may see them is the caller's to say."""
    return (
        ProductImage.objects.current()
        .select_related("current_classification__model_set", "uploaded_by")
        .prefetch_related(
            "current_classification__garments__predictions__attribute",
            "current_classification__garments__predictions__value__parent",
            "current_classification__garments__predictions__model_version",
        )
    )


def product_for_page(actor: Actor, public_id: str) -> Product:
    """One product with everything its page shows.

    Raises:
        Product.DoesNotExist: there is none, or the actor may not know of it.
    """
    return (
        Product.objects.visible_to(actor)
        .select_related("merchant", "row", "created_by")
        .prefetch_related(
            _current_values(),
            Prefetch("images", photographs_for_page(), to_attr="photographs"),
            Prefetch(
                "decisions",
                Decision.objects.select_related("attribute", "value", "user", "api_key").order_by("-id"),
            ),
        )
        .get(public_id=public_id)
    )


def values_of(product: Product) -> dict[str, ProductAttribute]:
    """Return the product's current values by attribute code, from the rows that the selectors above prefetched."""
    return {current.attribute.code: current for current in product.attributes.all()}
