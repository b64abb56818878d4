"""What changes products: one function an operation, the only writers beside catalog.intake.

Each locks the product first, then reads everything anew, and leaves one line in the audit trail.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.db import atomic
from accounts.errors import Conflict, Invalid
from accounts.models import Merchant
from accounts.services import record
from accounts.text import has_control_characters, lookup_key
from catalog import current
from catalog.models import (
    CATEGORY,
    Attribute,
    AttributeValue,
    Decision,
    Product,
    ProductAttribute,
    ProductImage,
)
from catalog.selectors import Taxonomy

SKU_LENGTH = 64
NAME_LENGTH = 200
LEAVE_OPEN = ""
NOT_APPLICABLE = "-"


def lock_product(pk: int) -> Product:
    """Lock the product's row and read it anew. Every writer does this first; children in the other order deadlock."""
    return Product.objects.select_for_update().get(pk=pk)


def _locked(actor: Actor, product: Product) -> Product:
    actor.require_edit(product.merchant_id)
    return lock_product(product.pk)


def _audit(actor: Actor, action: str, product: Product, **details: Any) -> None:
    record(
        actor=actor,
        action=action,
        subject_type="product",
        subject_id=product.public_id,
        merchant_id=product.merchant_id,
        **details,
    )


def _save(product: Product, *fields: str) -> None:
    product.version += 1
    product.save(update_fields=[*fields, "version", "updated_at"])


def clean_sku(sku: str | None) -> str | None:
    """Return the SKU trimmed, or None for an empty one.

    Raises:
        Invalid: `sku_too_long`, `sku_control_characters`.
    """
    text = (sku or "").strip()
    if has_control_characters(text):
        raise Invalid("sku_control_characters", _("The SKU holds characters that cannot be seen. Type it anew."))
    if len(text) > SKU_LENGTH:
        raise Invalid(
            "sku_too_long",
            _("The SKU has %(length)d characters; at most %(limit)d are possible. Shorten it."),
            {"length": len(text), "limit": SKU_LENGTH},
        )
    return text or None


def clean_name(name: str) -> str:
    """Return the name trimmed.

    Raises:
        Invalid: `name_too_long`, `name_control_characters`.
    """
    text = name.strip()
    if has_control_characters(text):
        raise Invalid("name_control_characters", _("The name holds characters that cannot be seen. Type it anew."))
    if len(text) > NAME_LENGTH:
        raise Invalid(
            "name_too_long",
            _("The name has %(length)d characters; at most %(limit)d are possible. Shorten it."),
            {"length": len(text), "limit": NAME_LENGTH},
        )
    return text


def _sku_taken() -> Conflict:
    return Conflict("sku_taken", _("Another product of this shop has this SKU already. Give another one."))


def _check_sku_free(merchant_id: int, sku: str | None, but: int | None = None) -> None:
    if sku is None:
        return
    same = Product.objects.filter(merchant_id=merchant_id, sku_key=lookup_key(sku))
    if (same if but is None else same.exclude(pk=but)).exists():
        raise _sku_taken()


@atomic
def create_product(*, actor: Actor, merchant: Merchant, name: str = "", sku: str | None = None) -> Product:
    """Create a draft.

    Raises:
        Invalid: the name or SKU is too long or holds control characters.
        Conflict: `sku_taken`, in whatever spelling.
        Forbidden: the actor may only look.
    """
    actor.require_edit(merchant.pk)
    name, sku = clean_name(name), clean_sku(sku)
    _check_sku_free(merchant.pk, sku)
    try:
        with transaction.atomic():
            product = Product.objects.create(merchant=merchant, name=name, sku=sku, created_by=actor.user)
    except IntegrityError as error:  # somebody took the SKU between the check and now
        raise _sku_taken() from error
    _audit(actor, "product.create", product, sku=sku, name=name)
    return product


@atomic
def discard_draft(*, actor: Actor, product: Product) -> None:
    """Remove a product that never got a photograph, as if it had not been created."""
    product = _locked(actor, product)
    if not product.images.exists():
        _audit(actor, "product.discard", product, sku=product.sku, name=product.name)
        product.delete()


