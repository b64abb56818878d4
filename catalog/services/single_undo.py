"""Undoing one line of a product's history, if what it changed still stands.

A line is a decision or an event of the audit trail. What it replaced is said again through `put_back`, so everything
else that was changed before or since stays. The module is not part of `catalog.services`' own names, because images
come and go through `catalog.services.uploads`, which imports those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import AuditEvent
from catalog.models import CATEGORY, Decision, Product
from catalog.selectors import Taxonomy
from catalog.services.decisions import values_stay
from catalog.services.products import archive_image
from catalog.services.review import LEAVE_OPEN, NOT_APPLICABLE, TAKE_BACK
from catalog.services.status import category_open
from catalog.services.undo import ProductState, put_back, state_of
from catalog.services.uploads import put_back as put_back_image
from catalog.services.writing import locked_for
from core.db import atomic
from core.errors import Conflict

Status = Product.Status

MOVES = frozenset({"product.publish", "product.unpublish", "product.archive", "product.restore"})
GARMENT = frozenset({"product.choose_top_category", "product.choose_none", "product.review"})
IMAGES = frozenset({"image.archive", "image.put_back"})


@dataclass(frozen=True)
class Now:
    """What a product says now, read under its lock.

    `decisions` are all of it by falling id, `moves` the events that changed its status by falling id.
    """

    product: Product
    state: ProductState
    decisions: list[Decision]
    moves: list[AuditEvent]
    taxonomy: Taxonomy


def change_of(line: Decision | AuditEvent) -> str:
    """Return the name by which `undo_change` finds a line of the history again."""
    return f"{'decision' if isinstance(line, Decision) else 'event'}-{line.pk}"


def by_people(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the decisions that people, keys and imports made, in their order."""
    return [decision for decision in decisions if decision.source != Decision.Source.AUTO]


def _superseded() -> Conflict:
    return Conflict("stale", _("Something newer has replaced this change. Undo that first."))


def _unknown() -> Conflict:
    return Conflict("not_undoable", _("This cannot be undone here."))


@atomic
def undo_change(*, actor: Actor, product: Product, change: str) -> None:
    """Bring back what one change of a product replaced.

    Args:
        actor: who undoes.
        product: the product.
        change: from `change_of`.

    Raises:
        Conflict: `stale` where a newer change has replaced it, `archived`, `published` where a public value would be
            open, `category_open`, `category_decided` where the category belongs to the garment, `sku_taken`,
            `not_undoable`.
        Invalid: an image cannot come back; see `catalog.services.uploads.put_back`.
        Forbidden: the actor may only look.
    """
    product = locked_for(actor, product, archived=True)
    kind, _dash, number = change.partition("-")
    pk = int(number) if number.isdecimal() and len(number) < 19 else 0
    taxonomy = Taxonomy.load()
    events = AuditEvent.objects.filter(subject_type="product", subject_id=product.public_id)
    now = Now(
        product=product,
        state=state_of(product, taxonomy),
        decisions=list(product.decisions.select_related("attribute", "value").order_by("-id")),
        moves=list(events.filter(action__in=MOVES).order_by("-id")[:1]),
        taxonomy=taxonomy,
    )
    event = events.filter(pk=pk).first() if kind == "event" else None
    if event is not None and event.action in IMAGES:
        _undo_image(actor, product, event)
        return
    if event is not None:
        state = _before_event(now, event)
    elif kind == "decision":
        state = _before_decision(now, pk)
    else:
        raise _unknown()
    _check(now, state)
    put_back(actor=actor, product=product, state=state, version=product.version, taxonomy=taxonomy)


def _check(now: Now, state: ProductState) -> None:
    """Refuse what no other way leads to: a public value that is open, an archived product that changes."""
    if Status.ARCHIVED == now.state.status == state.status:
        raise Conflict("archived", _("This product is archived. Restore it before you change it."))
    if state.status != Status.PUBLISHED:
        return
    nothing = {TAKE_BACK, LEAVE_OPEN}
    if now.state.status != Status.PUBLISHED and state.answers[CATEGORY] in nothing:
        raise category_open()
    opened = [
        code for code, said in state.answers.items() if said in nothing and now.state.answers[code] not in nothing
    ]
    if now.state.status == Status.PUBLISHED and opened:
        raise values_stay()


# -- Decisions ---------------------------------------------------------------------------------------------------------


def _said(decision: Decision | None) -> str:
    """What a decision says of its attribute, as `ProductState.answers` has it."""
    if decision is None or decision.kind == Decision.Kind.WITHDRAWN:
        return TAKE_BACK
    if decision.value is not None:
        return decision.value.code
    return NOT_APPLICABLE if decision.kind == Decision.Kind.NOT_APPLICABLE else LEAVE_OPEN


