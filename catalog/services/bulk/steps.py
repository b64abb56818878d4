"""One step of an operation: what becomes of some of its products, in the caller's transaction."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DataError, Error, IntegrityError
from django.db.models import QuerySet

from accounts.actors import Actor
from accounts.models import Operation
from accounts.services.operations import starter_of
from catalog.models import BulkChange, Product
from catalog.selectors import Taxonomy
from catalog.services.bulk.actions import ACTIONS, UNDO, Work, action_of
from catalog.services.undo import ProductState, put_back, state_of
from catalog.values.many import lock_many, replace_rows, write_changes
from core.errors import Gone, Refused

logger = logging.getLogger(__name__)

Outcome = BulkChange.Outcome

_MOST = 50  # products in one transaction
_SECONDS = 0.25  # ... unless they take longer: nobody else can change them meanwhile


def actor_of(operation: Operation) -> Actor | None:
    """Who started the operation, with the permissions of today; None if they may not change products any more."""
    actor = starter_of(operation)
    return actor if actor is not None and operation.merchant_id and actor.can_edit(operation.merchant_id) else None


def pending(operation: Operation) -> QuerySet[BulkChange]:
    """What is left to do."""
    return BulkChange.objects.filter(operation=operation, outcome=Outcome.PENDING).order_by("pk")


@dataclass(frozen=True)
class _Step:
    """What the changes of one transaction have in common; `undone`: what is undone, by product."""

    work: Work
    code: str
    undone: dict[int | None, BulkChange]

    def change(self, product: Product) -> Product | None:
        """Change a locked product; None where it was so already. Raises Refused."""
        if self.code != UNDO:
            return ACTIONS[self.code].change(self.work, product)
        earlier = self.undone[product.pk]
        after = put_back(
            actor=self.work.actor,
            product=product,
            state=ProductState.from_json(earlier.before or {}),
            version=earlier.version,
            taxonomy=self.work.taxonomy,
        )
        return after if after.version != earlier.version else None


def take_step(operation: Operation, actor: Actor, taxonomy: Taxonomy) -> list[BulkChange]:
    """Change the next products of a locked operation, and store what became of each; returns those rows.

    A product that cannot be changed does not hold up the others. None is changed if there is no room for more now.

    Raises:
        Error: the database's, if it gave up the transaction or is away.
    """
    code = action_of(operation)
    action = ACTIONS.get(code)
    room = action.room(operation) if action is not None and action.room is not None else _MOST
    if room <= 0:
        return []
    changes = list(pending(operation)[: min(room, _MOST)])
    step = _Step(Work(actor, taxonomy, operation.parameters), code, _undone(operation, changes))
    products = lock_many([change.product_id for change in changes if change.product_id is not None], taxonomy)
    until = time.monotonic() + _SECONDS
    dealt_with = []
    for change in changes:
        _deal_with(change, products.get(change.product_id or 0), step)
        dealt_with.append(change)
        if time.monotonic() >= until:
            break
    kept = [change.product_id for change in dealt_with if change.outcome in {Outcome.DONE, Outcome.UNCHANGED}]
    write_changes(products[pk] for pk in kept if pk is not None)
    replace_rows(dealt_with, ["outcome", "reason", "before", "version"])
    return dealt_with


def _undone(operation: Operation, changes: Sequence[BulkChange]) -> dict[int | None, BulkChange]:
    if "undoes" not in operation.parameters:
        return {}
    earlier = BulkChange.objects.filter(
        operation__public_id=operation.parameters["undoes"], product__in=[change.product_id for change in changes]
    )
    return {change.product_id: change for change in earlier}


def _deal_with(change: BulkChange, product: Product | None, step: _Step) -> None:
    """Change the product of a row, and say in the row what became of it; the caller saves that.

    Each change is one service, which leaves nothing behind where it refuses.
    """
    try:
        _change(change, product, step)
    except Refused as refused:
        change.outcome, change.reason = Outcome.REFUSED, refused.code
    except Exception as error:
        if isinstance(error, Error) and not isinstance(error, IntegrityError | DataError):
            raise  # the transaction is lost, and is repeated as a whole
        logger.exception("a bulk operation cannot change the product %s", change.product_id)
        change.outcome, change.reason = Outcome.FAILED, "error"


def _change(change: BulkChange, product: Product | None, step: _Step) -> None:
    if product is None:
        raise Gone("not_found", "")
    before = state_of(product, step.work.taxonomy)
    after = step.change(product)
    if after is None:
        change.outcome = Outcome.UNCHANGED
        return
    change.outcome, change.before, change.version = Outcome.DONE, before.to_json(), after.version
