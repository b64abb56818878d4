"""`fields=` and `expand=`: callers choose what they read of a thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from core.api.bodies import shown_name

FIELDS, EXPAND = "fields", "expand"
SELECTION_PARAMETERS = frozenset((FIELDS, EXPAND))


@dataclass(frozen=True, slots=True)
class Selection:
    """What a caller asked for; `fields` is None where nothing was left out."""

    fields: frozenset[str] | None = None
    expand: frozenset[str] = frozenset()

    def wants(self, name: str, expandable: frozenset[str]) -> bool:
        """Whether the answer has a field."""
        if self.fields is not None:
            return name in self.fields or name in self.expand
        return name not in expandable or name in self.expand


class SelectedFieldsSerializer(serializers.Serializer[Any]):
    """Shows those of its fields that the caller asked for, by a `Selection` in the context under `selection`.

    `expandable` names fields that cost more: they are left out unless `expand` or `fields` names them.
    """

    expandable: ClassVar[frozenset[str]] = frozenset()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields that are wanted; all where nobody chose, as for the schema."""
        fields = super().get_fields()
        parent: Any = self.parent
        if parent is not None and not (isinstance(parent, serializers.ListSerializer) and parent.parent is None):
            return fields  # part of something larger, which the caller chose from
        selection: Selection | None = self.context.get("selection")
        if selection is None:
            for name in self.expandable:
                fields[name].required = False
            return fields
        return {name: field for name, field in fields.items() if selection.wants(name, self.expandable)}


def _named(request: Request, parameter: str, known: frozenset[str]) -> frozenset[str] | None:
    said = request.query_params.get(parameter)
    if said is None:
        return None
    names = [name.strip() for name in said.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        sentence = _("There is no field “%(name)s”.") % {"name": shown_name(unknown[0])}
        raise ValidationError({parameter: [ErrorDetail(sentence, code="unknown_field")]})
    return frozenset(names)


def selection_of(request: Request, serializer: type[SelectedFieldsSerializer]) -> Selection:
    """Read which fields of that serializer the address asks for.

    Raises:
        ValidationError: `unknown_field`.
    """
    known: Mapping[str, Any] = serializer._declared_fields
    fields = _named(request, FIELDS, frozenset(known))
    return Selection(fields, _named(request, EXPAND, serializer.expandable) or frozenset())


def selection_parameters(serializer: type[SelectedFieldsSerializer]) -> list[OpenApiParameter]:
    """Describe the parameters for `extend_schema(parameters=…)`."""

    def parameter(name: str, names: list[str], description: str) -> OpenApiParameter:
        schema = {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1}
        return OpenApiParameter(name, schema, description=description, style="form", explode=False)

    fields = parameter(FIELDS, list(serializer._declared_fields), "Only these fields, separated by commas.")
    if not serializer.expandable:
        return [fields]
    return [fields, parameter(EXPAND, sorted(serializer.expandable), "Fields to add, separated by commas.")]