@atomic
def update_product(*, actor: Actor, product: Product, name: str | None = None, sku: str | None = None) -> Product:
    """Change the name or the SKU; None leaves it, an empty SKU removes it. Raises as `create_product` does."""
    product = _locked(actor, product)
    before = {"name": product.name, "sku": product.sku}
    if name is not None:
        product.name = clean_name(name)
    if sku is not None:
        product.sku = clean_sku(sku)
        _check_sku_free(product.merchant_id, product.sku, but=product.pk)
    after = {"name": product.name, "sku": product.sku}
    if after == before:
        return product
    try:
        with transaction.atomic():
            _save(product, "name", "sku", "sku_key")
    except IntegrityError as error:
        raise _sku_taken() from error
    _audit(actor, "product.update", product, before=before, after=after)
    return product


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


def _answered_prediction(product: Product, attribute: Attribute) -> int | None:
    """Which prediction of the chosen row a decision answers; None if there is none, or it was deleted meanwhile."""
    row = current.proposal_row(product, product.row.code) if product.row else None
    said = row["attributes"].get(attribute.code) if row else None
    predictions = apps.get_model("classifier", "Prediction")._default_manager
    return said["prediction"] if said and predictions.filter(pk=said["prediction"]).exists() else None


def _decide(
    actor: Actor,
    product: Product,
    attribute: Attribute,
    kind: Decision.Kind,
    source: Decision.Source,
    value: AttributeValue | None = None,
) -> Decision:
    return Decision.objects.create(
        product=product,
        attribute=attribute,
        kind=kind,
        value=value,
        source=source,
        user=actor.user,
        api_key=actor.api_key,
        via=actor.via,
        prediction_id=_answered_prediction(product, attribute),
    )


def _withdraw(actor: Actor, product: Product, attribute: Attribute) -> Decision:
    """Take a decision back. What is public must not change by what models say, so it is never opened."""
    if product.status == Product.Status.PUBLISHED:
        raise Conflict(
            "published",
            _("This product is published, so its values stay decided. Choose another value, or take the product back."),
        )
    return _decide(actor, product, attribute, Decision.Kind.WITHDRAWN, Decision.Source.HUMAN)


def _withdraw_foreign_category(actor: Actor, product: Product, taxonomy: Taxonomy) -> None:
    """A category that was decided for another garment says nothing about the one that is chosen now."""
    level = current.decided_first_level(product, taxonomy)
    if level is not None and level != product.row:
        _withdraw(actor, product, taxonomy.attributes[CATEGORY])


def _follow_category(product: Product, value: AttributeValue) -> None:
    """The chosen row is the one that the decided category belongs to; a first level may be a category by itself."""
    product.row, product.row_source = value.parent or value, Product.RowSource.HUMAN


def _settle(product: Product, values: dict[str, ProductAttribute]) -> None:
    """A product is ready as long as its category is decided; what is public or put away stays where it is."""
    decided = values[CATEGORY].state == ProductAttribute.State.DECIDED
    if decided and product.status in {Product.Status.DRAFT, Product.Status.CLASSIFYING, Product.Status.TO_REVIEW}:
        product.status = Product.Status.READY
    elif not decided and product.status == Product.Status.READY:
        product.status = Product.Status.TO_REVIEW


@atomic
def choose_row(*, actor: Actor, product: Product, first_level: str) -> Product:
    """Say which garment of the photographs is the product, by its first-level category's code.

    Raises:
        Invalid: `unknown_row`.
        Conflict: `published`, if another garment's category is public.
    """
    product = _locked(actor, product)
    taxonomy = Taxonomy.load()
    product.row, product.row_source = _first_level(taxonomy, first_level), Product.RowSource.HUMAN
    _withdraw_foreign_category(actor, product, taxonomy)
    _settle(product, current.refresh(product, taxonomy))
    _save(product, "row", "row_source", "status")
    _audit(actor, "product.choose_row", product, first_level=first_level)
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
    product = _locked(actor, product)
    taxonomy = Taxonomy.load()
    row = _attribute(taxonomy, attribute)
    leaf = _leaf(taxonomy, attribute, value)
    if attribute == CATEGORY:
        _follow_category(product, leaf)
    decision = _decide(actor, product, row, Decision.Kind.SET, source, leaf)
    _settle(product, current.refresh(product, taxonomy))
    _save(product, "row", "row_source", "status")
    _audit(actor, "product.decide", product, attribute=attribute, value=leaf.code)
    return decision


