"""Where a product stands: published, archived, and back."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.db import atomic
from accounts.errors import Conflict
from catalog import current
from catalog.models import CATEGORY, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy
from catalog.services.decisions import add_decision
from catalog.services.writing import audit, locked_for, save


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
    product = locked_for(actor, product)
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
            add_decision(actor, product, attribute, Decision.Kind.SET, Decision.Source.HUMAN, taxonomy, leaf)
    product.row_source = Product.RowSource.HUMAN if product.row else Product.RowSource.NONE
    product.published_at = timezone.now()
    save(product, "status", "published_at", "row_source")
    current.refresh(product, taxonomy)
    audit(actor, "product.publish", product)
    return product


@atomic
def unpublish(*, actor: Actor, product: Product) -> Product:
    """Take a published product back to ready; what is open shows proposals again. Raises Conflict `bad_move`."""
    product = locked_for(actor, product)
    if product.status != Product.Status.PUBLISHED:
        raise Conflict("bad_move", _("This product is not published."))
    _move(product, Product.Status.READY)
    product.published_at = None
    current.refresh(product)
    save(product, "status", "published_at")
    audit(actor, "product.unpublish", product)
    return product


@atomic
def archive(*, actor: Actor, product: Product) -> Product:
    """Put the product away; nothing is deleted. Twice is the same as once."""
    product = locked_for(actor, product)
    if product.status == Product.Status.ARCHIVED:
        return product
    _move(product, Product.Status.ARCHIVED)
    product.archived_at = timezone.now()
    save(product, "status", "archived_at")
    audit(actor, "product.archive", product)
    return product


@atomic
def restore(*, actor: Actor, product: Product) -> Product:
    """Bring an archived product back, to where its values stand. Raises Conflict `bad_move`."""
    product = locked_for(actor, product)
    if product.status != Product.Status.ARCHIVED:
        raise Conflict("bad_move", _("This product is not archived."))
    settled = current.is_settled(current.refresh(product))
    _move(product, Product.Status.READY if settled else Product.Status.TO_REVIEW)
    product.archived_at = product.published_at = None
    save(product, "status", "archived_at", "published_at")
    audit(actor, "product.restore", product)
    return product
