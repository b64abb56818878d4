"""What an event of the audit trail changed, from what to what, in words: no page and no file shows codes or JSON.

Other applications know what their codes mean; each says so with `provide`, in its `AppConfig.ready`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.audit_labels import WRITTEN_MODELS, operation_label
from accounts.models import AuditEvent, Membership, Operation

# Says what a thing of that name is called and what this value of it is called; None where it knows nothing of it.
Naming = Callable[[str, Any], tuple[str, str] | None]
_MOST_NAMED = 10
_makers: list[Callable[[], Naming]] = []

# Whose names say nothing to people: they belong to the thing itself, or to how it is stored.
_LEFT_OUT = frozenset({"operation", "image", "garment", "replaces", "model_set", "cursor", "last", "images_ids"})
_LABELS: Mapping[str, Promise] = {
    "action": gettext_lazy("what"),
    "address": gettext_lazy("network address"),
    "activated_at": gettext_lazy("in service since"),
    "allowed": gettext_lazy("allowed"),
    "archived_at": gettext_lazy("archived"),
    "attribute": gettext_lazy("attribute"),
    "attributes": gettext_lazy("attributes"),
    "box": gettext_lazy("box (shares of the photo)"),
    "changes": gettext_lazy("change"),
    "channel": gettext_lazy("channel"),
    "code": gettext_lazy("code"),
    "closes_at": gettext_lazy("deleted for good at"),
    "decided": gettext_lazy("decided values"),
    "entries": gettext_lazy("entries"),
    "error": gettext_lazy("error"),
    "format": gettext_lazy("format"),
    "images": gettext_lazy("photos"),
    "kind": gettext_lazy("kind"),
    "mapping": gettext_lazy("what classes mean"),
    "mode": gettext_lazy("what is auto-accepted"),
    "models": gettext_lazy("models"),
    "name": gettext_lazy("name"),
    "network_namespace": gettext_lazy("opened without a network"),
    "precision": gettext_lazy("asked precision"),
    "published_at": gettext_lazy("published"),
    "role": gettext_lazy("role"),
    "since": gettext_lazy("from"),
    "sku": gettext_lazy("SKU"),
    "source_sha256": gettext_lazy("file (SHA-256)"),
    "status": gettext_lazy("status"),
    "threshold": gettext_lazy("from which confidence on"),
    "thresholds": gettext_lazy("thresholds"),
    "top_category": gettext_lazy("garment"),
    "total": gettext_lazy("how many"),
    "until": gettext_lazy("until"),
    "value": gettext_lazy("value"),
    "values": gettext_lazy("values"),
    "version": gettext_lazy("version"),
    "what": gettext_lazy("what"),
}
# What the values of some are called.
_VALUES: Mapping[str, Mapping[str, Any]] = {
    "mode": {
        "shared": gettext_lazy("as calibrated for all shops"),
        "own": gettext_lazy("by a threshold of its own"),
        "off": gettext_lazy("nothing"),
    },
    "role": dict(Membership.Role.choices),
}


@dataclass(frozen=True)
class Change:
    """One thing that an event says: what it is called, what it was, and what it is since. '' where there is nothing."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.before:
            return _("%(what)s: %(before)s → %(after)s") % {
                "what": self.what,
                "before": self.before,
                "after": self.after or "–",
            }
        return f"{self.what}: {self.after or '–'}"


def provide(maker: Callable[[], Naming]) -> None:
    """Name things of an application.

    Args:
        maker: called for each page, so that what it reads is read once for all of its events.
    """
    _makers.append(maker)


