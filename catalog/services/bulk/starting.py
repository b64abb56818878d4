"""Operations begin, are paused, cancelled and undone; their products are fixed when they begin."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant, Operation
from accounts.services.operations import LEASE, note
from catalog.models import BulkChange, Product
from catalog.selectors import Taxonomy
from catalog.services.bulk.actions import ACTIONS, KIND, UNDO, action_of, check_parameters
from core.db import atomic
from core.errors import Conflict, Forbidden, Invalid
from core.ids import is_public_id, public_id

AT_ONCE = 200  # products that are changed while the person waits; more are a worker's work
UNDO_FOR = timedelta(days=1)
_KEPT = timedelta(days=30)  # the rows of an operation, after its end
_CHUNK = 1000


@atomic
def start(
    *,
    actor: Actor,
    action: str,
    products: QuerySet[Product],
    parameters: Mapping[str, Any] | None = None,
    number: str = "",
    at_once: bool = True,
) -> Operation:
    """Start an operation on these products. Those that come to match later are not among them.

    Args:
        actor: who starts it; it goes on with the permissions that they have then.
        action: a code of `ACTIONS`.
        products: which; others than those that the actor may see and edit are left out.
        parameters: of "set": `attribute` and `value`, by code, or `NOT_APPLICABLE`.
        number: its public id, drawn when the person was asked: who sends the answer again gets the same operation.
        at_once: whether the caller goes on with `run_at_once`, up to AT_ONCE products; otherwise a worker does it.

    Returns:
        The operation, the caller's or a worker's.

    Raises:
        Invalid: `unknown_action`, `nothing_chosen`, or the value to set is none.
        Forbidden: the actor may only look.
    """
    merchant = _require_merchant(actor)
    number = number if is_public_id(number) else public_id()
    if (
        same := of_merchant(actor).filter(public_id=number, created_by=actor.user, api_key=actor.api_key).first()
    ) is not None:
        same.lease_token = ""  # its holder goes on
        return same
    given = check_parameters(action, parameters or {}, Taxonomy.load())
    operation = _create(actor, merchant, action, given, number)
    chosen = Product.objects.visible_to(actor).filter(merchant=merchant, pk__in=products.order_by().values("pk"))
    _fix(operation, chosen.order_by().values("pk"))
    return _begin(actor, operation, at_once=at_once, **given)


@atomic
def start_undo(*, actor: Actor, operation: Operation, at_once: bool = True) -> Operation:
    """Undo what an operation did, by another one. Products that were changed since are left as they are.

    `at_once` as for `start`.

    Raises:
        Conflict: `too_late`, `undone_already`, `not_over`, `nothing_to_undo`.
        Forbidden: the actor may only look.
    """
    merchant = _require_merchant(actor)
    operation = of_merchant(actor).select_for_update().get(pk=operation.pk)
    _require_undoable(operation)
    undo = _create(actor, merchant, UNDO, {"undoes": operation.public_id, "what": operation.kind}, public_id())
    done = BulkChange.objects.filter(operation=operation, outcome=BulkChange.Outcome.DONE, product__isnull=False)
    _fix(undo, done.order_by().values("product_id"))
    operation.parameters["undone_by"] = undo.public_id
    operation.save(update_fields=["parameters"])
    return _begin(actor, undo, at_once=at_once, undoes=operation.public_id)


def _require_merchant(actor: Actor) -> Merchant:
    """The merchant whose products the actor may change in bulk. Raises Forbidden."""
    if actor.merchant is None or actor.is_system:
        raise Forbidden(
            "forbidden", _("Many products are changed at once by members of the shop, or with a key of it.")
        )
    actor.require_edit(actor.merchant.pk)
    return actor.merchant


def _create(actor: Actor, merchant: Merchant, action: str, parameters: Mapping[str, Any], number: str) -> Operation:
    return Operation.objects.create(
        public_id=number,
        kind=KIND + action,
        merchant=merchant,
        created_by=actor.user,
        api_key=actor.api_key,
        impersonator=actor.impersonator,
        parameters={**parameters, "channel": str(actor.channel)},
    )


def _fix(operation: Operation, ids: QuerySet[Any, Any]) -> None:
    """Store a row for each product, in one statement: there may be a million of them.

    Args:
        operation: the operation.
        ids: a query for the products' ids alone; they are changed in the order of the ids.
    """
    try:
        sql, params = ids.query.sql_with_params()
    except EmptyResultSet:  # a condition that no row can meet
        return
    quote = connection.ops.quote_name
    names = ("operation_id", "outcome", "reason", "product_id")
    columns = ", ".join(quote(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(BulkChange._meta.db_table)} ({columns})"  # noqa: S608 - names of our own columns
            f" SELECT %s, %s, %s, chosen.* FROM ({sql}) chosen ORDER BY 4",
            [operation.pk, BulkChange.Outcome.PENDING, "", *params],
        )


def _begin(actor: Actor, operation: Operation, *, at_once: bool, **details: Any) -> Operation:
    """Count the products of a new operation, and say whose it is to go on with."""
    operation.total = BulkChange.objects.filter(operation=operation).count()
    if not operation.total:
        raise Invalid("nothing_chosen", _("No product was chosen."))
    if at_once and operation.total <= AT_ONCE:
        operation.lease_token = secrets.token_hex(16)
    operation.save(update_fields=["total", "lease_token"])
    if operation.lease_token:
        Operation.objects.filter(pk=operation.pk).update(lease_until=Now() + LEASE)
    note(actor, operation, "start", total=operation.total, **details)
    return operation


def of_merchant(actor: Actor) -> QuerySet[Operation]:
    """Bulk operations of the merchant that the actor works in, the newest first."""
    if actor.merchant is None:
        return Operation.objects.none()
    return Operation.objects.filter(merchant=actor.merchant, kind__startswith=KIND)


def last_operation(actor: Actor, within: timedelta = UNDO_FOR) -> Operation | None:
    """The person's own newest operation of that time, by which lists offer to undo it (one query)."""
    mine = of_merchant(actor).filter(created_by=actor.user, created_at__gt=timezone.now() - within)
    return mine.order_by("-id").first()


