"""What people say of a product: which garment it is, and the value of each attribute."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.db import atomic
from accounts.errors import Conflict, Invalid
from catalog import current
from catalog.answered import answered_fields
from catalog.automatic import Standing
from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product
from catalog.selectors import Taxonomy
from catalog.services.writing import audit, locked_for, save, settle

LEAVE_OPEN = ""
NOT_APPLICABLE = "-"


def _attribute(taxonomy: Taxonomy, code: str) -> Attribute:
    attribute = taxonomy.attributes.get(code)
    if attribute is None:
        raise Invalid("unknown_attribute", _("There is no attribute “%(code)s”."), {"code": code})
    return attribute


def _leaf(taxonomy: Taxonomy, attribute: str, code: str) -> AttributeValue:
    value = taxonomy.resolve(attribute, code)
    if value is None:
        raise Invalid("unknown_value", _("There is no value “%(code)s”. Choose one of the list."), {"code": code})
    if value not in taxonomy.leaves(attribute):
        raise Invalid(
            "not_a_leaf",
            _("“%(name)s” is a group of categories. Choose one of the categories in it."),
            {"name": value.name},
        )
    return value


def _first_level(taxonomy: Taxonomy, code: str) -> AttributeValue:
    value = taxonomy.resolve(CATEGORY, code)
    if value is None or value.parent_id is not None:
        raise Invalid("unknown_row", _("There is no first-level category “%(code)s”."), {"code": code})
    return value


def add_decision(
    actor: Actor,
    product: Product,
    attribute: Attribute,
    kind: Decision.Kind,
    source: Decision.Source,
    taxonomy: Taxonomy,
    value: AttributeValue | None = None,
) -> Decision:
    """Add a decision to a locked product, with what it answers; nothing else changes."""
    return Decision.objects.create(
        product=product,
        attribute=attribute,
        kind=kind,
        value=value,
        source=source,
        user=actor.user,
        api_key=actor.api_key,
        via=actor.via,
        **answered_fields(product, attribute, taxonomy),
    )


def _withdraw(actor: Actor, product: Product, attribute: Attribute, taxonomy: Taxonomy) -> Decision:
    """Take a decision back. What is public must not change by what models say, so it is never opened."""
    if product.status == Product.Status.PUBLISHED:
        raise Conflict(
            "published",
            _("This product is published, so its values stay decided. Choose another value, or take the product back."),
        )
    return add_decision(actor, product, attribute, Decision.Kind.WITHDRAWN, Decision.Source.HUMAN, taxonomy)


def _withdraw_foreign_category(actor: Actor, product: Product, taxonomy: Taxonomy) -> None:
    """A category that was decided for another garment says nothing about the one that is chosen now."""
    level = current.decided_first_level(product, taxonomy)
    if level is not None and level != product.row:
        _withdraw(actor, product, taxonomy.attributes[CATEGORY], taxonomy)


def _follow_category(product: Product, value: AttributeValue) -> None:
    """The chosen row is the one that the decided category belongs to; a first level may be a category by itself."""
    product.row, product.row_source = value.parent or value, Product.RowSource.HUMAN


@atomic
def choose_row(*, actor: Actor, product: Product, first_level: str) -> Product:
    """Say which garment of the photographs is the product, by its first-level category's code.

    Raises:
        Invalid: `unknown_row`.
        Conflict: `published`, if another garment's category is public.
    """
    product = locked_for(actor, product)
    taxonomy = Taxonomy.load()
    product.row, product.row_source = _first_level(taxonomy, first_level), Product.RowSource.HUMAN
    _withdraw_foreign_category(actor, product, taxonomy)
    settle(product, current.refresh(product, taxonomy))
    save(product, "row", "row_source", "status")
    audit(actor, "product.choose_row", product, first_level=first_level)
    return product


@atomic
def decide(
    *,
    actor: Actor,
    product: Product,
    attribute: str,
    value: str,
    source: Decision.Source = Decision.Source.HUMAN,
) -> Decision:
    """Set an attribute to a value, both by code. A decided category also chooses its row.

    Raises:
        Invalid: `unknown_attribute`, `unknown_value`, `not_a_leaf`.
    """
    product = locked_for(actor, product)
    taxonomy = Taxonomy.load()
    row = _attribute(taxonomy, attribute)
    leaf = _leaf(taxonomy, attribute, value)
    if attribute == CATEGORY:
        _follow_category(product, leaf)
    decision = add_decision(actor, product, row, Decision.Kind.SET, source, taxonomy, leaf)
    settle(product, current.refresh(product, taxonomy))
    save(product, "row", "row_source", "status")
    audit(actor, "product.decide", product, attribute=attribute, value=leaf.code)
    return decision


@atomic
def decide_not_applicable(*, actor: Actor, product: Product, attribute: str) -> Decision:
    """Say that the product has no such attribute.

    Raises:
        Invalid: `unknown_attribute`, or `category_needed`: every product has a category.
    """
    product = locked_for(actor, product)
    taxonomy = Taxonomy.load()
    row = _attribute(taxonomy, attribute)
    if attribute == CATEGORY:
        raise Invalid("category_needed", _("Every product has a category. Choose one."))
    decision = add_decision(actor, product, row, Decision.Kind.NOT_APPLICABLE, Decision.Source.HUMAN, taxonomy)
    settle(product, current.refresh(product, taxonomy))
    save(product, "status")
    audit(actor, "product.not_applicable", product, attribute=attribute)
    return decision


@atomic
def withdraw(*, actor: Actor, product: Product, attribute: str) -> Decision:
    """Take a decision back, so that what the model proposes shows again, or what was accepted by itself.

    Where no person decided, it takes back what was accepted by itself: the value stays open until a person decides.

    Raises:
        Invalid: `unknown_attribute`.
        Conflict: `published`.
    """
    product = locked_for(actor, product)
    taxonomy = Taxonomy.load()
    row = _attribute(taxonomy, attribute)
    decision = _withdraw(actor, product, row, taxonomy)
    settle(product, current.refresh(product, taxonomy))
    save(product, "status")
    audit(actor, "product.withdraw", product, attribute=attribute)
    return decision


def _review_one(
    actor: Actor, product: Product, taxonomy: Taxonomy, code: str, wanted: str, human: Decision | None
) -> bool:
    """Turn one field of the review into a decision, unless a person decided just that. Says whether it wrote."""
    attribute = _attribute(taxonomy, code)
    if wanted == LEAVE_OPEN:
        if human is None:
            return False
        _withdraw(actor, product, attribute, taxonomy)
    elif wanted == NOT_APPLICABLE:
        if code == CATEGORY:
            raise Invalid("category_needed", _("Every product has a category. Choose one."))
        if human is not None and human.kind == Decision.Kind.NOT_APPLICABLE:
            return False
        add_decision(actor, product, attribute, Decision.Kind.NOT_APPLICABLE, Decision.Source.HUMAN, taxonomy)
    else:
        leaf = _leaf(taxonomy, code, wanted)
        if code == CATEGORY and product.row is not None and leaf.parent_id != product.row_id:
            _follow_category(product, leaf)
        if human is not None and human.value_id == leaf.pk:
            return False
        add_decision(actor, product, attribute, Decision.Kind.SET, Decision.Source.HUMAN, taxonomy, leaf)
    return True


@atomic
def save_review(
    *, actor: Actor, product: Product, first_level: str | None, values: dict[str, str], version: int | None = None
) -> Product:
    """Save what a person says of a product at once: which garment it is, and each attribute's value.

    Args:
        actor: who saves.
        product: the product as the person saw it.
        first_level: code of the chosen row; None leaves the row to the category.
        values: by attribute code a value's code, `LEAVE_OPEN` or `NOT_APPLICABLE`. The category decides the row
            where the two differ.
        version: the product's version that the person saw.

    Returns:
        The product, ready if its category is decided.

    Raises:
        Conflict: `stale` when somebody else changed the product since that version; nothing is saved.
        Invalid: an unknown code; nothing is saved.
    """
    product = locked_for(actor, product)
    if version is not None and version != product.version:
        raise Conflict(
            "stale", _("Somebody else changed this product in the meantime. Look at what it says now, then save again.")
        )
    taxonomy = Taxonomy.load()
    if first_level:
        product.row, product.row_source = _first_level(taxonomy, first_level), Product.RowSource.HUMAN
    standing = Standing.of(product).people
    # The category first: it decides the row, and with it which predictions the other decisions answer.
    for code in sorted(values, key=lambda code: code != CATEGORY):
        attribute = _attribute(taxonomy, code)
        if code == CATEGORY and values[code] not in {LEAVE_OPEN, NOT_APPLICABLE} and product.row is None:
            _follow_category(product, _leaf(taxonomy, code, values[code]))
        _review_one(actor, product, taxonomy, code, values[code], standing.get(attribute.pk))
    _withdraw_foreign_category(actor, product, taxonomy)
    settle(product, current.refresh(product, taxonomy))
    save(product, "row", "row_source", "status")
    audit(actor, "product.review", product, first_level=first_level, values=values)
    return product
