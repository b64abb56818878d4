"""The audit trail as lists and files show it: what each event was about and what it changed, in words."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from django.apps import apps
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.audit_details import Change, Words
from accounts.audit_labels import action_label, subject_label
from accounts.models import AuditEvent
from core.admin.base import link_to
from core.spreadsheets import safe

_CHUNK = 1000


def model_of(subject_type: str) -> type[Model] | None:
    """Return the model that a subject's type names, if there is one."""
    name = subject_type.replace("_", "")
    return next((model for model in apps.get_models() if model._meta.model_name == name), None)


def _key(model: type[Model]) -> str:
    return "public_id" if any(field.name == "public_id" for field in model._meta.fields) else "pk"


def subjects_of(events: Iterable[AuditEvent]) -> Mapping[tuple[str, str], Model]:
    """Return what events were about, as far as it is still there, by type and number; one query for each type."""
    numbers: dict[str, set[str]] = defaultdict(set)
    for event in events:
        numbers[event.subject_type].add(event.subject_id)
    found: dict[tuple[str, str], Model] = {}
    for subject_type, ids in numbers.items():
        model = model_of(subject_type)
        if model is None:
            continue
        key = _key(model)
        wanted = ids if key == "public_id" else {one for one in ids if one.isdecimal() and len(one) < 19}
        for row in model._default_manager.filter(**{f"{key}__in": wanted}):
            found[subject_type, str(getattr(row, key))] = row
    return found


def name_of(event: AuditEvent, row: Model | None) -> str:
    """What the subject is called: now, else when it was written down; '' where nobody knows."""
    if row is not None:
        return str(row)
    name = event.details.get("name", "") if isinstance(event.details, dict) else ""
    return str(name)


class Trail:
    """Reads a page of events for one person: links lead only where they may go."""

    def __init__(self, request: HttpRequest, events: Iterable[AuditEvent]) -> None:
        self._request = request
        self._words = Words()
        self._subjects = subjects_of(events)

    def changes(self, event: AuditEvent) -> list[Change]:
        """What the event changed."""
        return self._words.changes(event)

    def subject(self, event: AuditEvent) -> str:
        """What it was about, as a link to its page if there is one for this person."""
        row = self._subjects.get((event.subject_type, event.subject_id))
        label = subject_label(event.subject_type)
        if row is not None and self._may_look(row):
            return format_html("{} {}", label, link_to(row))
        return f"{label} {name_of(event, row) or event.subject_id}"

    def _may_look(self, row: Model) -> bool:
        page = admin.site._registry.get(type(row))
        return page is not None and page.has_view_permission(self._request)


class _Echo:
    """What the writer of CSV writes to: the text comes back from `writerow`."""

    def write(self, text: str) -> str:
        return text


def as_csv(events: QuerySet[AuditEvent]) -> Iterator[str]:
    """Write events as CSV, the newest first, in constant memory: a thousand of them are read at a time."""
    writer = csv.writer(_Echo())
    heads = (
        _("time"),
        _("what"),
        _("subject"),
        _("number"),
        _("name"),
        _("author"),
        _("channel"),
        _("merchant"),
        _("change"),
    )
    yield "\ufeff" + str(writer.writerow(heads))
    words = Words()
    left = events.select_related("merchant", "user", "api_key", "impersonator").order_by("-pk")
    last: int | None = None
    while some := list((left if last is None else left.filter(pk__lt=last))[:_CHUNK]):
        last = some[-1].pk
        subjects = subjects_of(some)
        for event in some:
            row = subjects.get((event.subject_type, event.subject_id))
            line = (
                localtime(event.created_at).isoformat(timespec="seconds"),
                action_label(event.action),
                subject_label(event.subject_type),
                event.subject_id,
                name_of(event, row),
                event.author,
                event.get_channel_display(),
                str(event.merchant or ""),
                "; ".join(str(change) for change in words.changes(event)),
            )
            yield str(writer.writerow([safe(cell) for cell in line]))
