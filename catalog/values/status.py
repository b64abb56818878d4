"""Which status follows from a product's current values, and from whether images of it wait."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.models import CATEGORY, Product, ProductAttribute
from catalog.selectors import images_wait

Status = Product.Status

MAY_CLASSIFY = frozenset({Status.DRAFT, Status.TO_REVIEW, Status.READY})


def needs_review(values: Mapping[str, ProductAttribute]) -> bool:
    """Whether a person has to look.

    Nobody has to where a person decided the category, or where it was auto-accepted and no other value is just
    proposed. What no model says anything about holds nothing up: an attribute that was added lately has no model yet.
    """
    state = values[CATEGORY].state
    if state == ProductAttribute.State.AUTO:
        return any(value.state == ProductAttribute.State.PROPOSED for value in values.values())
    return state != ProductAttribute.State.DECIDED


def show_waiting(product: Product, *, waits: bool) -> None:
    """Set the status that says whether images of the product wait; what is public or put away stays."""
    if waits and product.status in MAY_CLASSIFY:
        product.status = Status.CLASSIFYING
    elif not waits and product.status == Status.CLASSIFYING:
        product.status = Status.TO_REVIEW


def update_status(product: Product, values: Mapping[str, ProductAttribute]) -> None:
    """Set the status that follows from the values: ready as long as it needs no review, and no image of it waits.

    What is public or put away stays where it is.
    """
    if product.status in {Status.PUBLISHED, Status.ARCHIVED}:
        return
    review = needs_review(values)
    if product.status == Status.READY:
        product.status = Status.TO_REVIEW if review else Status.READY
    elif not review and not images_wait(product):
        product.status = Status.READY


def status_of(product: Product, values: Mapping[str, ProductAttribute]) -> Product.Status:
    """Return where a product belongs that is not public: by whether images wait, and whether it needs review."""
    if images_wait(product):
        return Status.CLASSIFYING
    return Status.TO_REVIEW if needs_review(values) else Status.READY
