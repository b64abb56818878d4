"""Attributes and their values: what garments can be called. Adding one needs no code."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import PROTECT, Count, ManyToOneRel, Max, Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.base import AuditedAdmin
from catalog.admin.taxonomy_tree import TaxonomyTree
from catalog.models import CATEGORY, Attribute, AttributeValue, Decision, ProductAttribute
from core.admin.theme import DropdownFilter, display
from vision.engine.manifest import NOT_VISIBLE

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
# Columns of data sets' tables, the models that find garments, and what is said of a garment beside its attributes.
_RESERVED = frozenset(
    {"garment", "image", "split", "sender", "x1", "y1", "x2", "y2", "box_ok", "product", "merchant"}
    | {"box", "hidden", "top_category"}
)
_LAST_POSITION = 32767  # what every database holds
N = TypeVar("N", Attribute, AttributeValue)


def _clean_code(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise ValidationError(
            _("A code begins with a letter and holds only the letters A to Z, digits, “-” and “_”."), code="bad_code"
        )
    return code


class PlacedForm(forms.ModelForm[N]):
    """Something with a position among others; what is new goes after them unless a position is given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        position = self.fields.get("position")
        if position is not None and self.instance.pk is None:
            position.required, position.initial = False, None
            position.help_text = _("Left empty: after the others.")

    def _others(self) -> QuerySet[N]:
        """Those that it has its place among."""
        return type(self.instance)._default_manager.exclude(pk=self.instance.pk)

    def clean(self) -> dict[str, Any]:
        """Find the last place."""
        data = super().clean() or {}
        if data.get("position", 0) is None:
            last = self._others().aggregate(last=Max("position", default=-1))["last"]
            data["position"] = min(last + 1, _LAST_POSITION)
        return data


class AttributeForm(PlacedForm[Attribute]):
    """An attribute; its code is for ever, because models, keys and decisions refer to it."""

    def clean_code(self) -> str:
        """Keep codes ASCII and apart even where case does not count, as in MariaDB's default collation."""
        code = _clean_code(self.cleaned_data["code"])
        if code.casefold() in _RESERVED:
            raise ValidationError(_("This code has a meaning of its own. Choose another."), code="code_reserved")
        if Attribute.objects.filter(code__iexact=code).exists():
            raise ValidationError(_("There is an attribute with this code already."), code="code_taken")
        return code

    def clean(self) -> dict[str, Any]:
        """Keep the category as it is: proposals, reviews and publishing begin with it."""
        data = super().clean()
        if self.instance.code == CATEGORY and (not data.get("active") or data.get("applies_to")):
            raise ValidationError(
                _("Every product has a category: this attribute stays switched on and applies to all."), code="category"
            )
        return data


class KeepsUsed(AuditedAdmin[N]):
    """Mixin: what something refers to can't be deleted, and the page says what does and what to do instead."""

    kept: Any = ""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Django would load all that refers to them, and say that somebody lacks permissions."""
        kept = [self.kept % {"object": obj, "uses": uses} for obj in objs if (uses := _uses(obj))]
        return ([], {}, set(), kept) if kept else super().get_deleted_objects(objs, request)


def _uses(row: Model) -> str:
    """Count what protects the row from being deleted: numbers by the names of things."""
    conditions: dict[type[Model], Q] = {}
    for relation in row._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and relation.on_delete is PROTECT:
            model = relation.field.model
            conditions[model] = conditions.get(model, Q()) | Q((relation.field.name, row))
    counts = ((model, model._default_manager.filter(condition).count()) for model, condition in conditions.items())
    return ", ".join(f"{model._meta.verbose_name_plural}: {count}" for model, count in counts if count)


@admin.register(Attribute)
class AttributeAdmin(KeepsUsed[Attribute]):
    """Attributes. One with values can't be deleted; switch it off instead."""

    form = AttributeForm
    list_display = ("code", "name_ko", "name_en", "value_count", "active", "position")
    list_filter = ("active",)
    search_fields = ("code", "name_ko", "name_en")
    fields = ("code", "name_ko", "name_en", "applies_to", "active", "position")
    kept = _("%(object)s is in use (%(uses)s). Switch it off instead.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attribute]:
        """With the number of values."""
        return super().get_queryset(request).annotate(value_total=Count("values"))

    def get_readonly_fields(self, request: HttpRequest, obj: Attribute | None = None) -> Any:
        """Fix the code once it is stored."""
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Attribute | None = None) -> bool:
        """Nobody deletes the category, which everything begins with."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.code != CATEGORY)

    @display(description=_("values"), ordering="value_total")
    def value_count(self, attribute: Attribute) -> Any:
        """How many values it has."""
        return attribute.value_total  # type: ignore[attr-defined]  # annotated by get_queryset


class AliasesField(forms.CharField):
    """Class names in models' files, one a line."""

    def __init__(self) -> None:
        super().__init__(
            label=capfirst(_("aliases")),
            required=False,
            help_text=_("Class names in models' files, one a line."),
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        )

    def prepare_value(self, value: Any) -> Any:
        """Show the stored list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read lines as a list."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not their spelling."""
        lines: list[str] = self.to_python(data)
        return list(initial or []) != lines


