"""What people say of a product: which garment it is, and the value of each attribute."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy, images_wait
from catalog.services.writing import apply_decisions, audit, changes, locked_for, save, status_and_garment
from catalog.telling import tell_of_action
from catalog.values.deciding import EffectiveDecisions, record_decision
from catalog.values.recompute import recompute_values
from core.db import atomic
from core.errors import Conflict, Invalid

_SHOWN = 40  # characters of an unknown code that a sentence repeats


def find_attribute(taxonomy: Taxonomy, code: str) -> Attribute:
    """Return the active attribute of that code. Raises Invalid `unknown_attribute`."""
    attribute = taxonomy.attributes.get(code)
    if attribute is None:
        raise Invalid("unknown_attribute", _("There is no attribute “%(code)s”."), {"code": code[:_SHOWN]})
    return attribute


def find_leaf(taxonomy: Taxonomy, attribute: str, code: str) -> AttributeValue:
    """Return the value to decide that a code stands for today. Raises Invalid `unknown_value`, `not_a_leaf`."""
    value = taxonomy.resolve(attribute, code)
    if value is None:
        raise Invalid(
            "unknown_value", _("There is no value “%(code)s”. Choose one of the list."), {"code": code[:_SHOWN]}
        )
    if value not in taxonomy.leaves(attribute):
        raise Invalid(
            "not_a_leaf",
            _("“%(name)s” is a group of categories. Choose one of the categories in it."),
            {"name": value.name},
        )
    return value


def find_top_category(taxonomy: Taxonomy, code: str) -> AttributeValue:
    """Return the top-level category of that code. Raises Invalid `unknown_top_category`."""
    value = taxonomy.resolve(CATEGORY, code)
    if value is None or value.parent_id is not None:
        raise Invalid("unknown_top_category", _("There is no top-level category “%(code)s”."), {"code": code[:_SHOWN]})
    return value


def check_applies(taxonomy: Taxonomy, attribute: Attribute, product: Product) -> None:
    """Raise Invalid `does_not_apply` if garments of the product's top-level category have no such attribute."""
    if product.top_category is not None and not taxonomy.applies(attribute.code, product.top_category):
        raise Invalid(
            "does_not_apply",
            _("There is no “%(attribute)s” for “%(top_category)s”. If the category is wrong, change it first."),
            {"top_category": product.top_category.name, "attribute": attribute.name},
        )


def values_stay() -> Conflict:
    """Return the refusal to open a value that is public."""
    return Conflict(
        "published",
        _("This product is published, so its values stay decided. Choose another value, or unpublish the product."),
    )


def open_up(actor: Actor, product: Product, attribute: Attribute, kind: Decision.Kind, taxonomy: Taxonomy) -> Decision:
    """Take a decision back, or say that the value stays open; what is public is never opened.

    Raises:
        Conflict: `published`.
    """
    if product.status == Product.Status.PUBLISHED:
        raise values_stay()
    return record_decision(actor, product, attribute, kind, taxonomy)


def top_categories(taxonomy: Taxonomy, value: AttributeValue) -> list[AttributeValue]:
    """Top-level categories that a decided category belongs to: today's, and its own if it was merged into another.

    A top-level category without values below it is itself a category that can be chosen.
    """
    today = taxonomy.today(CATEGORY, value.code)
    return [category.parent or category for category in (today, value) if category is not None]


def withdraw_foreign_category(actor: Actor, product: Product, taxonomy: Taxonomy) -> None:
    """A category that was decided for another garment says nothing about the one that is chosen now."""
    attribute = taxonomy.attributes[CATEGORY]
    decision = EffectiveDecisions.of(product).people.get(attribute.pk)
    if decision is None or decision.value_id is None:
        return
    if product.top_category not in top_categories(taxonomy, taxonomy.stored(CATEGORY, decision.value_id)):
        open_up(actor, product, attribute, Decision.Kind.WITHDRAWN, taxonomy)


def follow_category(product: Product, value: AttributeValue, taxonomy: Taxonomy) -> None:
    """Choose the top-level category that the decided category belongs to."""
    product.top_category = top_categories(taxonomy, value)[0]
    product.top_category_source = Product.TopCategorySource.HUMAN


def category_needed() -> Invalid:
    """Return the refusal to declare the category not applicable."""
    return Invalid("category_needed", _("Every product has a category. Choose one."))


@atomic
def choose_top_category(*, actor: Actor, product: Product, top_category: str | None) -> Product:
    """Say which garment of the images is the product, by its top-level category's code; None: none of them.

    Raises:
        Invalid: `unknown_top_category`.
        Conflict: `published`, if another garment's category is public.
    """
    product = locked_for(actor, product)
    before = status_and_garment(product)
    taxonomy = Taxonomy.load()
    product.top_category = find_top_category(taxonomy, top_category) if top_category is not None else None
    product.top_category_source = Product.TopCategorySource.HUMAN
    withdraw_foreign_category(actor, product, taxonomy)
    apply_decisions(product, taxonomy)
    save(product, "top_category", "top_category_source", "status")
    if top_category is None:
        audit(actor, "product.choose_none", product, **changes(before, product))
        tell_of_action(actor, "product.choose_top_category", product)  # in a review, that line is one of several
    else:
        audit(actor, "product.choose_top_category", product, top_category=top_category, **changes(before, product))
    return product


