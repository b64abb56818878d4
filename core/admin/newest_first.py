"""Lists of tables that grow without end: newest first, paged by key, without a count and without a sort.

A database that joins, counts or sorts a million rows for one page takes seconds. So the keys of a page are read first,
by the conditions alone, in the order of the primary key; then the rows with those keys, with all that is shown of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, TypeVar

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.validators import EMPTY_VALUES
from django.db.models import Model, QuerySet, Subquery
from django.forms import Select
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import is_naive, make_aware
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.utils import parse_datetime_str

from core.admin.base import BaseAdmin
from core.admin.theme import ModelAdmin, display

M = TypeVar("M", bound=Model)

_KEY = "-KEY-"
_SELECT_ALL = ModelAdmin.action_checkbox.short_description  # type: ignore[attr-defined]  # set by its decorator
OLDER, NEWER = "older", "newer"  # in addresses: the rows beyond the one with that key
FEW = 1_000  # what is looked up by key instead of walked to
_SLACK = timedelta(days=1)  # by which keys may follow each other otherwise than times do


@cache
def _box() -> str:
    return str(ModelAdmin.action_checkbox(None, SimpleNamespace(pk=_KEY)))  # type: ignore[arg-type,type-var]  # it reads a key only


def _quickly(choices: Callable[[Any], Iterable[Any]], changelist: Any) -> Iterator[Any]:
    for entry in choices(changelist):
        for field in getattr(entry.get("form"), "fields", {}).values():
            if isinstance(field.widget, Select) and not hasattr(field.widget, "get_url"):
                field.widget.render = partial(_select, field.widget)  # type: ignore[method-assign,assignment]  # of this one widget
        yield entry


def _select(widget: Select, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
    """What the widget's template writes."""
    chosen = set(widget.format_value(value))
    options = ((code, mark_safe(" selected") if str(code) in chosen else "", label) for code, label in widget.choices)
    written = format_html_join("", '<option value="{}"{}>{}</option>', options)
    return format_html(
        '<select name="{}"{}>{}</select>', name, flatatt(widget.build_attrs(widget.attrs, attrs)), written
    )


class _Pages:
    """What the theme asks of a paginator: the template that shows where one can go."""

    template_name = "admin/newest_first_pages.html"

    def __init__(self, per_page: int) -> None:
        self.per_page = per_page