def _before_decision(now: Now, pk: int) -> ProductState:
    decision = next((one for one in now.decisions if one.pk == pk), None)
    if decision is None or decision.attribute.code not in now.state.answers:
        raise _unknown()
    of_attribute = [one for one in by_people(now.decisions) if one.attribute_id == decision.attribute_id]
    if not of_attribute or of_attribute[0].pk != pk:
        raise _superseded()
    said = _said(of_attribute[1] if len(of_attribute) > 1 else None)
    state = replace(now.state, answers={**now.state.answers, decision.attribute.code: said})
    return _with_garment(now, state, decision) if decision.attribute.code == CATEGORY else state


def _with_garment(now: Now, state: ProductState, decision: Decision) -> ProductState:
    """The garment that the product was before a category was decided: a decided category chooses its own."""
    value = now.taxonomy.today(CATEGORY, state.answers[CATEGORY])
    if value is not None:
        return replace(state, top_category=(value.parent or value).code, top_category_source="human")
    made_with = (
        AuditEvent.objects.filter(
            subject_type="product",
            subject_id=now.product.public_id,
            action__in=("product.review", "product.decide"),
            created_at__gte=decision.created_at,
        )
        .order_by("id")
        .first()
    )
    before: dict[str, Any] = made_with.details.get("before", {}) if made_with is not None else {}
    if "top_category" not in before:
        return state
    source = before.get("top_category_source", now.state.top_category_source)
    return replace(state, top_category=before["top_category"], top_category_source=source)


# -- Events ------------------------------------------------------------------------------------------------------------


def _before_event(now: Now, event: AuditEvent) -> ProductState:
    before, after = event.details.get("before"), event.details.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        raise _unknown()
    if event.action == "product.update":
        return _before_renaming(now, before, after)
    if event.action in MOVES:
        return _before_move(now, event, before)
    if event.action in GARMENT and "top_category" in after:
        return _before_garment(now, before, after)
    if event.action == "product.undo":
        if now.state != ProductState.from_json(after):
            raise _superseded()
        return ProductState.from_json(before)
    raise _unknown()


def _before_renaming(now: Now, before: Mapping[str, Any], after: Mapping[str, Any]) -> ProductState:
    changed = [name for name in ("name", "sku") if (before[name] or "") != (after[name] or "")]
    if any((getattr(now.state, name) or "") != (after[name] or "") for name in changed):
        raise _superseded()
    name = before["name"] or "" if "name" in changed else now.state.name
    return replace(now.state, name=name, sku=before["sku"] or None if "sku" in changed else now.state.sku)


def _before_move(now: Now, event: AuditEvent, before: Mapping[str, Any]) -> ProductState:
    if not now.moves or now.moves[0].pk != event.pk or "status" not in before:
        raise _superseded()
    status = before["status"]
    moment = timezone.now().isoformat()
    answers = dict(now.state.answers)
    if event.action == "product.publish":  # what was decided only by publishing is proposed again
        decided = set(event.details.get("decided", ()))
        current: dict[str, Decision] = {}
        for decision in reversed(by_people(now.decisions)):
            current[decision.attribute.code] = decision
        answers |= {code: TAKE_BACK for code, one in current.items() if one.pk in decided and code in answers}
    published_at = (now.state.published_at or moment) if status == Status.PUBLISHED else None
    return replace(
        now.state,
        status=status,
        answers=answers,
        published_at=published_at,
        archived_at=moment if status == Status.ARCHIVED else None,
    )


def _before_garment(now: Now, before: Mapping[str, Any], after: Mapping[str, Any]) -> ProductState:
    if now.state.top_category != after["top_category"]:
        raise _superseded()
    category = now.taxonomy.today(CATEGORY, now.state.answers.get(CATEGORY, ""))
    if category is not None and (category.parent or category).code != before["top_category"]:
        raise Conflict(
            "category_decided",
            _("The category “%(category)s” belongs to this garment. Undo or change the category first."),
            {"category": category.name},
        )
    source = before.get("top_category_source", now.state.top_category_source)
    return replace(now.state, top_category=before["top_category"], top_category_source=source)


# -- Images ------------------------------------------------------------------------------------------------------------


def _undo_image(actor: Actor, product: Product, event: AuditEvent) -> None:
    image = product.images.filter(public_id=event.details.get("image", "")).first()
    if image is None:
        raise Conflict("stale", _("This photo was deleted for good."))
    image.product = product
    if (image.archived_at is None) == (event.action == "image.archive"):
        raise _superseded()
    if event.action == "image.archive":
        put_back_image(actor=actor, image=image)
    else:
        archive_image(actor=actor, image=image)
