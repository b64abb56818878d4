"""Mappings to marketplaces' taxonomies: looked at, edited as the next version, downloaded and uploaded as CSV."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.base import ReadOnlyAdmin, admin_actor
from catalog.mapping import Mapper
from catalog.models import Attribute, AttributeValue, TaxonomyMapping
from catalog.selectors import Taxonomy
from catalog.services import mappings
from catalog.services.exports.preview import preview_newest
from catalog.services.mappings import Entry
from core.admin.base import dialog
from core.admin.theme import Dialog, action, display
from core.errors import Refused
from core.text import tidied

_CODE = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
_NEW_PAIRS = 3
Ids = tuple[int, int | None]


class MappingForm(forms.Form):
    """What a mapping is called, where it is from, and a CSV file in place of the table below."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("As merchants choose it at export."),
        widget=UnfoldAdminTextInputWidget,
    )
    source = forms.CharField(
        label=gettext_lazy("Where it is from"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        required=False,
        help_text=gettext_lazy("Replaces all entries. Columns: value, with, code, name."),
        widget=UnfoldAdminFileFieldWidget,
    )


class NewMappingForm(MappingForm):
    """A mapping that there is not yet."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        help_text=gettext_lazy("Stays as it is: addresses and files name the mapping by it."),
        widget=UnfoldAdminTextInputWidget,
    )
    attribute = forms.ModelChoiceField(
        Attribute.objects.filter(active=True),
        label=gettext_lazy("Attribute"),
        help_text=gettext_lazy("Whose values are mapped; an entry may ask for a value of another one beside it."),
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("code", "name", "attribute", "source", "file")

    def clean_code(self) -> str:
        """Refuse what cannot be a code, or another mapping's."""
        code: str = self.cleaned_data["code"]
        if not _CODE.fullmatch(code):
            raise forms.ValidationError(_("A code has lower-case letters, digits, “-” and “_”."), code="bad_code")
        if TaxonomyMapping.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is a mapping with this code already."), code="code_taken")
        return code


@dataclass(frozen=True)
class TableRow:
    """A line of the table in which entries are edited; its fields are named by `key`."""

    value: AttributeValue
    other: AttributeValue | None
    code: str
    name: str

    @property
    def key(self) -> str:
        """The ids of the values."""
        return f"{self.value.pk}-{self.other.pk if self.other is not None else ''}"


class EntryTable:
    """All values of a mapping's attribute, each with what it is called elsewhere, then the pairs."""

    def __init__(self, mapping: TaxonomyMapping, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self._own = mapping.attribute.code
        entries = {entry.ids: entry for entry in mappings.entries_of(mapping)}
        current = [value for value in taxonomy.values[self._own].values() if value.merged_into_id is None]
        known = [value for value in current if value.active or (value.pk, None) in entries]
        single = [entries.pop((value.pk, None), Entry(value, None, "", "")) for value in known]
        self.rows = [TableRow(one.value, one.other, one.code, one.name) for one in (*single, *entries.values())]

    @property
    def values(self) -> list[AttributeValue]:
        """What a new pair may begin with."""
        return [value for value in self._taxonomy.values[self._own].values() if value.active]

    @property
    def others(self) -> list[tuple[Attribute, list[AttributeValue]]]:
        """What it may go together with."""
        return [
            (attribute, self._taxonomy.leaves(code))
            for code, attribute in self._taxonomy.attributes.items()
            if code != self._own
        ]

    @property
    def numbers(self) -> range:
        """Of the lines for new pairs."""
        return range(_NEW_PAIRS)

    def entries(self, data: Any) -> list[Entry]:
        """Read what was typed; lines without a code are left out."""
        said = [
            Entry(
                row.value, row.other, tidied(data.get(f"code-{row.key}", "")), tidied(data.get(f"name-{row.key}", ""))
            )
            for row in self.rows
        ]
        by_id = {str(value.pk): value for value in self.values}
        other_by_id = {str(value.pk): value for _attribute, values in self.others for value in values}
        for number in self.numbers:
            value, other = (
                by_id.get(data.get(f"value-{number}", "")),
                other_by_id.get(data.get(f"other-{number}", "")),
            )
            if value is not None:
                code, name = (tidied(data.get(f"{what}-new-{number}", "")) for what in ("code", "name"))
                said.append(Entry(value, other, code, name))
        return [entry for entry in said if entry.code]


def _mapping(object_id: str) -> TaxonomyMapping:
    """The mapping of an address. Raises Http404."""
    if not object_id.isascii() or not object_id.isdecimal():
        raise Http404
    return get_object_or_404(TaxonomyMapping.objects.select_related("attribute"), pk=object_id)


@admin.register(TaxonomyMapping)
class TaxonomyMappingAdmin(ReadOnlyAdmin[TaxonomyMapping]):
    """Versions of mappings. None changes: editing one stores the next."""

    list_display = ("name", "code", "version", "attribute", "entry_count", "offered", "created_by", "created_at")
    list_filter = ("offered", "attribute")
    list_select_related = ("attribute", "created_by")
    search_fields = ("name", "code")
    fields = (("name", "code"), ("attribute", "version"), "source", ("offered", "created_by", "created_at"))
    change_form_after_template = "admin/catalog/mapping.html"
    actions_detail = ("edit", "download", "offer", "withdraw")

    class Media:
        css = {"all": ("admin/quality.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxonomyMapping]:
        """With the number of entries."""
        return super().get_queryset(request).annotate(entry_total=Count("entries"))

    @display(description=gettext_lazy("entries"), ordering="entry_total")
    def entry_count(self, mapping: TaxonomyMapping) -> Any:
        """How many entries it has."""
        return mapping.entry_total  # type: ignore[attr-defined]  # annotated by get_queryset

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By Django's permission, as a new mapping has a page of its own."""
        return request.user.has_perm("catalog.add_taxonomymapping") and self.has_keep_permission(request)

    def has_keep_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may store versions; the service asks again."""
        return request.user.has_perm("catalog.change_taxonomymapping")

    def get_urls(self) -> list[URLPattern]:
        """With the page on which entries are edited, and the file."""
        wrap, name = self.admin_site.admin_view, "catalog_taxonomymapping"
        of_a_row = partial(self._of_a_row, must_exist=True)
        own = [
            path("<path:object_id>/entries/", of_a_row(wrap(self.edit_entries)), name=f"{name}_entries"),
            path("<path:object_id>/csv/", of_a_row(wrap(self.csv_file)), name=f"{name}_csv"),
        ]
        return [*own, *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> Any:
        """Offer what can be done with this version: only the newest is edited, or offered."""
        mapping = TaxonomyMapping.objects.filter(pk=object_id).first()
        newest = mapping is not None and _is_newest(mapping)
        allowed = {
            "edit": newest,
            "offer": newest and mapping is not None and not mapping.offered,
            "withdraw": newest and mapping is not None and mapping.offered,
        }
        offered = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # the theme's
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [entry for entry in offered if allowed.get(entry.action_name.removeprefix(prefix), True)]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Show the entries, what has none, and what becomes of real products."""
        mapping = kwargs["obj"]
        taxonomy = Taxonomy.load()
        context |= {
            "entries": mappings.entries_of(mapping),
            "unmapped": Mapper(mapping, taxonomy).without_target(taxonomy.leaves(mapping.attribute.code)),
            "newest": TaxonomyMapping.objects.newest().filter(code=mapping.code).exclude(pk=mapping.pk).first(),
            "preview": preview_newest(mapping) if admin_actor(request).sees_all_merchants else None,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    # -- Writing ----------------------------------------------------------------------------------------------------

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """A new mapping; its entries come from a file, or on the next page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewMappingForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            mapping = self._save(request, form, data["code"], data["attribute"], [])
            if mapping is not None:
                return redirect("admin:catalog_taxonomymapping_entries", mapping.pk)
        return self._form_page(request, _("Add mapping"), form, None)

    def edit_entries(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Edit a mapping's entries in a table; saving stores the next version."""
        mapping = _mapping(object_id)
        if not self.has_keep_permission(request):
            raise PermissionDenied
        if not _is_newest(mapping):
            return redirect("admin:catalog_taxonomymapping_change", mapping.pk)
        table = EntryTable(mapping, Taxonomy.load())
        initial = {"name": mapping.name, "source": mapping.source}
        form = MappingForm(request.POST or None, request.FILES or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            saved = self._save(request, form, mapping.code, mapping.attribute, table.entries(request.POST))
            if saved is not None:
                said = _("Nothing was changed.") if saved == mapping else _("Version %(version)d is stored.")
                self.message_user(request, said % {"version": saved.version}, messages.SUCCESS)
                return redirect("admin:catalog_taxonomymapping_change", saved.pk)
        return self._form_page(request, str(mapping), form, table)

    def _save(
        self, request: HttpRequest, form: MappingForm, code: str, attribute: Attribute, entries: list[Entry]
    ) -> TaxonomyMapping | None:
        data = form.cleaned_data
        try:
            if data["file"]:
                entries = mappings.read_csv(data["file"].read(mappings.MOST_BYTES + 1), attribute, Taxonomy.load())
            return mappings.save_version(
                actor=admin_actor(request),
                code=code,
                name=data["name"],
                attribute=attribute,
                entries=entries,
                source=data["source"],
            )
        except Refused as refused:
            form.add_error("file" if data["file"] else None, refused.message.splitlines())
            return None

    def _form_page(
        self, request: HttpRequest, title: str, form: MappingForm, table: EntryTable | None
    ) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "title": title, "form": form, "table": table}
        context |= {"opts": self.opts, "media": self.media, "posted": request.POST}
        return TemplateResponse(request, "admin/catalog/mapping_entries.html", context)

    def csv_file(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The entries as a CSV file."""
        mapping = _mapping(object_id)
        if not self.has_view_permission(request, mapping):
            raise PermissionDenied
        response = HttpResponse(f"\ufeff{mappings.write_csv(mapping)}", content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{mapping.code}-{mapping.version}.csv"'
        return response

    @action(description=gettext_lazy("Edit"), permissions=["keep"], icon="edit")
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page with the table."""
        return redirect("admin:catalog_taxonomymapping_entries", object_id)

    @action(description=gettext_lazy("Download CSV"), permissions=["view"], icon="download")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the file."""
        return redirect("admin:catalog_taxonomymapping_csv", object_id)

    @action(
        description=gettext_lazy("Offer to merchants"),
        permissions=["keep"],
        icon="visibility",
        dialog=dialog(
            gettext_lazy("Offer this mapping?"),
            gettext_lazy("Merchants can choose it at export."),
            gettext_lazy("Offer"),
        ),
    )
    def offer(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Offer it."""
        return self._offer(request, object_id, offered=True)

    @action(
        description=gettext_lazy("No longer offer"),
        permissions=["keep"],
        icon="visibility_off",
        dialog=dialog(
            gettext_lazy("No longer offer this mapping?"),
            gettext_lazy("Merchants cannot choose it any more; exports under way go on."),
            gettext_lazy("No longer offer"),
        ),
    )
    def withdraw(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """No longer offer it."""
        return self._offer(request, object_id, offered=False)

    def _offer(self, request: HttpRequest, object_id: str, *, offered: bool) -> HttpResponse:
        mapping = _mapping(object_id)
        try:
            mappings.offer(actor=admin_actor(request), mapping=mapping, offered=offered)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        return HttpResponse(headers={"HX-Redirect": reverse("admin:catalog_taxonomymapping_change", args=[mapping.pk])})


def _is_newest(mapping: TaxonomyMapping) -> bool:
    return not TaxonomyMapping.objects.filter(code=mapping.code, version__gt=mapping.version).exists()
