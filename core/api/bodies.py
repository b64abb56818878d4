"""What requests say: bodies without unknown fields, whose values have the types that the schema says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from json import JSONDecodeError
from typing import IO, Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from core.api.advice import one_of
from core.api.problems import EmptyBody

_MOST_NAMED = 5  # unknown fields that an answer names
_LONGEST_NAME = 40
_MOST_WRONG = 20  # values of a wrong type that are looked for; an answer names no more
_DEEPEST = 5  # level of a body whose place is named; none that the API takes is deeper
_HALF = "surrogate_characters_not_allowed"


def shown_name(name: str) -> str:
    """Return a field's name as a sentence may repeat it: short, and without what cannot be printed or encoded."""
    return "".join(character if character.isprintable() else "?" for character in name[:_LONGEST_NAME])


def unknown_fields(names: list[str], known: Iterable[str] = ()) -> ValidationError:
    """Return the refusal of names that an operation does not know; `known` are those that it does."""
    sentence = str(_("There is no such field."))
    if there_are := ", ".join(known):
        sentence += " " + str(_("There are: %(names)s.")) % {"names": there_are}
    refusal = ErrorDetail(sentence, code="unknown_field")
    return ValidationError({shown_name(name): [refusal] for name in names[:_MOST_NAMED]})


# What JSON has to hold for a field; the framework would also take "1" for a number and 1 for a text.
_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], tuple[type, ...]], ...] = (
    (serializers.BooleanField, (bool,)),
    (serializers.IntegerField, (int,)),
    (serializers.FloatField, (int, float)),
    (serializers.CharField, (str,)),
    (serializers.ChoiceField, (str,)),
)


def _has_wrong_type(field: serializers.Field[Any, Any, Any, Any], value: Any) -> bool:
    wanted = next((types for kind, types in _TYPES if isinstance(field, kind)), None)
    if wanted is None or value is None:
        return False
    return not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)


def _wrong_types(field: serializers.Field[Any, Any, Any, Any], value: Any) -> Any:
    """Return the refusal of a value of a wrong type as the framework nests them; None for a good one.

    A list that is too long is refused here: the framework would look at each of its entries first, for minutes.
    """
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        if field.max_length is not None and len(value) > field.max_length:
            return _too_long(field, value)
        return _wrong_entries((number, field.child, one) for number, one in enumerate(value))
    if isinstance(field, serializers.DictField) and isinstance(value, Mapping):
        return _wrong_entries((name, field.child, one) for name, one in value.items())
    if _has_wrong_type(field, value):
        return [ErrorDetail(str(_("This value has the wrong type.")), code="invalid")]
    return None


def _wrong_entries(entries: Iterable[tuple[Any, serializers.Field[Any, Any, Any, Any], Any]]) -> Any:
    """Return the refusals of the first wrong ones by name or number; None if there are none."""
    refused = ((name, wrong) for name, field, value in entries if (wrong := _wrong_types(field, value)))
    return dict(islice(refused, _MOST_WRONG)) or None


def _too_long(field: serializers.ListField, value: list[Any]) -> Any:
    try:
        field.run_validators(value)
    except ValidationError as error:
        return error.detail
    return None


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, and values of other types than the schema says.

    A misspelled field must not look as if it had been stored. Forms know texts only, so types count in JSON alone.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Let fields with choices name them when they refuse another one."""
        fields = super().get_fields()
        for field in fields.values():
            chosen = field.child if isinstance(field, serializers.ListField) else field
            if isinstance(chosen, serializers.ChoiceField):
                chosen.error_messages = {**chosen.error_messages, "invalid_choice": one_of(chosen.choices)}
        return fields

    def to_internal_value(self, data: Any) -> Any:
        """Check the names of the fields and the types of their values, then the fields.

        Raises:
            ValidationError: also with the code `unknown_field`.
        """
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise unknown_fields(unknown, self.fields)
            if not isinstance(data, QueryDict):
                wrong = _wrong_entries((name, field, data[name]) for name, field in self.fields.items() if name in data)
                if wrong:
                    raise ValidationError(wrong)
        return super().to_internal_value(data)


class BinaryFileField(serializers.FileField):
    """A file of a form. The schema knows it by this class and says `binary`."""


def body_of(request: Request) -> Any:
    """Return what the request's body holds.

    Raises:
        EmptyBody: it has none.
        APIException: it cannot be read; see the parsers.
    """
    if not request.META.get("CONTENT_LENGTH") or request.META["CONTENT_LENGTH"] == "0":
        raise EmptyBody
    return request.data


def _has_half(value: Any) -> bool:
    """Whether a text somewhere in it has half a character: in JSON a surrogate without the other one."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _half_refused(data: Any) -> ValidationError:
    """Return the refusal of the first text that has half a character, nested as the framework does it."""
    path: list[str] = []
    while isinstance(data, dict | list) and len(path) < _DEEPEST:
        entries = data.items() if isinstance(data, dict) else enumerate(data)
        name, below = next((name, one) for name, one in entries if _has_half(name) or _has_half(one))
        path.append(shown_name(str(name)))
        data = None if _has_half(name) else below
    detail: Any = [ErrorDetail(str(_("A text has half a character in it.")), code=_HALF)]
    for name in reversed(path):
        detail = {name: detail}
    return ValidationError(detail)


class SentenceJSONParser(JSONParser):
    """JSON whose mistakes are named in the caller's language."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Read the body.

        Raises:
            ParseError: it is not valid JSON, or nested deeper than anything that the API takes.
            ValidationError: a text in it has half a character, which no database and no answer can hold.
        """
        try:
            data: dict[str, Any] = super().parse(stream, media_type, parser_context)
            if _has_half(data):
                raise _half_refused(data)
            return data
        except (RecursionError, ParseError) as error:  # whose own sentence is English
            broken = error.__context__
            if not isinstance(broken, JSONDecodeError):
                raise ParseError from error
            place = {"line": broken.lineno, "column": broken.colno}
            raise ParseError(
                _("This is not valid JSON: it goes wrong at line %(line)d, column %(column)d.") % place
            ) from error
