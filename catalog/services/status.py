"""The moves that people make: publish, archive, and back."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from catalog.models import CATEGORY, Decision, Product, ProductAttribute
from catalog.selectors import Taxonomy, images_wait
from catalog.services.writing import audit, changes, locked_for, save, status_and_garment
from catalog.values.deciding import record_decision
from catalog.values.recompute import recompute_values
from catalog.values.status import status_of
from core.db import atomic
from core.errors import Conflict


def _move(product: Product, status: Product.Status) -> None:
    if not product.may_become(status):
        raise Conflict(
            "bad_move",
            _("A product that is “%(from)s” cannot become “%(to)s”."),
            {"from": product.get_status_display(), "to": status.label},
        )
    product.status = status


def category_open() -> Conflict:
    """Return the refusal to publish a product without a category."""
    return Conflict("category_open", _("The category is still open. Choose one, then publish."))


def make_public(product: Product, *, while_classifying: bool) -> None:
    """Move a locked product to published; the caller sees to its values and saves.

    Args:
        product: the locked product.
        while_classifying: whether it may become public though images wait: what is found in them comes too late.

    Raises:
        Conflict: `still_classifying`, `bad_move`.
    """
    if not while_classifying and images_wait(product):
        raise Conflict(
            "still_classifying",
            _("Photos of this product are still being looked at. Wait for them, or publish without waiting."),
        )
    _move(product, Product.Status.PUBLISHED)
    if product.top_category is not None:
        product.top_category_source = Product.TopCategorySource.HUMAN
    product.published_at = timezone.now()


@atomic
def publish(
    *, actor: Actor, product: Product, while_classifying: bool = False, taxonomy: Taxonomy | None = None
) -> Product:
    """Publish, and decide every value that is shown, so that no later model changes it. Idempotent.

    Nobody has answered these values one by one, so the decisions say that they came by publishing.

    Args:
        actor: who publishes.
        product: the product.
        while_classifying: publish what is there though images wait; what is found in them no longer counts.
        taxonomy: the taxonomy, if the caller has read it already.

    Raises:
        Conflict: `category_open` without a category, `still_classifying` while images wait, `bad_move` from a
            state that cannot be published.
    """
    product = locked_for(actor, product)
    if product.status == Product.Status.PUBLISHED:
        return product
    before = status_and_garment(product)
    taxonomy = taxonomy or Taxonomy.load()
    values = recompute_values(product, taxonomy)
    if values[CATEGORY].value_id is None:
        raise category_open()
    make_public(product, while_classifying=while_classifying)
    decided = [
        record_decision(
            actor,
            product,
            taxonomy.attributes[code],
            Decision.Kind.SET,
            taxonomy,
            taxonomy.stored(code, value.value_id),
            as_it_stood=True,
        ).pk
        for code, value in values.items()
        if value.value_id and value.state in {ProductAttribute.State.PROPOSED, ProductAttribute.State.AUTO}
    ]
    recompute_values(product, taxonomy)
    save(product, "status", "published_at", "top_category_source")
    audit(actor, "product.publish", product, decided=decided, **changes(before, product))
    return product


@atomic
def unpublish(*, actor: Actor, product: Product, taxonomy: Taxonomy | None = None) -> Product:
    """Take a published product back to ready, or to classifying if images wait. Raises Conflict `bad_move`.

    What is open shows proposals again.
    """
    product = locked_for(actor, product)
    if product.status != Product.Status.PUBLISHED:
        raise Conflict("bad_move", _("This product is not published."))
    before = status_and_garment(product)
    _move(product, Product.Status.READY)
    if images_wait(product):
        _move(product, Product.Status.CLASSIFYING)
    product.published_at = None
    recompute_values(product, taxonomy or Taxonomy.load())
    save(product, "status", "published_at")
    audit(actor, "product.unpublish", product, **changes(before, product))
    return product


@atomic
def archive(*, actor: Actor, product: Product) -> Product:
    """Put the product away; nothing is deleted. Idempotent."""
    product = locked_for(actor, product, archived=True)
    if product.status == Product.Status.ARCHIVED:
        return product
    before = status_and_garment(product)
    _move(product, Product.Status.ARCHIVED)
    product.archived_at = timezone.now()
    save(product, "status", "archived_at")
    audit(actor, "product.archive", product, **changes(before, product))
    return product


@atomic
def restore(*, actor: Actor, product: Product, taxonomy: Taxonomy | None = None) -> Product:
    """Bring an archived product back, with the status that follows from its values. Raises Conflict `bad_move`."""
    product = locked_for(actor, product, archived=True)
    if product.status != Product.Status.ARCHIVED:
        raise Conflict("bad_move", _("This product is not archived."))
    before = status_and_garment(product)
    _move(product, status_of(product, recompute_values(product, taxonomy or Taxonomy.load())))
    product.archived_at = product.published_at = None
    save(product, "status", "archived_at", "published_at")
    audit(actor, "product.restore", product, **changes(before, product))
    return product
