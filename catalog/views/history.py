"""A product's history as people read it: from what to what, by whom, through what, newest first.

A line that can still be undone carries the name of its change for `catalog.services.single_undo`, which decides again
when it is asked: this page may be old by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit_labels import action_label
from accounts.models import AuditEvent
from catalog.certainty import percent
from catalog.models import CATEGORY, Decision, Product
from catalog.selectors import Taxonomy
from catalog.services.single_undo import GARMENT, IMAGES, MOVES, by_people, change_of
from catalog.views.product_page import ProductPage

_LIMIT = 100
_ONE_UPLOAD = timedelta(minutes=1)

# Decisions speak for themselves, so their events are not among these.
_SHOWN = frozenset(
    {
        "product.create",
        "product.choose_top_category",
        "product.choose_none",
        "product.publish",
        "product.unpublish",
        "product.archive",
        "product.restore",
        "product.classify_again",
        "product.classify_cancel",
        "product.undo",
    }
)
_OF_IMAGES = {
    "image.archive": gettext_lazy("removed the photo %(name)s"),
    "image.delete": gettext_lazy("deleted the photo %(name)s for good"),
    "image.put_back": gettext_lazy("put back the photo %(name)s"),
}


@dataclass(frozen=True)
class Entry:
    """One line: when, who, through which channel, what, and the reason that was given. `change` names what can be
    undone; '' where nothing can."""

    at: datetime
    who: str
    channel: str
    text: str
    by_person: bool
    change: str = ""
    reason: str = ""


def _change(words: dict[str, str]) -> str:
    """Say that an attribute (`words["attribute"]`) became `after`, and what it was `before` if that differs."""
    if words["before"] and words["before"] != words["after"]:
        return _("%(attribute)s: %(before)s → %(after)s") % words
    return _("%(attribute)s: %(after)s") % words


def _decision_text(decision: Decision, before: str) -> str:
    words = {"attribute": decision.attribute.name, "before": before, "after": _value_text(decision)}
    if decision.kind == Decision.Kind.WITHDRAWN and before:
        return _("%(attribute)s: took back “%(before)s”") % words
    if decision.kind in {Decision.Kind.OPEN, Decision.Kind.WITHDRAWN}:
        return _("%(attribute)s: left open") % words
    return _change(words)


def _update_text(before: dict[str, str | None], after: dict[str, str | None]) -> str:
    """What became of name and SKU; None and "" stand for none."""
    texts = []
    for field, label in (("name", _("Name")), ("sku", "SKU")):
        words = {"attribute": label, "before": before[field] or "", "after": after[field] or ""}
        if words["before"] != words["after"]:
            texts.append(_change(words) if words["after"] else _("%(attribute)s: removed “%(before)s”") % words)
    return ", ".join(texts)


def _value_text(decision: Decision) -> str:
    if decision.kind == Decision.Kind.NOT_APPLICABLE:
        return _("not applicable")
    return decision.value.name if decision.value else ""


def _decisions(product: Product, *, may_undo: bool) -> list[Entry]:
    before: dict[int, str] = {}
    entries = []
    last = {one.attribute_id: one.pk for one in sorted(by_people(product.decisions.all()), key=lambda one: one.pk)}
    for decision in sorted(product.decisions.all(), key=lambda decision: decision.pk):
        entries.append(
            Entry(
                at=decision.created_at,
                who=decision.actor_name,
                channel=decision.get_channel_display(),
                text=_decision_text(decision, before.get(decision.attribute_id, "")),
                by_person=decision.source != Decision.Source.AUTO,
                change=change_of(decision) if may_undo and last.get(decision.attribute_id) == decision.pk else "",
                reason=decision.reason,
            )
        )
        before[decision.attribute_id] = _value_text(decision)
    return entries


def _name_of(field: str, value: str | None, taxonomy: Taxonomy) -> str:
    """What a status or a garment is called; a garment that nobody chose, or that is none of those found, is open."""
    if field == "status":
        return str(dict(Product.Status.choices).get(value or "", value or ""))
    found = taxonomy.today(CATEGORY, value or "")
    return found.name if found is not None else value or _("open")


def _turned(details: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    """From which status and which garment to which; '' where neither changed, or it was not recorded yet."""
    before, after = details.get("before"), details.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    labels = {"status": _("Status"), "top_category": _("Garment")}
    return ", ".join(
        _("%(attribute)s: %(before)s → %(after)s")
        % {
            "attribute": label,
            "before": _name_of(field, before[field], taxonomy),
            "after": _name_of(field, after[field], taxonomy),
        }
        for field, label in labels.items()
        if field in before and field in after and before[field] != after[field]
    )


def _state_text(event: AuditEvent, taxonomy: Taxonomy) -> str | None:
    """What became of status and garment. Decisions speak for themselves: a category says which garment it is of."""
    details, turned = event.details, _turned(event.details, taxonomy)
    if event.action == "product.review":
        decided = (details.get("values") or {}).get(CATEGORY, "")
        return turned if turned and decided in ("", "~") else None
    if event.action == "product.undo":
        renamed = _update_text(details["before"], details["after"])
        turned = ", ".join(text for text in (renamed, turned) if text)
    elif event.action not in _SHOWN:
        return None
    words = {"what": action_label(event.action), "how": turned}
    return _("%(what)s (%(how)s)") % words if turned else words["what"]


def _event_text(event: AuditEvent, images: int, taxonomy: Taxonomy) -> str | None:
    """Return the sentence, or None where the decisions say it already."""
    details: dict[str, Any] = event.details
    if event.action == "image.add":
        return ngettext("added %(count)d photo", "added %(count)d photos", images) % {"count": images}
    if event.action in _OF_IMAGES:
        return str(_OF_IMAGES[event.action]) % {"name": details.get("name", "")}
    if event.action == "product.update":
        return _update_text(details["before"], details["after"])
    return _state_text(event, taxonomy)


def _still_holds(event: AuditEvent, page: ProductPage, moves: set[int]) -> bool:
    """Whether what the event changed still stands, as far as the page knows."""
    details, product = event.details, page.product
    after = details.get("after")
    if event.action in IMAGES:
        shown = any(image.image.public_id == details.get("image") for image in page.images)
        return (
            shown
            if event.action == "image.put_back"
            else any(image.public_id == details.get("image") for image in page.removed)
        )
    if not isinstance(after, dict) or "before" not in details:
        return False
    if event.action == "product.update":
        return all((getattr(product, name) or "") == (after[name] or "") for name in ("name", "sku"))
    if event.action in MOVES:
        return event.pk in moves
    own = product.top_category.code if product.top_category else None
    return event.action in GARMENT and "top_category" in after and after["top_category"] == own


def _uploads(events: Iterable[AuditEvent]) -> dict[int, int]:
    """Count the images of each upload, by the id of its first event.

    The page sends images one by one; what one person sends within a minute is one upload to them.
    """
    counts: dict[int, int] = {}
    first: dict[tuple[int | None, int | None], AuditEvent] = {}
    for event in sorted(events, key=lambda event: event.pk):
        if event.action != "image.add":
            continue
        who = (event.user_id, event.api_key_id)
        if who not in first or event.created_at - first[who].created_at > _ONE_UPLOAD:
            first[who] = event
            counts[event.pk] = 0
        counts[first[who].pk] += len(event.details.get("images", []))
    return counts


def _events(page: ProductPage) -> list[Entry]:
    events = (
        AuditEvent.objects.filter(subject_type="product", subject_id=page.product.public_id)
        .select_related("user", "api_key", "impersonator")
        .order_by("-id")[:_LIMIT]
    )
    uploads = _uploads(events)
    moves = {event.pk for event in [event for event in events if event.action in MOVES][:1]}
    entries = []
    for event in events:
        if event.action == "image.add" and event.pk not in uploads:
            continue
        text = _event_text(event, uploads.get(event.pk, 0), page.taxonomy)
        if text is None:
            continue
        # An archived product comes back first; only that can be undone of it.
        may_undo = page.editable or (page.may_edit and event.action in MOVES)
        entries.append(
            Entry(
                at=event.created_at,
                who=event.author,
                channel=event.get_channel_display(),
                text=text,
                by_person=bool(event.user_id),
                change=change_of(event) if may_undo and _still_holds(event, page, moves) else "",
            )
        )
    return entries


def _proposal(page: ProductPage) -> list[Entry]:
    """What the models said last, as one line."""
    if page.progress.finished_at is None:
        return []
    garments = [
        ", ".join(f"{option.value} {percent(option.confidence)}" for _attribute, option in garment.cells)
        for garment in page.garments
    ]
    text = _("proposed %(garments)s") % {"garments": " · ".join(garments)} if garments else _("found no garment")
    return [Entry(page.progress.finished_at, _("model"), "", text, by_person=False)]


def history_of(page: ProductPage) -> list[Entry]:
    """Return the newest entries of the product of a page."""
    entries = [*_decisions(page.product, may_undo=page.editable), *_events(page), *_proposal(page)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:_LIMIT]
