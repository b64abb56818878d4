"""What the admin's pages share: the theme's controls, read-only pages, and how refusals of services are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import get_fields_from_path, quote, unquote
from django.contrib.admin.views.main import ERROR_FLAG, SEARCH_VAR
from django.contrib.auth.models import Permission
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import BooleanField, ManyToManyField, Model, QuerySet
from django.forms import ModelMultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy, override
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.fields import UnfoldAdminReadonlyField
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from core.admin.quick_lists import quicken_lists
from core.admin.theme import ModelAdmin
from core.db import atomic
from core.errors import Refused

M = TypeVar("M", bound=Model)
R = TypeVar("R", bound=Model)

# A page for confirming sends them all again, one field each: settings.DATA_UPLOAD_MAX_NUMBER_FIELDS is above.
MAX_CHOSEN = 2_000
MAX_DIGITS = 18  # whatever has them fits into 64 bits; SQLite's driver raises an error beyond


# Whose page is being made; set by each request to a page of the admin, so that links lead only where they may go.
_request: ContextVar[HttpRequest | None] = ContextVar("request of the admin's page", default=None)


def may_open(row: Model) -> bool:
    """Whether the person whose page is being made may open the row's own page; what is made for nobody is not asked."""
    request, page = _request.get(), admin.site._registry.get(type(row))
    return request is None or (page is not None and page.has_view_permission(request))


_linked = UnfoldAdminReadonlyField.get_admin_url


def _linked_where_allowed(field: UnfoldAdminReadonlyField, remote_field: Any, remote_obj: Any) -> str:
    return _linked(field, remote_field, remote_obj) if may_open(remote_obj) else str(remote_obj)


UnfoldAdminReadonlyField.get_admin_url = _linked_where_allowed  # the theme asks nobody
quicken_lists()


def link_to(row: Model) -> str:
    """Return a link to the row's own page in the admin; its name alone where the person may not open that."""
    if not may_open(row):
        return format_html("{}", row)
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(str(row.pk))])
    return format_html('<a href="{}" class="text-link">{}</a>', url, row)


def dialog(title: Any, description: Any, button: Any) -> dict[str, Any]:
    """Return what an action asks before it is done, and the word on its button."""
    return {"title": title, "description": description, "form_submit_text": button}


def coloured(colours: Mapping[Any, str]) -> dict[str, str]:
    """Return the colours of badges by their words in every language: the theme looks them up by what is shown."""
    words: dict[str, str] = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            words |= {str(word): colour for word, colour in colours.items()}
    return words


def _filter_of(model: type[Model], path: str) -> Any:
    field = get_fields_from_path(model, path)[-1]
    if getattr(field, "choices", None):
        return ChoicesDropdownFilter
    if isinstance(field, BooleanField):
        return BooleanRadioFilter
    return RelatedDropdownFilter if field.is_relation else admin.AllValuesFieldListFilter


class PermissionsField(ModelMultipleChoiceField[Permission]):
    """Permissions in the reader's language: Django stores their names in English."""

    _usual: ClassVar = {
        "add": gettext_lazy("Can add"),
        "change": gettext_lazy("Can change"),
        "delete": gettext_lazy("Can delete"),
        "view": gettext_lazy("Can view"),
    }

    def label_from_instance(self, obj: Any) -> str:
        """What it is a permission for, and to do what."""
        what, _underscore, model = obj.codename.partition("_")
        usual = self._usual.get(what) if model == obj.content_type.model else None
        return f"{obj.content_type} | {usual or gettext(obj.name)}"