class Words:
    """Reads the details of events in the language that is active."""

    def __init__(self) -> None:
        self._namings = [maker() for maker in _makers]
        self._model: Mapping[str, str] = {}

    def changes(self, event: AuditEvent) -> list[Change]:
        """Return what the event says, leaving out what did not change."""
        self._model = _fields_of(event.subject_type)
        return self.of_details(event.details)

    def of_details(self, details: Any) -> list[Change]:
        """Return what details say: those of an event, or the parameters of an operation."""
        if not isinstance(details, dict):
            return [Change(_("change"), "", self.text("", details))] if details else []
        found = []
        before, after = details.get("before"), details.get("after")
        known = isinstance(before, dict) and isinstance(after, dict)
        if said := _django_message(details.get("changes"), of_rows=known):
            found.append(Change(_("change"), "", said))
        if isinstance(before, dict) and isinstance(after, dict):
            found += self._differences(before, after)
        rest = {key: value for key, value in details.items() if key not in {"before", "after", "changes"}}
        if "attribute" in rest and "value" in rest:
            attribute, value = str(rest.pop("attribute")), rest.pop("value")
            rest = {attribute: value, **rest}
        nested = rest.pop("values", None)
        if isinstance(nested, dict):  # what was answered, by attribute
            rest = {**nested, **rest}
        elif nested:
            rest["values"] = nested
        told = {change.what for change in found}
        for key, value in rest.items():
            if key not in _LEFT_OUT and (label := self.label(key, value)) not in told:
                found.append(Change(label, "", self.text(key, value)))
        return found

    def _differences(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
        found = []
        for key in dict.fromkeys([*before, *after]):
            was, now = before.get(key), after.get(key)
            if was == now:
                continue
            if isinstance(was, dict) and isinstance(now, dict):
                found += self._differences(was, now)
            else:
                found.append(Change(self.label(key, now), self.text(key, was), self.text(key, now)))
        return found

    def label(self, key: str, value: Any = None) -> str:
        """What a thing of that name is called."""
        if key in self._model:
            return self._model[key]
        named = self._named(key, value)
        if named is not None:
            return named[0]
        return str(_LABELS[key]) if key in _LABELS else key.replace("_", " ")

    def _named(self, key: str, value: Any) -> tuple[str, str] | None:
        return next((named for naming in self._namings if (named := naming(key, value)) is not None), None)

    def text(self, key: str, value: Any) -> str:
        """What a value of a thing is called."""
        named = self._named(key, value)
        if named is not None:
            return named[1]
        if value is None or value == "":
            return ""
        if key in _VALUES and isinstance(value, str):
            return str(_VALUES[key].get(value, value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, dict):
            return ", ".join(f"{self.label(name, one)}: {self.text(name, one)}" for name, one in value.items())
        if isinstance(value, list | tuple):
            return self._listed(key, value)
        if key == "kind":
            return operation_label(str(value))
        if key.endswith("_at") and isinstance(value, str) and (moment := parse_datetime(value)) is not None:
            return date_format(localtime(moment) if is_aware(moment) else moment, "SHORT_DATETIME_FORMAT")
        return str(value)

    def _listed(self, key: str, values: Iterable[Any]) -> str:
        values = list(values)
        if key == "images":
            return ngettext("%(count)d photo", "%(count)d photos", len(values)) % {"count": len(values)}
        said = ", ".join(self.text("", value) for value in values[:_MOST_NAMED])
        return f"{said} … (+{len(values) - _MOST_NAMED})" if len(values) > _MOST_NAMED else said

    def of_operation(self, operation: Operation) -> list[Change]:
        """Return with what a long operation was started."""
        return self.of_details({key: value for key, value in operation.parameters.items() if key not in _NOT_SHOWN})


# Of an operation: its report, the images that it draws, and where it is.
_NOT_SHOWN = frozenset({"images", "refused", "card", "name", "cursor", "last", "changed", "undone_by", "undoes"})


def _fields_of(subject_type: str) -> Mapping[str, str]:
    """What the fields of a thing are called that a page of the admin writes."""
    if subject_type not in WRITTEN_MODELS:
        return {}
    name = subject_type
    model = next((model for model in apps.get_models() if model._meta.model_name == name), None)
    fields = model._meta.get_fields() if model is not None else ()
    return {field.name: str(field.verbose_name) for field in fields if hasattr(field, "verbose_name")}


def _django_message(message: Any, *, of_rows: bool) -> str:
    """What Django's admin says of the form that was saved.

    Args:
        message: as the form wrote it.
        of_rows: leave out the fields of the form itself, of which more is known; only rows inline are named.
    """
    if not message or isinstance(message, str):
        return message or ""
    if of_rows:
        message = [one for one in message if any("object" in said for said in one.values())]
    if not message:
        return ""
    return LogEntry(change_message=json.dumps(message)).get_change_message()
