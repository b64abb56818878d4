"""What a person says of a whole product on its page: which garment it is, each value, and whether it goes public."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.actors import Actor
from catalog.models import CATEGORY, Attribute, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy
from catalog.services.decisions import (
    category_needed,
    check_applies,
    find_attribute,
    find_leaf,
    find_top_category,
    follow_category,
    open_up,
    top_categories,
    withdraw_foreign_category,
)
from catalog.services.products import rename, save_renamed
from catalog.services.status import category_open, make_public
from catalog.services.writing import apply_decisions, audit, changes, check_version, locked_for, status_and_garment
from catalog.values.deciding import EffectiveDecisions, record_decision
from catalog.values.recompute import is_proposed, recompute_values
from core.db import atomic
from core.errors import Refused

# What may be said of an attribute in place of a value's code.
LEAVE_OPEN = ""
NOT_APPLICABLE = "-"
TAKE_BACK = "~"

NO_GARMENT = ""  # in place of a top-level category's code: none of the garments found is the product


def _choose_garment(actor: Actor, product: Product, top_category: str, taxonomy: Taxonomy) -> None:
    before, said_already = status_and_garment(product), product.is_none_of_the_garments
    product.top_category = find_top_category(taxonomy, top_category) if top_category != NO_GARMENT else None
    product.top_category_source = Product.TopCategorySource.HUMAN
    if top_category == NO_GARMENT and not said_already:
        audit(actor, "product.choose_none", product, **changes(before, product))


def is_decided(decision: Decision | None, attribute: Attribute, code: str, taxonomy: Taxonomy) -> bool:
    """Whether that is the decision already, by its own name or by what it was merged into."""
    if decision is None or decision.value_id is None:
        return False
    stored = taxonomy.stored(attribute.code, decision.value_id)
    today = taxonomy.today(attribute.code, code)
    return code == stored.code or (today is not None and today == taxonomy.today(attribute.code, stored.code))


def _answer(
    actor: Actor, product: Product, attribute: Attribute, said: str, effective: EffectiveDecisions, taxonomy: Taxonomy
) -> None:
    """Turn what was said of one attribute into a decision, unless a person decided just that."""
    before = effective.people.get(attribute.pk)
    kind = before.kind if before is not None else None
    if said == TAKE_BACK:
        if kind in {Decision.Kind.SET, Decision.Kind.NOT_APPLICABLE}:
            open_up(actor, product, attribute, Decision.Kind.WITHDRAWN, taxonomy)
    elif said == LEAVE_OPEN:
        something = attribute.pk in effective.by_attribute or is_proposed(product, attribute, taxonomy)
        if something and kind != Decision.Kind.OPEN:
            open_up(actor, product, attribute, Decision.Kind.OPEN, taxonomy)
    elif said == NOT_APPLICABLE:
        if attribute.code == CATEGORY:
            raise category_needed()
        if kind != Decision.Kind.NOT_APPLICABLE:
            record_decision(actor, product, attribute, Decision.Kind.NOT_APPLICABLE, taxonomy)
    elif before is not None and is_decided(before, attribute, said, taxonomy):
        if attribute.code == CATEGORY and before.value_id is not None:
            value = taxonomy.stored(CATEGORY, before.value_id)
            if product.top_category not in top_categories(taxonomy, value):
                follow_category(product, value, taxonomy)
    else:
        leaf = find_leaf(taxonomy, attribute.code, said)
        if attribute.code == CATEGORY:
            follow_category(product, leaf, taxonomy)
        check_applies(taxonomy, attribute, product)
        record_decision(actor, product, attribute, Decision.Kind.SET, taxonomy, leaf)


def _answer_all(actor: Actor, product: Product, values: Mapping[str, str], taxonomy: Taxonomy) -> None:
    effective = EffectiveDecisions.of(product)
    # The category first: it decides which garment the product is, and so which predictions the other decisions answer.
    for code in sorted(values, key=lambda code: code != CATEGORY):
        try:
            _answer(actor, product, find_attribute(taxonomy, code), values[code], effective, taxonomy)
        except Refused as refused:
            refused.attribute = code
            raise


@atomic
def save_review(
    *,
    actor: Actor,
    product: Product,
    top_category: str | None,
    values: Mapping[str, str],
    name: str | None = None,
    sku: str | None = None,
    version: int | None = None,
    publish: bool = False,
    while_classifying: bool = False,
    taxonomy: Taxonomy | None = None,
) -> Product:
    """Save what a person says of a product at once: which garment it is, each attribute's value, whether it is public.

    Args:
        actor: who saves.
        product: the product as the person saw it.
        top_category: code of the chosen one, or `NO_GARMENT`; None leaves it to the category.
        values: by attribute code a value's code, `LEAVE_OPEN`, `NOT_APPLICABLE` or `TAKE_BACK`; what is not named stays
            as it is. The category counts where the two differ.
        name: another name; None leaves it.
        sku: another SKU, "" for none; None leaves it.
        version: the product's version that the person saw.
        publish: publish it, too. Nothing is decided beyond `values`: what is only proposed is open in public.
        while_classifying: publish it though images wait; what is found in them no longer counts.
        taxonomy: the taxonomy, if the caller has read it already.

    Returns:
        The product, ready if its category is decided and no image waits.

    Raises:
        Conflict: `stale` when the product was changed since that version, `archived`, `published` when it
            would open a public value, `category_open` when it would publish without a decided category,
            `still_classifying` when it would while images wait, `sku_taken`.
        Invalid: an unknown code, a value of an attribute that such garments do not have, or a name or SKU that cannot
            be. Nothing is saved in any of these cases.
    """
    product = locked_for(actor, product)
    check_version(product, version)
    taxonomy = taxonomy or Taxonomy.load()
    before = status_and_garment(product)
    renaming = rename(product, name, sku)
    if top_category is not None:
        _choose_garment(actor, product, top_category, taxonomy)
    _answer_all(actor, product, values, taxonomy)
    if status_and_garment(product)["top_category"] != before["top_category"]:
        withdraw_foreign_category(actor, product, taxonomy)
    found = apply_decisions(product, taxonomy)
    reviewed = changes(before | {"status": product.status}, product)
    publish = publish and product.status != Product.Status.PUBLISHED
    if publish:
        if found[CATEGORY].state != ProductAttribute.State.DECIDED:
            raise category_open()
        make_public(product, while_classifying=while_classifying)
        recompute_values(product, taxonomy)
    # The name last: another one hints at another garment, and the decisions answer what the person saw.
    save_renamed(actor, product, renaming, "top_category", "top_category_source", "status", "published_at")
    audit(actor, "product.review", product, top_category=top_category, values=dict(values), **reviewed)
    if publish:
        audit(actor, "product.publish", product, **changes(before | reviewed.get("after", {}), product))
    return product
