"""What is known of a locked product beyond its row, where many are changed in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.actors import Actor
from accounts.models import AuditEvent
from catalog.models import Decision, Product, ProductAttribute
from webhooks.models import EventType


@dataclass
class Known:
    """What the writers of a product would read and write for it alone, read and written for many at once.

    A product that has it is locked, and is written when the change is over: see `catalog.values.many`.

    Args:
        decisions: all of it, in their order; the writers add to them.
        values: its current values by attribute id; the writers change them.
        images_wait: whether images of it are still to be looked at.
        versions: model versions by the ids of the predictions that its proposal names.
        top_category_id: as it is stored.
        changed: current values to write, by attribute id.
        events: lines to add to the audit trail.
        told: what webhooks are to be told of it, and who did it.
        certainty_changed: whether `Product.certainty` is to be saved with the product.
    """

    decisions: list[Decision]
    values: dict[int, ProductAttribute]
    images_wait: bool
    versions: dict[int, int]
    top_category_id: int | None
    changed: dict[int, ProductAttribute] = field(default_factory=dict)
    events: list[AuditEvent] = field(default_factory=list)
    told: list[tuple[Actor, EventType]] = field(default_factory=list)
    certainty_changed: bool = False


def known_of(product: Product) -> Known | None:
    """Return what is known of a product that is changed as one of many; None for one that is changed alone."""
    known: Known | None = product.__dict__.get("_known")
    return known


def make_known(product: Product, known: Known) -> None:
    """Say what is known of a locked product; it holds for the caller's transaction."""
    product.__dict__["_known"] = known
