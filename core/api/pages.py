"""Pages of lists. A page begins behind a row, not after so many: rows that come or go in between move nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.db.models import DateTimeField, Field, Model, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.utils.urls import remove_query_param, replace_query_param

from core.db import keys_of

if TYPE_CHECKING:
    from rest_framework.views import APIView

_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class _Cursor:
    """A place in a list that is sorted by `order`: what the row there has in these columns, and which way to read."""

    order: tuple[str, ...]
    place: tuple[Any, ...]
    backward: bool = False

    @classmethod
    def parse(cls, text: str, order: tuple[str, ...], model: type[Model]) -> _Cursor:
        """Read a cursor.

        Raises:
            ValueError: it is none, or of a list in another order.
            TypeError: as well.
        """
        written = json.loads(base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True))
        backward, said_order, place = written
        if tuple(said_order) != order or type(backward) is not bool:
            raise ValueError(text)
        columns = [_column(model, name) for name in order]
        return cls(order, tuple(_read(column, part) for column, part in zip(columns, place, strict=True)), backward)

    def __str__(self) -> str:
        place = [part.isoformat() if isinstance(part, datetime) else part for part in self.place]
        written = json.dumps([self.backward, self.order, place], separators=(",", ":"))
        return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")

    def rows(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows behind the place, in the order in which they are read."""
        order = _turned(self.order) if self.backward else self.order
        wanted = Q()
        for number, name in enumerate(order):
            before = {one.lstrip("-"): part for one, part in zip(order[:number], self.place, strict=False)}
            way = "lt" if name.startswith("-") else "gt"
            wanted |= Q(**before, **{f"{name.lstrip('-')}__{way}": self.place[number]})
        return queryset.filter(wanted).order_by(*order)


def _turned(order: Sequence[str]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _column(model: type[Model], name: str) -> Field[Any, Any]:
    name = name.lstrip("-")
    # Lists are in the order of fields, never of relations without a column.
    return cast(Field[Any, Any], model._meta.pk if name == "pk" else model._meta.get_field(name))


def _read(column: Field[Any, Any], part: Any) -> Any:
    if isinstance(column, DateTimeField):
        when = parse_datetime(part)
        if when is None or when.tzinfo is None:
            raise ValueError(part)
        return when
    is_text = column.get_internal_type() in {"CharField", "TextField"}
    if type(part) is not (str if is_text else int) or (isinstance(part, int) and abs(part) >= _LARGEST):
        raise TypeError(part)
    return part


def _refusal(parameter: str, code: str, sentence: Any) -> ValidationError:
    return ValidationError({parameter: [ErrorDetail(str(sentence), code=code)]})


class CursorPages(BasePagination):
    """`?page_size=100&cursor=…`: the answer's `next` and `previous`, and its header `Link`, lead from page to page.

    A view says by `page_order` in which columns its list is sorted; the last one must be unique. None may be null.
    """

    page_size_param: ClassVar[str] = "page_size"
    cursor_param: ClassVar[str] = "cursor"
    parameters: ClassVar[frozenset[str]] = frozenset((page_size_param, cursor_param))
    max_page_size: ClassVar[int] = 200

    def __init__(self, order: Sequence[str] | None = None) -> None:
        self._order = tuple(order) if order is not None else None
        self._next: str | None = None
        self._previous: str | None = None

    def paginate_queryset(
        self,
        queryset: Any,
        request: Request,
        view: APIView | None = None,
        parts: Sequence[QuerySet[Any]] | None = None,
    ) -> list[Any]:
        """Return the rows of the page that the address asks for; one query.

        Args:
            queryset: the list's rows.
            request: whose address it is.
            view: says the order, unless the pages were told.
            parts: querysets that find the list's rows, each row once; `queryset` then only reads those of the page.

        Raises:
            ValidationError: `invalid_cursor` or `invalid_page_size`.
        """
        order = self._order or tuple(getattr(view, "page_order", ("-pk",)))
        size = self._size(request)
        cursor = self._cursor(request, order, queryset.model)
        found = [
            (cursor.rows(part) if cursor is not None else part.order_by(*order))[: size + 1]
            for part in ([queryset] if parts is None else parts)
        ]
        way = _turned(order) if cursor is not None and cursor.backward else order
        page = list(found[0] if parts is None else queryset.filter(pk__in=keys_of(found)).order_by(*way)[: size + 1])
        more, page = len(page) > size, page[:size]
        backward = cursor is not None and cursor.backward
        if backward:
            page.reverse()
        if page:
            url = request.build_absolute_uri()
            if more or backward:
                self._next = self._url(url, _Cursor(order, _place(page[-1], order)))
            if more if backward else cursor is not None:
                self._previous = self._url(url, _Cursor(order, _place(page[0], order), backward=True))
        elif backward:
            self._next = remove_query_param(request.build_absolute_uri(), self.cursor_param)
        return page

    def _size(self, request: Request) -> int:
        said = request.query_params.get(self.page_size_param)
        if said is None:
            return int(api_settings.PAGE_SIZE or self.max_page_size)
        if not (said.isascii() and said.isdecimal() and len(said) < 10 and 1 <= int(said) <= self.max_page_size):
            sentence = _("The page size must be a number from 1 to %(limit)d.") % {"limit": self.max_page_size}
            raise _refusal(self.page_size_param, "invalid_page_size", sentence)
        return int(said)

    def _cursor(self, request: Request, order: tuple[str, ...], model: type[Model]) -> _Cursor | None:
        said = request.query_params.get(self.cursor_param)
        if said is None:
            return None
        try:
            return _Cursor.parse(said, order, model)
        except (ValueError, TypeError, RecursionError) as error:
            sentence = _("This cursor is none of this list. Begin with the first page.")
            raise _refusal(self.cursor_param, "invalid_cursor", sentence) from error

    def _url(self, url: str, cursor: _Cursor) -> str:
        return replace_query_param(url, self.cursor_param, str(cursor))

    def get_paginated_response(self, data: Any) -> Response:
        """Answer with the page."""
        links = {"next": self._next, "prev": self._previous}
        link = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items() if url)
        body = {"results": data, "next": self._next, "previous": self._previous}
        return Response(body, headers={"Link": link} if link else None)

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """Describe a page."""
        url = {"type": ["string", "null"], "format": "uri"}
        example = "http://localhost:8000/api/v1/products?cursor=W2ZhbHNlLFsiLXBrIl0sWzQyXV0"
        # The framework also asks with a mark in place of a schema.
        entries = schema | {"description": "The entries of the page."} if isinstance(schema, dict) else schema
        before = "http://localhost:8000/api/v1/products?cursor=W3RydWUsWyItcGsiXSxbNDFdXQ"
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": entries,
                "next": {**url, "description": "The next page; null on the last one.", "example": example},
                "previous": {**url, "description": "The page before; null on the first one.", "example": before},
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe the parameters."""
        return [
            {
                "name": self.page_size_param,
                "in": "query",
                "required": False,
                "description": "How many entries a page has. A number over the limit is refused.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": self.max_page_size,
                    "default": api_settings.PAGE_SIZE,
                },
            },
            {
                "name": self.cursor_param,
                "in": "query",
                "required": False,
                "description": "Where the page begins: taken from `next` or `previous`, never made up.",
                "schema": {"type": "string"},
            },
        ]


def _place(row: Any, order: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(row, name.lstrip("-")) for name in order)