class NewestFirstList(ChangeList):
    """One page of such a list."""

    newer_link = older_link = ""

    def get_filters_params(self, params: Any = None) -> Any:
        """Take the place in the list out of what the filters read, and out of their links."""
        for name in (OLDER, NEWER):
            self.filter_params.pop(name, None)
        return super().get_filters_params(params)

    def get_filters(self, request: HttpRequest) -> Any:
        """Let the filters' boxes be written without a template for each of their choices."""
        specs, *others = super().get_filters(request)
        for spec in specs:
            spec.choices = partial(_quickly, spec.choices)  # type: ignore[method-assign]  # of this one filter
        return specs, *others

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """The only order that costs nothing."""
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Read the page: its keys, then its rows."""
        keys, newer, older = self._keys(self._place(OLDER), self._place(NEWER))
        found = {row.pk: row for row in (self.rows(request, keys) if keys else ())}
        self.result_list: Any = [found[key] for key in keys if key in found]
        whole = not (newer or older)
        # The number of all is not known where there are more pages. The theme compares these two.
        self.result_count = len(keys) + (not whole)
        self.full_result_count = None if whole and self._is_narrowed() else self.result_count
        self.show_full_result_count = self.show_all = self.can_show_all = self.multi_page = False
        self.paginator: Any = _Pages(self.list_per_page)
        self.has_more_pages = not whole
        if newer:
            self.newer_link = self.get_query_string({NEWER: keys[0]})
        if older:
            self.older_link = self.get_query_string({OLDER: keys[-1]})

    def rows(self, request: HttpRequest, keys: Sequence[Any]) -> Iterable[Any]:
        """The objects of a page, in any order."""
        return self.apply_select_related(self.root_queryset.filter(pk__in=keys))

    def _is_narrowed(self) -> bool:
        return bool(self.query or self.has_active_filters)

    def _place(self, name: str) -> int | None:
        text = str(self.params.get(name, ""))
        return int(text) if text.isascii() and text.isdecimal() else None

    def _keys(self, older: int | None, newer: int | None) -> tuple[list[Any], bool, bool]:
        """The keys of the page, and whether there are newer and older ones."""
        more = self.list_per_page + 1
        keys = self.queryset.values_list("pk", flat=True)
        if newer is not None:
            found = list(keys.filter(pk__gt=newer).order_by("pk")[:more])
            if found:
                return found[: self.list_per_page][::-1], len(found) == more, True
        if older is not None:
            keys = keys.filter(pk__lt=older)
        found = list(keys.order_by("-pk")[:more])
        return found[: self.list_per_page], older is not None, len(found) == more


class NewestFirst(BaseAdmin[M]):
    """Mixin: the page's list is such a list. What `list_select_related` names is joined to the rows of a page only."""

    ordering = ("-pk",)
    sortable_by = ()
    show_full_result_count = False
    list_per_page = 20  # most of a page's time goes into the theme's templates, by the row

    @display(description=_SELECT_ALL)
    def action_checkbox(self, obj: M) -> SafeString:
        """The theme's box before each row, without a template for each."""
        return mark_safe(_box().replace(_KEY, escape(str(obj.pk))))  # noqa: S308 - the theme's, and an escaped key

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list above."""
        return NewestFirstList


class KeyFilter(AutocompleteSelectFilter):
    """Rows that refer to the chosen one, which is looked up as it is typed; its name costs one query, not two."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The theme's control, but of a form that need not be checked."""
        for entry in super().choices(changelist):
            entry["form"].is_bound, entry["form"].initial = False, entry["form"].data
            yield entry


class TimeFilter(RangeDateTimeFilter):
    """Rows of a period, by the column that says when a row was added, of which there must be an index.

    Keys follow that column, so that the first and the last row of the period bound the walk through the keys.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        """Keep those of the period; None, as of Django's filters, for a text that says none."""
        try:
            start, end = self._bound("from"), self._bound("to")
        except (ValueError, ValidationError):
            return None
        column, rows = str(self.parameter_name), queryset.model._default_manager.order_by()
        keys, bounds = {}, {}
        if start is not None:
            first = rows.filter(**{f"{column}__gte": start - _SLACK}).order_by(column)
            keys["pk__gte"] = Subquery(first.values("pk")[:1])
            bounds[f"{column}__gte"] = start
        if end is not None:
            last = rows.filter(**{f"{column}__lte": end + _SLACK}).order_by(f"-{column}")
            keys["pk__lte"] = Subquery(last.values("pk")[:1])
            bounds[f"{column}__lte"] = end
        if not bounds:
            return queryset
        # Looked up before: the database must not choose an index for the times, and sort by it.
        found = rows.annotate(**{f"bound_{name}": key for name, key in keys.items()})
        ends = found.values_list(*(f"bound_{name}" for name in keys))[:1]
        looked_up = dict(zip(keys, next(iter(ends), [None] * len(keys)), strict=True))
        return queryset.filter(**bounds, **{name: key or 0 for name, key in looked_up.items()})

    def _bound(self, which: str) -> datetime | None:
        parts = [self.used_parameters.get(f"{self.parameter_name}_{which}_{place}") for place in (0, 1)]
        day, time = (part[0] if isinstance(part, list) else part for part in parts)
        if day in EMPTY_VALUES or time in EMPTY_VALUES:
            return None
        given = parse_datetime_str(f"{day} {time}")
        return make_aware(given) if given is not None and is_naive(given) else given
