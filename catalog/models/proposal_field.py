"""The column that holds a proposal."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog.proposal import Proposal, dump, parse


class ProposalField(models.JSONField):
    """A Proposal, stored as JSON. It is parsed once, when its row is read; nothing queries into it.

    Migrations see a plain JSONField: they convert what is stored, and must not depend on today's types.
    """

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Proposal | None:
        """Return what a row holds."""
        stored = super().from_db_value(value, expression, connection)
        return None if stored is None else parse(stored)

    def get_prep_value(self, value: Any) -> Any:
        """Return what is written to the row."""
        return dump(value) if isinstance(value, Proposal) else value

    def to_python(self, value: Any) -> Any:
        """Return what a fixture holds as a Proposal."""
        return parse(value) if isinstance(value, list) else value

    def value_to_string(self, obj: models.Model) -> Any:
        """Return what a fixture shall hold: JSON types, which its serializer writes."""
        return dump(self.value_from_object(obj))

    def deconstruct(self) -> Any:
        """Name the field for migrations: see the class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, {**kwargs, "default": list}