class ReadOnly:
    """Mixin: pages to look at. What they show is written elsewhere and stays as it was written."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rows come from services, never from a form."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """No row is edited here; actions may still change its state."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """No row is deleted here: history stays."""
        return False


class BaseAdmin(ModelAdmin[M]):
    """What every page has: the theme's controls, and one way to run a service over rows and say what it refused."""

    list_filter_submit = True
    show_facets = admin.ShowFacets.NEVER  # a count for every choice of every filter
    list_per_page = 50
    list_sections: ClassVar = ()  # the theme looks for them in each row, and what is missing takes long to look for

    def formfield_for_manytomany(self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """A list that can be searched, in place of two beside each other that no small screen holds."""
        kwargs = {"widget": UnfoldAdminSelect2MultipleWidget(), **kwargs}
        if db_field.related_model is Permission:
            kwargs["form_class"] = PermissionsField
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None:
            # The theme puts the class of its plain lists on it, and Django words on the Control key.
            field.widget.attrs |= UnfoldAdminSelect2MultipleWidget().attrs
            field.help_text = db_field.help_text
        return field

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Give a filter that is only a field's name the theme's control for such a field."""
        return [
            (entry, _filter_of(self.model, entry)) if isinstance(entry, str) else entry
            for entry in super().get_list_filter(request)
        ]

    def get_urls(self) -> list[URLPattern]:
        """Answer 404 for what is not an id of a row, before any view looks for it; actions need a row that exists.

        For other rows that are gone Django goes to the index and says so.
        """
        patterns: list[URLPattern] = super().get_urls()
        actions = {entry.action_name for entry in self._get_base_actions_detail()}  # type: ignore[attr-defined]
        for pattern in patterns:
            pattern.callback = self._of_a_row(pattern.callback, must_exist=pattern.name in actions)
        return patterns

    def _of_a_row(self, view: Callable[..., HttpResponseBase], *, must_exist: bool) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _request.set(request)
            object_id = kwargs.get("object_id")
            if object_id is not None:
                pk = self._pk(unquote(object_id))
                asks = must_exist and self.admin_site.has_permission(request)
                if pk is None or (asks and not self.model._default_manager.filter(pk=pk).exists()):
                    raise Http404
            return view(request, *args, **kwargs)

        return checked

    def _pk(self, text: str) -> Any:
        """Return what a text means as a row's key; None if no row can have such a one."""
        try:
            return self.opts.pk.clean(text, None)
        except ValidationError:
            return None

    def response_action(self, request: HttpRequest, queryset: QuerySet[M], *args: Any) -> Any:
        """Run an action over the chosen rows, unless they are more than one request should deal with."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if any(self._pk(text) is None for text in chosen):
            raise BadRequest("a chosen row has no such key")
        across = request.POST.get("select_across", "0") not in {"0", "", "false", "False"}
        count = queryset[: MAX_CHOSEN + 1].count() if across else len(chosen)
        if count > MAX_CHOSEN:
            said = gettext("At most %(limit)d rows at a time; nothing was done. Narrow the list down by its filters.")
            self.message_user(request, said % {"limit": MAX_CHOSEN}, messages.ERROR)
            return None
        return super().response_action(request, queryset, *args)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Treat numbers that no database holds as Django treats other wrong filters: the list without them."""
        numbers = (str(text) for name, text in request.GET.items() if name != SEARCH_VAR)
        if any(text.isdecimal() and len(text) > MAX_DIGITS for text in numbers):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
        return super().changelist_view(request, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Save in one transaction that survives a deadlock; a page that is only shown needs none, and never waits."""
        view = super().changeform_view
        return (atomic(view) if request.method == "POST" else view)(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete in one transaction that survives a deadlock: within Django's own, a service could not begin again."""
        view = super().delete_view
        return (atomic(view) if request.method == "POST" else view)(request, object_id, extra_context)

    def each(
        self, request: HttpRequest, rows: Iterable[R], operation: Callable[[R], object], done: str | Promise
    ) -> None:
        """Run `operation` on every row; say `done` with the number that it worked for, and each refusal by name."""
        count = 0
        for row in rows:
            try:
                operation(row)
                count += 1
            except Refused as refused:
                self.message_user(request, f"{row}: {refused.message}", messages.ERROR)
        if count:
            self.message_user(request, str(done) % {"count": count}, messages.SUCCESS)

    def back_to(self, object_id: object) -> HttpResponse:
        """Answer a dialog: its page loads the row's page again, with the messages."""
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[quote(str(object_id))])
        return HttpResponse(headers={"HX-Redirect": url})
