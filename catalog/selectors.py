"""Reads that need more than a queryset method."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.apps import apps
from django.db.models import F, Prefetch, Q, QuerySet

from accounts.actors import Actor
from accounts.channels import Channel
from catalog.known import known_of
from catalog.models import (
    CATEGORY,
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
    """The active attributes with their values, read once for a piece of work (two queries, three with `applies_to`)."""

    attributes: dict[str, Attribute]
    values: dict[str, dict[str, AttributeValue]]

    @classmethod
    def load(cls) -> Taxonomy:
        """Read the active attributes with all of their values, merged and inactive ones too; two queries."""
        own = Prefetch("values", AttributeValue.objects.order_by("position", "id"))
        attributes = list(Attribute.objects.filter(active=True).prefetch_related(own))
        values = {attribute.code: {value.code: value for value in attribute.values.all()} for attribute in attributes}
        # Joined, each row would make objects of its parent and of what it was merged into once more.
        by_id = {value.pk: value for of_attribute in values.values() for value in of_attribute.values()}
        for value in by_id.values():
            if value.parent_id in by_id:
                value.parent = by_id[value.parent_id]
            if value.merged_into_id in by_id:
                value.merged_into = by_id[value.merged_into_id]
        return cls({attribute.code: attribute for attribute in attributes}, values)

    @cached_property
    def applies_to(self) -> dict[str, frozenset[int]]:
        """Ids of the top-level categories that have each attribute, none meaning all; read when it is first asked."""
        levels: dict[int, set[int]] = {attribute.pk: set() for attribute in self.attributes.values()}
        for pk, level in Attribute.applies_to.through.objects.values_list("attribute_id", "attributevalue_id"):
            if pk in levels:
                levels[pk].add(level)
        return {code: frozenset(levels[attribute.pk]) for code, attribute in self.attributes.items()}

    def today(self, attribute: str, code: str) -> AttributeValue | None:
        """Return the value that a code stands for today, switched off or not; None for an unknown one.

        Merges are followed to their end. Values that were merged in a circle stand for nothing.
        """
        known = self.values.get(attribute, {})
        value, passed = known.get(code), set()
        while value is not None and value.merged_into is not None:
            if value.pk in passed:
                return None
            passed.add(value.pk)
            value = known.get(value.merged_into.code)
        return value

    def resolve(self, attribute: str, code: str) -> AttributeValue | None:
        """Return the value that a code stands for today, unless that is switched off."""
        value = self.today(attribute, code)
        return value if value is not None and value.active else None

    def stored(self, attribute: str, pk: int) -> AttributeValue:
        """Return the value of that id, as it was stored: merged, switched off or neither."""
        return next(value for value in self.values[attribute].values() if value.pk == pk)

    def applies(self, attribute: str, top_category: AttributeValue | None) -> bool:
        """Whether garments of that top-level category have the attribute; yes as long as the level is unknown."""
        levels = self.applies_to[attribute]
        return not levels or top_category is None or top_category.pk in levels

    def leaves(self, attribute: str) -> list[AttributeValue]:
        """Values that people can choose, in the taxonomy's order; top-level categories are not among them."""
        parents = {value.parent_id for value in self.values[attribute].values()}
        return [
            value
            for value in self.values[attribute].values()
            if value.active and value.merged_into_id is None and value.pk not in parents
        ]

    @cached_property
    def top_categories(self) -> dict[int, AttributeValue]:
        """The top-level category of each category that can be chosen, by the category's id.

        A top-level category without values below it is itself a category.
        """
        return {category.pk: category.parent or category for category in self.leaves(CATEGORY)}


def todays_values() -> dict[int, int]:
    """The value that each value stands for today, by id: itself, or what it was merged into in the end."""
    merged = dict(AttributeValue.objects.values_list("pk", "merged_into_id"))
    return {pk: _end(pk, merged) for pk in merged}


def _end(pk: int, merged: Mapping[int, int | None]) -> int:
    """Follow merges to their end; values that were merged in a circle stay what they are."""
    passed, at = {pk}, pk
    while (further := merged[at]) is not None:
        if further in passed:
            return pk
        passed.add(further)
        at = further
    return at


def values_called(attribute: str, code: str) -> list[int]:
    """Ids of all values that are today what the code stands for, or a leaf of that top-level category.

    Products keep the value that was decided, so who looks for what it was merged into must find them too.
    """
    return called(AttributeValue.objects.filter(attribute__code=attribute), code)


def called(of_attribute: Iterable[AttributeValue], code: str) -> list[int]:
    """The same among the values of an attribute that were read already, all of them."""
    values = {value.pk: value for value in of_attribute}
    merged = {pk: value.merged_into_id for pk, value in values.items()}
    today = {pk: _end(pk, merged) for pk in values}
    meant = {today[pk] for pk, value in values.items() if value.code == code}
    return [pk for pk in values if today[pk] in meant or values[today[pk]].parent_id in meant]


def by_person(decision: str = "") -> Q:
    """That a person answered by a decision; `decision` is the lookup that leads to it, if any.

    Keys and commands decide as people do, but nobody has looked. Neither does it answer anything to publish a product
    as it stands. A person who was erased is known by the channel, which only people use.
    """
    by_channel = Q(**{f"{decision}user__isnull": False}) | Q(
        **{f"{decision}channel__in": (Channel.PORTAL, Channel.ADMIN)}
    )
    made = Q(**{f"{decision}source": Decision.Source.HUMAN, f"{decision}api_key": None})
    return by_channel & made & ~Q(**{f"{decision}answers": Decision.Answers.PUBLISHED})