class ValueForm(PlacedForm[AttributeValue]):
    """A value of an attribute. Only leaves are predicted and decided, and there are two levels at most."""

    aliases = AliasesField()

    @property
    def _attribute(self) -> Attribute | None:
        return self.instance.attribute if self.instance.pk else self.cleaned_data.get("attribute")

    def _others(self) -> QuerySet[AttributeValue]:
        return super()._others().filter(attribute=self._attribute)

    def _refuse(self, field: str, sentence: Any, code: str) -> None:
        self.add_error(field, ValidationError(sentence, code=code))

    def clean_code(self) -> str:
        """Keep codes ASCII; whether it is free is known only with the attribute."""
        code = _clean_code(self.cleaned_data["code"])
        if code.casefold() == NOT_VISIBLE:
            raise ValidationError(_("This code has a meaning of its own. Choose another."), code="code_reserved")
        return code

    def clean(self) -> dict[str, Any]:
        """Check the value against the others of its attribute."""
        data = super().clean()
        if self._attribute is None:
            return data
        self._check_names(data)
        self._check_parent(data.get("parent"))
        return data

    def _check_names(self, data: dict[str, Any]) -> None:
        code = data.get("code")
        if code and self._others().filter(code__iexact=code).exists():
            self._refuse("code", _("The attribute has a value with this code already."), "code_taken")
        taken = {name.casefold() for value in self._others() for name in (value.code, *value.aliases)}
        clashes = [alias for alias in data.get("aliases") or () if alias.casefold() in taken]
        if clashes:
            self._refuse(
                "aliases",
                _("Another value is called so already: {names}").format(names=", ".join(clashes)),
                "alias_taken",
            )

    def _check_parent(self, parent: AttributeValue | None) -> None:
        if parent is None:
            return
        if parent.attribute_id != getattr(self._attribute, "pk", None):
            self._refuse("parent", _("The top-level category belongs to another attribute."), "foreign_parent")
        elif parent.pk == self.instance.pk:
            self._refuse("parent", _("A value can't be its own top-level category."), "own_parent")
        elif parent.parent_id is not None:
            self._refuse(
                "parent", _("There are two levels only: choose a value of the top-level category."), "third_level"
            )
        elif parent.merged_into_id is not None:
            self._refuse("parent", _("This top-level category has been merged into another one."), "merged_parent")
        elif self.instance.pk and self.instance.children.exists():
            self._refuse(
                "parent", _("This value is a top-level category itself: it has values below it."), "has_children"
            )
        elif _is_decided(parent):
            self._refuse("parent", _("Products have this value, so it can't become a group of values."), "used_as_leaf")


def _is_decided(value: AttributeValue) -> bool:
    return (
        ProductAttribute.objects.filter(value=value).exists() or Decision.objects.filter(value=value).exists()
    ) and not value.children.exists()


class TopCategoryFilter(DropdownFilter):
    """Values of one top-level category."""

    title = _("top-level category")
    parameter_name = "top_category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Values that have others below them."""
        parents = AttributeValue.objects.filter(children__isnull=False).distinct().order_by("position", "id")
        return [(str(value.pk), value.name) for value in parents]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AttributeValue]) -> QuerySet[AttributeValue]:
        """Keep the chosen one's."""
        chosen = self.value()
        return queryset.filter(parent_id=int(chosen)) if chosen and chosen.isdecimal() else queryset


@admin.register(AttributeValue)
class AttributeValueAdmin(KeepsUsed[AttributeValue]):
    """Values. A used one can't be deleted; switch it off, or merge it into another."""

    form = ValueForm
    list_display = ("code", "name_ko", "name_en", "attribute", "parent", "active", "merged_into", "position")
    list_filter = ("attribute", "active", TopCategoryFilter)
    list_select_related = ("attribute", "parent", "merged_into")
    search_fields = ("code", "name_ko", "name_en")
    ordering = ("attribute__position", "position", "id")
    fields = ("attribute", "code", "name_ko", "name_en", "parent", "aliases", "position", "active", "merged_into")
    kept = _("%(object)s is in use (%(uses)s). Switch it off, or merge it into another value.")

    def get_readonly_fields(self, request: HttpRequest, obj: AttributeValue | None = None) -> Any:
        """Fix attribute and code once they are stored: models, keys and decisions refer to them."""
        return ("attribute", "code", "merged_into") if obj else ("merged_into",)

    def get_urls(self) -> list[URLPattern]:
        """With the pages of the tree, where values are also merged."""
        patterns = TaxonomyTree(self).urls()
        for pattern in patterns:
            pattern.callback = self._of_a_row(pattern.callback, must_exist=True)
        return [*patterns, *super().get_urls()]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer as top-level categories only values that can be one."""
        if db_field.name == "parent":
            groups = Q(children__isnull=False) | Q(attribute__code="category")
            kwargs["queryset"] = AttributeValue.objects.filter(groups, parent=None, merged_into=None).distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
