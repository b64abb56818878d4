"""What every operation on a product does: lock it first, count its version, leave a line in the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.services import event_of
from catalog.known import known_of
from catalog.models import Product, ProductAttribute, ProductImage
from catalog.selectors import Taxonomy
from catalog.telling import tell_of_action
from catalog.values.recompute import recompute_values
from catalog.values.status import update_status
from core.errors import Conflict, Gone


def lock_product(pk: int) -> Product:
    """Lock the product's row and read it again. Every writer does this first; children in the other order deadlock.

    Raises:
        Gone: it was deleted for good.
    """
    product = Product.objects.select_for_update().filter(pk=pk).first()
    if product is None:
        raise Gone("not_found", _("This product was deleted meanwhile."))
    return product


def locked_for(actor: Actor, product: Product, *, archived: bool = False) -> Product:
    """Lock a product for an actor who may edit it; one that was locked as one of many is it already.

    Args:
        actor: who wants to change it.
        product: the product.
        archived: whether the operation is for products that were put away, too.

    Raises:
        Forbidden: the actor may only look.
        Gone: it was deleted for good.
        Conflict: `archived`.
    """
    actor.require_edit(product.merchant_id)
    if known_of(product) is None:
        product = lock_product(product.pk)
    if product.status == Product.Status.ARCHIVED and not archived:
        raise Conflict("archived", _("This product is archived. Restore it before you change it."))
    return product


def check_version(product: Product, version: int | None) -> None:
    """Refuse a change by somebody who saw another version of the locked product; None is anybody's.

    Raises:
        Conflict: `stale`.
    """
    if version is not None and version != product.version:
        raise Conflict(
            "stale", _("This product was changed in the meantime. Look at what it says now, then save again.")
        )


def locked_image(actor: Actor, image: ProductImage) -> tuple[Product, ProductImage]:
    """Lock an image's product and read the image again. Raises as `locked_for` does, Gone also for itself."""
    try:
        product = locked_for(actor, image.product)
        image = ProductImage.objects.get(pk=image.pk)
    except ObjectDoesNotExist as error:
        raise Gone("not_found", _("This photo was deleted meanwhile.")) from error
    image.product = product
    return product, image


def audit(actor: Actor, action: str, product: Product, **details: Any) -> None:
    """Leave a line about the product in the audit trail, which names its operation, and tell webhooks of it.

    To be called once everything of the product is written: webhooks are told its version and its values.
    """
    if actor.operation is not None:
        details["operation"] = actor.operation.public_id
    event = event_of(
        actor=actor,
        action=action,
        subject_type="product",
        subject_id=product.public_id,
        merchant_id=product.merchant_id,
        **details,
    )
    if (known := known_of(product)) is not None:
        known.events.append(event)
    else:
        event.save()
    tell_of_action(actor, action, product)


def status_and_garment(product: Product) -> dict[str, str | None]:
    """What an audit event says of a product before and after, so that the history can name both and go back."""
    return {
        "status": product.status,
        "top_category": product.top_category.code if product.top_category else None,
        "top_category_source": product.top_category_source,
    }


def changes(before: dict[str, str | None], product: Product) -> dict[str, dict[str, str | None]]:
    """Return `before` and `after` for an audit event, each with only what differs; {} if nothing does.

    Args:
        before: what `status_and_garment` said.
        product: the product now.
    """
    after = status_and_garment(product)
    names = [name for name, value in after.items() if value != before[name]]
    if not names:
        return {}
    return {"before": {name: before[name] for name in names}, "after": {name: after[name] for name in names}}


def save(product: Product, *fields: str) -> None:
    """Write these fields and count the version, by which open pages see that they are stale."""
    product.version += 1
    if (known := known_of(product)) is not None:
        known.top_category_id = product.top_category_id
        fields = (*fields, "certainty") if known.certainty_changed else fields
    product.save(update_fields=[*fields, "version", "updated_at"])


def apply_decisions(product: Product, taxonomy: Taxonomy) -> dict[str, ProductAttribute]:
    """Bring current values and status up to date after decisions; the caller saves the product.

    Returns:
        The current values by attribute code.
    """
    values = recompute_values(product, taxonomy)
    update_status(product, values)
    return values
