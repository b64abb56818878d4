"""The search, filters and orders of the API's list of products: those of the portal, under names for programs."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django_filters.utils import translate_validation
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts.actors import Actor
from catalog.models import CATEGORY, Product
from catalog.product_filter import NEWEST, OPEN, SORTS, SOURCES, ProductFilter
from catalog.selection import Selection
from catalog.selectors import Taxonomy
from core.api import one_of, unknown_fields
from core.text import lookup_key

_LONGEST = 200
_MOST = 50  # codes in one address
# Parameters that are not texts: an empty one says nothing, so it was not meant.
_NEVER_EMPTY = (
    "status",
    "category_state",
    "confidence_below",
    "failed",
    "several_garments",
    "nothing_found",
    "created_since",
    "created_until",
    "changed_since",
    "ordering",
)
_BOOLEANS = ("true", "false")
# By the state of the category what the portal calls who says it.
_SOURCES = {state: source for source, state in SOURCES.items()}


class _Texts(forms.Field):
    """A parameter that may be repeated."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[str]:
        """Return the texts. Raises ValidationError `max_length` for too many, or too long ones."""
        texts = [str(text) for text in value or ()]
        if len(texts) > _MOST or any(len(text) > _LONGEST for text in texts):
            raise forms.ValidationError(_("There are too many of them, or one is too long."), code="max_length")
        return texts


class _TextsFilter(django_filters.Filter):  # type: ignore[misc]  # the package has no types
    field_class = _Texts


def _choice(*names: str, kind: type[django_filters.Filter] = django_filters.ChoiceFilter) -> django_filters.Filter:
    return kind(choices=[(name, name) for name in names], error_messages={"invalid_choice": one_of(names)})


def _day() -> django_filters.Filter:
    sentence = _("Write a day as in 2026-11-27.")
    return django_filters.DateFilter(input_formats=["%Y-%m-%d"], error_messages={"invalid": sentence})


class ProductFilterSet(django_filters.FilterSet):  # type: ignore[misc]  # as above
    """Reads the parameters and refuses what it does not understand; `catalog.product_filter` does the rest."""

    q = django_filters.CharFilter(max_length=_LONGEST)
    sku = django_filters.CharFilter(max_length=_LONGEST)
    status = _choice(*Product.Status.values, kind=django_filters.MultipleChoiceFilter)
    category = _TextsFilter()
    value = _TextsFilter()
    category_state = _choice(*_SOURCES)
    confidence_below = django_filters.NumberFilter(min_value=0.0001, max_value=1)
    failed = _choice(*_BOOLEANS)
    several_garments = _choice(*_BOOLEANS)
    nothing_found = _choice(*_BOOLEANS)
    created_since = _day()
    created_until = _day()
    changed_since = django_filters.IsoDateTimeFilter(
        error_messages={"invalid": _("Write a moment with its time zone as in 2026-11-27T10:00:00Z.")}
    )
    ordering = _choice(*SORTS)

    def chosen(self, others: frozenset[str], taxonomy: Taxonomy | None = None) -> ProductFilter:
        """Return what the address asks for; `others` are parameters that are not the filter's. Who has read the
        taxonomy already hands it over.

        Raises:
            ValidationError: also `unknown_field`, `unknown_attribute` and `unknown_value`.
        """
        unknown = [name for name in self.data if name not in self.base_filters and name not in others]
        if unknown:
            raise unknown_fields(unknown, [*self.base_filters, *sorted(others)])
        if empty := [name for name in _NEVER_EMPTY if "" in self.data.getlist(name)]:
            sentence = ErrorDetail(str(_("This filter does not know such a value.")), code="unknown_value")
            raise ValidationError({name: [sentence] for name in empty})
        if not self.is_valid():
            raise translate_validation(self.errors)
        said: dict[str, Any] = self.form.cleaned_data
        codes = self._codes(said)
        if taxonomy is None:
            taxonomy = Taxonomy.load() if codes or said["category_state"] else Taxonomy({}, {})
        _check(codes, taxonomy)
        data = QueryDict(mutable=True)
        data["q"] = said["q"]
        data.setlist("status", said["status"])
        for attribute, asked in codes.items():
            data.setlist(attribute, asked)
        data["source"] = _SOURCES.get(said["category_state"], "")
        data["below"] = str(said["confidence_below"] or "")
        flags = {"failed": "failed", "several": "several_garments", "nothing": "nothing_found"}
        for name, own in flags.items():
            data[name] = "1" if said[own] == "true" else ""
        for name, own in {"since": "created_since", "until": "created_until"}.items():
            data[name] = said[own].isoformat() if said[own] else ""
        data["sort"] = said["ordering"] or NEWEST
        return ProductFilter.parse(data, taxonomy)

    def _codes(self, said: dict[str, Any]) -> dict[str, list[str]]:
        """Return the codes that are asked for by attribute."""
        codes: dict[str, list[str]] = {CATEGORY: said["category"]} if said["category"] else {}
        for text in said["value"]:
            attribute, colon, code = text.partition(":")
            if not (attribute and colon and code):
                sentence = _("Write an attribute's code, a colon and a value's code, as in material:denim.")
                raise ValidationError({"value": [ErrorDetail(str(sentence), code="invalid")]})
            codes.setdefault(attribute, []).append(code)
        return codes

    def parts(self, actor: Actor, chosen: ProductFilter) -> list[QuerySet[Product]]:
        """Return the products that are asked for, to be read in the filter's order: in one queryset or more."""
        parts = Selection.of(actor, chosen, counted=False).parts_in_order()
        more: dict[str, Any] = {}
        if sku := self.form.cleaned_data["sku"]:
            more["sku_key"] = lookup_key(sku)
        if since := self.form.cleaned_data["changed_since"]:
            more["updated_at__gte"] = since
        return [part.filter(**more) for part in parts] if more else parts