def changed_by(operation: Operation) -> int:
    """How many products an operation changed; until it is over, and if it was cancelled, at most so many."""
    changed: int = operation.parameters.get("changed", operation.done)
    return changed


def _why_not(operation: Operation) -> Conflict | None:
    """Why what the operation did cannot be undone, if it cannot."""
    action = ACTIONS.get(action_of(operation))
    if (action is not None and not action.undoable) or not changed_by(operation):
        return Conflict("nothing_to_undo", _("There is nothing that could be undone."))
    if operation.finished_at is None:
        return Conflict("not_over", _("This is still under way. Cancel it first, then undo it."))
    if "undone_by" in operation.parameters:
        return Conflict("undone_already", _("This was undone already."))
    if timezone.now() - operation.finished_at > UNDO_FOR:
        return Conflict("too_late", _("This is more than a day ago, so it can no longer be undone as a whole."))
    return None


def can_undo(operation: Operation) -> bool:
    """Whether `start_undo` would take it."""
    return _why_not(operation) is None


def _require_undoable(operation: Operation) -> None:
    if (refused := _why_not(operation)) is not None:
        raise refused


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete the rows of operations that ended long ago; returns how many. Their counts stay.

    `goes_on` is asked before each thousand of them.
    """
    ended = Operation.objects.filter(kind__startswith=KIND, finished_at__lt=timezone.now() - _KEPT)
    old = BulkChange.objects.filter(operation__in=ended).order_by("pk")
    deleted = 0
    while goes_on() and (ids := list(old.values_list("pk", flat=True)[:_CHUNK])):
        deleted += BulkChange.objects.filter(pk__in=ids).delete()[0]
    return deleted