@atomic
def decide(
    *,
    actor: Actor,
    product: Product,
    attribute: str,
    value: str,
    source: Decision.Source = Decision.Source.HUMAN,
    taxonomy: Taxonomy | None = None,
    reason: str = "",
) -> Decision:
    """Set an attribute to a value, both by code. A decided category also chooses its top-level category.

    Who has read the taxonomy already hands it over.

    Raises:
        Invalid: `unknown_attribute`, `unknown_value`, `not_a_leaf`, `does_not_apply`.
    """
    product = locked_for(actor, product)
    taxonomy = taxonomy or Taxonomy.load()
    found = find_attribute(taxonomy, attribute)
    leaf = find_leaf(taxonomy, attribute, value)
    before = status_and_garment(product)
    if attribute == CATEGORY:
        follow_category(product, leaf, taxonomy)
    check_applies(taxonomy, found, product)
    decision = record_decision(actor, product, found, Decision.Kind.SET, taxonomy, leaf, source=source, reason=reason)
    apply_decisions(product, taxonomy)
    save(product, "top_category", "top_category_source", "status")
    audit(actor, "product.decide", product, attribute=attribute, value=leaf.code, **changes(before, product))
    return decision


@atomic
def decide_not_applicable(
    *,
    actor: Actor,
    product: Product,
    attribute: str,
    source: Decision.Source = Decision.Source.HUMAN,
    taxonomy: Taxonomy | None = None,
    reason: str = "",
) -> Decision:
    """Say that the product has no such attribute. Who has read the taxonomy already hands it over.

    Raises:
        Invalid: `unknown_attribute`, or `category_needed`: every product has a category.
    """
    product = locked_for(actor, product)
    taxonomy = taxonomy or Taxonomy.load()
    found = find_attribute(taxonomy, attribute)
    if attribute == CATEGORY:
        raise category_needed()
    decision = record_decision(
        actor, product, found, Decision.Kind.NOT_APPLICABLE, taxonomy, source=source, reason=reason
    )
    apply_decisions(product, taxonomy)
    save(product, "status")
    audit(actor, "product.not_applicable", product, attribute=attribute)
    return decision


@atomic
def withdraw(*, actor: Actor, product: Product, attribute: str) -> Decision:
    """Take a decision back, so that what the model proposes shows again, or what was auto-accepted.

    Where no person decided, the value stays open until one does, whatever is proposed or was auto-accepted.

    Returns:
        The decision that says so; the earlier one where the value was left open already.

    Raises:
        Invalid: `unknown_attribute`.
        Conflict: `published`.
    """
    product = locked_for(actor, product)
    taxonomy = Taxonomy.load()
    found = find_attribute(taxonomy, attribute)
    before = EffectiveDecisions.of(product).people.get(found.pk)
    if before is not None and before.kind == Decision.Kind.OPEN:
        return before
    kind = Decision.Kind.WITHDRAWN if before is not None else Decision.Kind.OPEN
    decision = open_up(actor, product, found, kind, taxonomy)
    apply_decisions(product, taxonomy)
    save(product, "status")
    audit(actor, "product.withdraw", product, attribute=attribute)
    return decision


@atomic
def accept(*, actor: Actor, product: Product, taxonomy: Taxonomy | None = None) -> Product:
    """Decide each value that is proposed as it is shown. Idempotent.

    Meant for many products at once: nobody looks at each value, and the decisions say so. Who has read the taxonomy
    already hands it over.

    Raises:
        Conflict: `still_classifying` while images wait, `category_open` where no category is proposed.
    """
    product = locked_for(actor, product)
    taxonomy = taxonomy or Taxonomy.load()
    if images_wait(product):
        raise Conflict("still_classifying", _("Photos of this product are still being looked at. Wait for them."))
    values = recompute_values(product, taxonomy)
    if values[CATEGORY].value_id is None:
        raise Conflict("category_open", _("The category is still open. Choose one first."))
    before = status_and_garment(product)
    proposed = {
        code: row.value_id
        for code, row in values.items()
        if row.state == ProductAttribute.State.PROPOSED and row.value_id is not None
    }
    if not proposed:
        return product
    for code, value_id in sorted(proposed.items(), key=lambda item: item[0] != CATEGORY):
        leaf = taxonomy.stored(code, value_id)
        if code == CATEGORY:
            follow_category(product, leaf, taxonomy)
        record_decision(actor, product, taxonomy.attributes[code], Decision.Kind.SET, taxonomy, leaf, as_it_stood=True)
    apply_decisions(product, taxonomy)
    save(product, "top_category", "top_category_source", "status")
    audit(actor, "product.accept", product, values=sorted(proposed), **changes(before, product))
    return product
