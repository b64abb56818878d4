"""A product's history as people read it: what was decided, and what else was done, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit_labels import action_label
from accounts.models import AuditEvent
from catalog.certainty import percent
from catalog.models import Decision, Product
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
    }
)
_OF_IMAGES = {
    "image.archive": gettext_lazy("removed the photo %(name)s"),
    "image.delete": gettext_lazy("deleted the photo %(name)s for good"),
    "image.put_back": gettext_lazy("put back the photo %(name)s"),
}


@dataclass(frozen=True)
class Entry:
    """One line: when, who, through which channel, and what."""

    at: datetime
    who: str
    channel: str
    text: str
    by_person: bool


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


def _decisions(product: Product) -> list[Entry]:
    before: dict[int, str] = {}
    entries = []
    for decision in sorted(product.decisions.all(), key=lambda decision: decision.pk):
        entries.append(
            Entry(
                at=decision.created_at,
                who=decision.actor_name,
                channel=decision.get_channel_display(),
                text=_decision_text(decision, before.get(decision.attribute_id, "")),
                by_person=decision.source != Decision.Source.AUTO,
            )
        )
        before[decision.attribute_id] = _value_text(decision)
    return entries


def _event_text(event: AuditEvent, images: int) -> str | None:
    """Return the sentence, or None where the decisions say it already."""
    details: dict[str, Any] = event.details
    if event.action == "image.add":
        return ngettext("added %(count)d photo", "added %(count)d photos", images) % {"count": images}
    if event.action in _OF_IMAGES:
        return str(_OF_IMAGES[event.action]) % {"name": details.get("name", "")}
    if event.action == "product.update":
        return _update_text(details["before"], details["after"])
    return action_label(event.action) if event.action in _SHOWN else None


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


def _events(product: Product) -> list[Entry]:
    events = (
        AuditEvent.objects.filter(subject_type="product", subject_id=product.public_id)
        .select_related("user", "api_key")
        .order_by("-id")[:_LIMIT]
    )
    uploads = _uploads(events)
    entries = []
    for event in events:
        if event.action == "image.add" and event.pk not in uploads:
            continue
        text = _event_text(event, uploads.get(event.pk, 0))
        if text is not None:
            who = str(event.user or (event.api_key.name if event.api_key else _("system")))
            entries.append(
                Entry(event.created_at, who, event.get_channel_display(), text, by_person=bool(event.user_id))
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
    entries = [*_decisions(page.product), *_events(page.product), *_proposal(page)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:_LIMIT]