def _check(codes: dict[str, list[str]], taxonomy: Taxonomy) -> None:
    for attribute, asked in codes.items():
        parameter = "category" if attribute == CATEGORY else "value"
        known = taxonomy.values.get(attribute)
        if known is None:
            sentence = _("There is no attribute “%(code)s”.") % {"code": attribute[:40]}
            raise ValidationError({parameter: [ErrorDetail(sentence, code="unknown_attribute")]})
        for code in asked:
            if code != OPEN and code not in known:
                sentence = _("There is no value “%(code)s”. Choose one of the list.") % {"code": code[:40]}
                raise ValidationError({parameter: [ErrorDetail(sentence, code="unknown_value")]})


def _parameter(name: str, description: str, schema: dict[str, Any], **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, description=description, **more)


def _list_of(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": _MOST}


_TEXT = {"type": "string", "maxLength": _LONGEST}
_FLAG = {"type": "string", "enum": ["true", "false"]}
PARAMETERS = [
    _parameter("q", "Words of the name or SKU, in any order.", _TEXT),
    _parameter("sku", "The SKU, in any spelling.", _TEXT),
    _parameter(
        "status",
        "May be repeated. Archived products are listed only where their status is asked for.",
        _list_of({"type": "string", "enum": list(Product.Status.values)}),
        explode=True,
    ),
    _parameter(
        "category",
        "Code of a category, or of a top-level category with all in it. May be repeated; `-` finds products that have "
        "none yet.",
        _list_of(_TEXT),
        explode=True,
    ),
    _parameter(
        "value",
        "An attribute's code, a colon and a value's code, such as `material:denim`, or `material:-` for none yet. May "
        "be repeated: values of one attribute are alternatives, those of several must all hold.",
        _list_of({"type": "string", "maxLength": _LONGEST, "pattern": "^[^:]+:.+$"}),
        explode=True,
    ),
    _parameter("category_state", "How the category came about.", {"type": "string", "enum": list(_SOURCES)}),
    _parameter(
        "confidence_below",
        "Something that is only proposed is less sure than this.",
        {"type": "number", "minimum": 0.0001, "maximum": 1},
    ),
    _parameter("failed", "`true`: images could not be classified.", _FLAG),
    _parameter("several_garments", "`true`: several garments may be the product, and nobody has chosen one.", _FLAG),
    _parameter("nothing_found", "`true`: the models found no garment.", _FLAG),
    _parameter("created_since", "First day.", {"type": "string", "format": "date"}),
    _parameter("created_until", "Last day.", {"type": "string", "format": "date"}),
    _parameter(
        "changed_since",
        "Changed then or later, by `updated_at`; with `ordering=changed` what a copy elsewhere has to fetch again.",
        {"type": "string", "format": "date-time"},
    ),
    _parameter(
        "ordering",
        "`newest` is the usual one; `doubt` begins with what the models are least sure of.",
        {"type": "string", "enum": list(SORTS), "default": NEWEST},
    ),
]
OF_LIST_ALONE = ("sku", "changed_since")
# Of operations on what a filter matches.
OF_OPERATIONS = [parameter for parameter in PARAMETERS if parameter.name not in OF_LIST_ALONE]
