"""How commands name versions and sets of the registry."""

from __future__ import annotations

from typing import TypeVar

from django.core.management.base import CommandError
from django.db.models import QuerySet

from classifier.models import ModelSet, ModelVersion

R = TypeVar("R", ModelVersion, ModelSet)

NAMING = "a name; or version:ID or set:ID, which the lists of model versions and model sets in the admin show"


def find(text: str) -> ModelVersion | ModelSet:
    """The version or the set that `text` names. CommandError if there is none, or several."""
    kind, _separator, number = text.partition(":")
    if kind in {"version", "set"} and number.isdecimal():
        row = (ModelSet if kind == "set" else ModelVersion).objects.filter(pk=number).first()
    else:
        row = _called(text, version_rows()) or _called(text, ModelSet.objects.all())
    if row is None:
        known = ", ".join(f"{version.name} (version:{version.pk})" for version in version_rows()[:20])
        raise CommandError(f"Nothing in the registry is called {text!r}. Versions: {known or 'none yet'}.")
    return row


def version_rows() -> QuerySet[ModelVersion]:
    """All versions, newest first."""
    return ModelVersion.objects.order_by("-pk")


def _called(name: str, rows: QuerySet[R]) -> R | None:
    found = [row for row in rows.filter(name=name) if row.name == name]  # MariaDB also finds `cafe ` for `Café`
    if len(found) > 1:
        kind = "set" if isinstance(found[0], ModelSet) else "version"
        several = ", ".join(f"{kind}:{row.pk}" for row in found[:20])
        raise CommandError(f"Several are called {found[0]}: give one of {several}.")
    return found[0] if found else None


def find_all(texts: list[str]) -> tuple[list[ModelVersion], ModelSet | None]:
    """The versions that these texts name, or the one set. CommandError for a mixture."""
    rows = [find(text) for text in texts]
    sets = [row for row in rows if isinstance(row, ModelSet)]
    if sets and len(rows) > 1:
        raise CommandError("Give either one set, or versions.")
    return [row for row in rows if isinstance(row, ModelVersion)], sets[0] if sets else None