@atomic
def decide_not_applicable(*, actor: Actor, product: Product, attribute: str) -> Decision:
    """Say that the product has no such attribute.

    Raises:
        Invalid: `unknown_attribute`, or `category_needed`: every product has a category.
    """
    product = _locked(actor, product)
    taxonomy = Taxonomy.load()
    row = _attribute(taxonomy, attribute)
    if attribute == CATEGORY:
        raise Invalid("category_needed", _("Every product has a category. Choose one."))
    decision = _decide(actor, product, row, Decision.Kind.NOT_APPLICABLE, Decision.Source.HUMAN)
    _save(product)
    current.refresh(product, taxonomy)
    _audit(actor, "product.not_applicable", product, attribute=attribute)
    return decision


@atomic
def withdraw(*, actor: Actor, product: Product, attribute: str) -> Decision:
    """Take a decision back, so that what the model proposes shows again.

    Raises:
        Invalid: `unknown_attribute`.
        Conflict: `published`.
    """
    product = _locked(actor, product)
    taxonomy = Taxonomy.load()
    row = _attribute(taxonomy, attribute)
    decision = _withdraw(actor, product, row)
    _settle(product, current.refresh(product, taxonomy))
    _save(product, "status")
    _audit(actor, "product.withdraw", product, attribute=attribute)
    return decision


def _review_one(
    actor: Actor, product: Product, taxonomy: Taxonomy, code: str, wanted: str, standing: Decision | None
) -> bool:
    """Turn one field of the review into a decision, unless that is what counts already. Says whether it wrote."""
    attribute = _attribute(taxonomy, code)
    human = standing if standing is not None and standing.source != Decision.Source.AUTO else None
    if wanted == LEAVE_OPEN:
        if human is None:
            return False
        _withdraw(actor, product, attribute)
    elif wanted == NOT_APPLICABLE:
        if code == CATEGORY:
            raise Invalid("category_needed", _("Every product has a category. Choose one."))
        if human is not None and human.kind == Decision.Kind.NOT_APPLICABLE:
            return False
        _decide(actor, product, attribute, Decision.Kind.NOT_APPLICABLE, Decision.Source.HUMAN)
    else:
        leaf = _leaf(taxonomy, code, wanted)
        if code == CATEGORY and product.row is not None and leaf.parent_id != product.row_id:
            _follow_category(product, leaf)
        if human is not None and human.value_id == leaf.pk:
            return False
        _decide(actor, product, attribute, Decision.Kind.SET, Decision.Source.HUMAN, leaf)
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
    product = _locked(actor, product)
    if version is not None and version != product.version:
        raise Conflict(
            "stale", _("Somebody else changed this product in the meantime. Look at what it says now, then save again.")
        )
    taxonomy = Taxonomy.load()
    if first_level:
        product.row, product.row_source = _first_level(taxonomy, first_level), Product.RowSource.HUMAN
    standing = current.deciding(product)
    # The category first: it decides the row, and with it which predictions the other decisions answer.
    for code in sorted(values, key=lambda code: code != CATEGORY):
        attribute = _attribute(taxonomy, code)
        if code == CATEGORY and values[code] not in {LEAVE_OPEN, NOT_APPLICABLE} and product.row is None:
            _follow_category(product, _leaf(taxonomy, code, values[code]))
        _review_one(actor, product, taxonomy, code, values[code], standing.get(attribute.pk))
    _withdraw_foreign_category(actor, product, taxonomy)
    _settle(product, current.refresh(product, taxonomy))
    _save(product, "row", "row_source", "status")
    _audit(actor, "product.review", product, first_level=first_level, values=values)
    return product


def _move(product: Product, status: Product.Status) -> None:
    if not product.may_become(status):
        raise Conflict(
            "bad_move",
            _("A product that is “%(from)s” cannot become “%(to)s”."),
            {"from": product.get_status_display(), "to": status.label},
        )
    product.status = status


@atomic
def publish(*, actor: Actor, product: Product) -> Product:
    """Publish, and decide every value that is shown, so that no later model changes it. Twice is the same as once.

    Raises:
        Conflict: `category_open` without a category, `bad_move` from a state that cannot be published.
    """
    product = _locked(actor, product)
    if product.status == Product.Status.PUBLISHED:
        return product
    taxonomy = Taxonomy.load()
    values = current.refresh(product, taxonomy)
    if values[CATEGORY].value_id is None:
        raise Conflict("category_open", _("The category is still open. Choose one, then publish."))
    _move(product, Product.Status.PUBLISHED)
    for code, value in values.items():
        if value.state in {ProductAttribute.State.PROPOSED, ProductAttribute.State.AUTO}:
            leaf = next(leaf for leaf in taxonomy.values[code].values() if leaf.pk == value.value_id)
            attribute = taxonomy.attributes[code]
            _decide(actor, product, attribute, Decision.Kind.SET, Decision.Source.HUMAN, leaf)
    product.row_source = Product.RowSource.HUMAN if product.row else Product.RowSource.NONE
    product.published_at = timezone.now()
    _save(product, "status", "published_at", "row_source")
    current.refresh(product, taxonomy)
    _audit(actor, "product.publish", product)
    return product