def decided_by_people() -> QuerySet[ProductAttribute]:
    """Current values that people stand for: a person who kept what was auto-accepted hardly looked."""
    return ProductAttribute.objects.filter(
        by_person("decision__"),
        state__in=(ProductAttribute.State.DECIDED, ProductAttribute.State.NOT_APPLICABLE),
    ).exclude(decision__answers=Decision.Answers.ACCEPTED, decision__value=F("decision__proposed_value"))


def shown_values() -> QuerySet[ProductAttribute]:
    """Return current values with all that is shown of them."""
    return ProductAttribute.objects.select_related(
        "attribute",
        "value__parent",
        "value__merged_into",
        "decision__user",
        "decision__api_key",
        "decision__proposed_by",
    )


def _current_values() -> Prefetch[str]:
    return Prefetch("attributes", shown_values().order_by("attribute__position", "attribute_id"))


def current_value(product: Product, code: str) -> ProductAttribute:
    """Return a product's current value of one attribute, with all that is shown of it (one query).

    Raises:
        ProductAttribute.DoesNotExist: nothing is known of it.
    """
    return shown_values().get(product=product, attribute__code=code)


def products_for_values(actor: Actor) -> QuerySet[Product]:
    """Products that the actor may see, with their current values alone."""
    return Product.objects.visible_to(actor).select_related("top_category").prefetch_related(_current_values())


def products_for_list(actor: Actor) -> QuerySet[Product]:
    """Products that the actor may see, newest first, with what a list shows: images, values, which garment each is."""
    return (
        Product.objects.visible_to(actor)
        .select_related("merchant", "top_category")
        .prefetch_related(
            _current_values(), Prefetch("images", ProductImage.objects.current(), to_attr="current_images")
        )
    )


def images_wait(product: Product) -> bool:
    """Whether images of the product are still to be looked at, so that its proposal speaks for some only (a query)."""
    if (known := known_of(product)) is not None:
        return known.images_wait
    return (
        product.images.current()
        .filter(classifications__purpose="live", classifications__open_key__isnull=False)
        .exists()
    )


def shown_garments() -> Prefetch[str]:
    """What images show, as `image.shown_garments`: found by models or drawn by people, with what is said of each.

    Two queries. The classifier's models are named by text, as the foreign keys to them are.
    """
    garments = apps.get_model("classifier", "Garment").objects.shown()
    predictions = apps.get_model("classifier", "Prediction").objects.counting()
    said = predictions.select_related("attribute", "value__parent", "model_version")
    return Prefetch("garments", garments.prefetch_related(Prefetch("predictions", said)), to_attr="shown_garments")


def images_for_page() -> ProductImageQuerySet:
    """Images that are not archived, with what was found in each. Who may see them is the caller's to say."""
    return (
        ProductImage.objects.current()
        .select_related("current_classification__model_set", "uploaded_by")
        .prefetch_related(shown_garments())
    )


def product_for_page(actor: Actor, public_id: str) -> Product:
    """One product with everything its page shows.

    Raises:
        Product.DoesNotExist: there is none, or the actor may not know of it.
    """
    return (
        Product.objects.visible_to(actor)
        .select_related("merchant", "top_category", "created_by")
        .prefetch_related(
            _current_values(),
            Prefetch("images", images_for_page(), to_attr="current_images"),
            Prefetch(
                "decisions",
                Decision.objects.select_related("attribute", "value", "user", "api_key", "impersonator").order_by(
                    "-id"
                ),
            ),
        )
        .get(public_id=public_id)
    )


def products_for_review(actor: Actor) -> QuerySet[Product]:
    """Products that the actor may see, with what the review shows: images, what was found in each, current values."""
    return (
        Product.objects.visible_to(actor)
        .select_related("merchant", "top_category")
        .prefetch_related(_current_values(), Prefetch("images", images_for_page(), to_attr="current_images"))
    )


_MOST_SAME_IMAGES = 500
_MOST_PRODUCTS = 5


@dataclass(frozen=True)
class SameImages:
    """A product, and the checksums of the images that it has in common with what was looked at."""

    product: Product
    checksums: frozenset[str]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.checksums)


def same_images_elsewhere(product: Product, images: Iterable[ProductImage]) -> list[SameImages]:
    """Other products of the merchant that have the same images, those with most in common first; two queries.

    A size chart may be in thousands of products: of a few hundred of them the first five are named.
    """
    return products_with_images(product.merchant_id, {image.sha256 for image in images}, but=product.pk)


def products_with_images(merchant_id: int, checksums: Collection[str], but: int | None = None) -> list[SameImages]:
    """The same for images that may belong to no product yet; `but` is the id of a product that is left out."""
    if not checksums:
        return []
    same = (
        ProductImage.objects.filter(sha256__in=checksums, archived_at=None, product__merchant=merchant_id)
        .exclude(product=but)
        .exclude(product__status=Product.Status.ARCHIVED)
        .order_by()
        .values_list("product", "sha256")[:_MOST_SAME_IMAGES]
    )
    found: dict[int, set[str]] = {}
    for pk, checksum in same:
        found.setdefault(pk, set()).add(checksum)
    first = sorted(found, key=lambda pk: (-len(found[pk]), -pk))[:_MOST_PRODUCTS]
    products = Product.objects.in_bulk(first) if first else {}
    return [SameImages(products[pk], frozenset(found[pk])) for pk in first if pk in products]


def values_of(product: Product) -> dict[str, ProductAttribute]:
    """Return the product's current values by attribute code, from the rows that the selectors above prefetched."""
    return {current.attribute.code: current for current in product.attributes.all()}