@atomic
def unpublish(*, actor: Actor, product: Product) -> Product:
    """Take a published product back to ready; what is open shows proposals again. Raises Conflict `bad_move`."""
    product = _locked(actor, product)
    if product.status != Product.Status.PUBLISHED:
        raise Conflict("bad_move", _("This product is not published."))
    _move(product, Product.Status.READY)
    product.published_at = None
    current.refresh(product)
    _save(product, "status", "published_at")
    _audit(actor, "product.unpublish", product)
    return product


@atomic
def archive(*, actor: Actor, product: Product) -> Product:
    """Put the product away; nothing is deleted. Twice is the same as once."""
    product = _locked(actor, product)
    if product.status == Product.Status.ARCHIVED:
        return product
    _move(product, Product.Status.ARCHIVED)
    product.archived_at = timezone.now()
    _save(product, "status", "archived_at")
    _audit(actor, "product.archive", product)
    return product


@atomic
def restore(*, actor: Actor, product: Product) -> Product:
    """Bring an archived product back, to where its values stand. Raises Conflict `bad_move`."""
    product = _locked(actor, product)
    if product.status != Product.Status.ARCHIVED:
        raise Conflict("bad_move", _("This product is not archived."))
    category = ProductAttribute.objects.filter(product=product, attribute__code=CATEGORY).first()
    if category is not None and category.state == ProductAttribute.State.DECIDED:
        _move(product, Product.Status.READY)
    else:
        _move(product, Product.Status.TO_REVIEW)
    product.archived_at = product.published_at = None
    _save(product, "status", "archived_at", "published_at")
    _audit(actor, "product.restore", product)
    return product


@atomic
def archive_image(*, actor: Actor, image: ProductImage) -> None:
    """Take a photograph away from its product; the files stay until the archive is emptied."""
    product = _locked(actor, image.product)
    image = ProductImage.objects.get(pk=image.pk)
    if image.archived_at is not None:
        return
    image.product = product
    image.archived_at = timezone.now()
    image.save(update_fields=["archived_at"])
    _save(product)
    _audit(actor, "image.archive", product, image=image.public_id, name=image.original_name)


def write_proposal(
    *,
    product: Product,
    proposal: list[dict[str, Any]],
    row: str | None,
    classifying: bool,
    taxonomy: Taxonomy | None = None,
) -> None:
    """Store what the models propose, in the caller's transaction, with the product locked by `lock_product`.

    A row that a person chose stays, and a published product's values stay. The version does not change: nobody's
    open page becomes stale because a model finished.

    Args:
        product: the locked product.
        proposal: entries as classifier.proposals builds them.
        row: first level that the models choose by themselves, if exactly one stands out.
        classifying: whether photographs of the product still wait.
        taxonomy: the taxonomy, if the caller has read it already.
    """
    taxonomy = taxonomy or Taxonomy.load()
    product.proposal = proposal
    published = product.status == Product.Status.PUBLISHED
    if product.row_source != Product.RowSource.HUMAN and not published:
        product.row = taxonomy.resolve(CATEGORY, row) if row else None
        product.row_source = Product.RowSource.AUTO if product.row else Product.RowSource.NONE
    if classifying and product.status in {Product.Status.DRAFT, Product.Status.TO_REVIEW}:
        product.status = Product.Status.CLASSIFYING
    elif not classifying and product.status == Product.Status.CLASSIFYING:
        product.status = Product.Status.TO_REVIEW
    product.save(update_fields=["proposal", "row", "row_source", "status", "updated_at"])
    if not published:
        current.refresh(product, taxonomy)


def mark_classifying(*, product_id: int) -> None:
    """Show that photographs of the product wait, in the caller's transaction; what is decided or public stays."""
    Product.objects.filter(pk=product_id, status__in=(Product.Status.DRAFT, Product.Status.TO_REVIEW)).update(
        status=Product.Status.CLASSIFYING
    )
