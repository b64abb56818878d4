"""What the admin's pages share: who acts, who sees merchants' data, and how changes are recorded."""

from __future__ import annotations

import re
from typing import Any, ClassVar, TypeVar, cast

from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import AuditEvent, User
from accounts.services import record
from core.admin.base import BaseAdmin, ReadOnly

M = TypeVar("M", bound=Model)


def admin_actor(request: HttpRequest) -> Actor:
    """Return who acts in the admin: the logged-in user, over all merchants if they may see all."""
    assert isinstance(request.user, User)  # the admin's site lets nobody else in
    return Actor(channel=Channel.ADMIN, user=request.user)


def secret_page(
    page: ModelAdmin[Any],
    request: HttpRequest,
    template: str,
    title: str | Promise,
    of: Model,
    form: BaseForm,
    secret: str | None,
) -> TemplateResponse:
    """Show the form that makes a secret, or the secret, this once; no cache keeps it.

    Args:
        page: of the admin that asks.
        request: what was asked for.
        template: the page's own.
        title: its head.
        of: the row that the secret belongs to.
        form: what has to be said first.
        secret: the new one; None while the form is shown.
    """
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "subtitle": of,
        "opts": page.opts,
        "original": of,
        "form": form,
        "secret": secret,
    }
    return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})


class TrailHistory(BaseAdmin[M]):
    """Mixin: a page whose history is the audit trail."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what the audit trail says of the row: services write it, and Django's own log knows nothing of them."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None or not self._reads_trail(request):
            # They may not read the trail: Django's own page says at least that there is nothing.
            return super().history_view(request, object_id, extra_context)
        return redirect(f"{reverse('admin:accounts_auditevent_changelist')}?{urlencode(self._trail(row))}")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Offer the history only where there is one: nothing is ever written down of most records."""
        row = kwargs["obj"]
        if row is not None and context.get("show_history"):
            context["show_history"] = (
                self._reads_trail(request) and AuditEvent.objects.filter(**self._trail(row)).exists()
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def _reads_trail(self, request: HttpRequest) -> bool:
        return admin_actor(request).sees_all_merchants and request.user.has_perm("accounts.view_auditevent")

    def _trail(self, row: Any) -> dict[str, Any]:
        """Where the audit trail has such rows: under the model's name in words."""
        subject = re.sub(r"(?<!^)(?=[A-Z])", "_", row._meta.object_name or "").lower()
        return {"subject_type__exact": subject, "subject_id__exact": getattr(row, "public_id", row.pk)}


class ReadOnlyAdmin(ReadOnly, TrailHistory[M]):
    """A page to look at, whose history is the audit trail."""


class MerchantData(BaseAdmin[M]):
    """Pages of data that belong to merchants: only for staff who may see all of them (rule 2)."""

    show_full_result_count = False  # these tables grow without end

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        """All merchants' rows, or none."""
        queryset = super().get_queryset(request)
        return queryset if admin_actor(request).sees_all_merchants else queryset.none()

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Django's permission is not enough: it says what kind of thing, not whose."""
        return super().has_view_permission(request, obj) and admin_actor(request).sees_all_merchants

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Django's permission, and the one to see all merchants."""
        return super().has_change_permission(request, obj) and admin_actor(request).sees_all_merchants

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Django's permission, and the one to see all merchants."""
        return super().has_add_permission(request) and admin_actor(request).sees_all_merchants

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Django's permission, and the one to see all merchants."""
        return super().has_delete_permission(request, obj) and admin_actor(request).sees_all_merchants


def _stored(value: Any) -> Any:
    """What the audit trail keeps of a field's value."""
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, list | tuple | set | QuerySet):
        return sorted(str(one) for one in value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _initial(form: Any, name: str) -> Any:
    """What a form's field said before, as the row that it names."""
    value, field = form.get_initial_for_field(form.fields[name], name), form.fields[name]
    queryset = getattr(field, "queryset", None)
    if queryset is None or value in (None, ""):
        return value
    if isinstance(value, list | tuple | QuerySet):
        return value
    return value if isinstance(value, Model) else queryset.model._default_manager.filter(pk=value).first()


class _Audited(HttpRequest):
    """A request whose form was compared with what was stored: from what to what."""

    audited: dict[str, Any]


class AuditedAdmin(TrailHistory[M]):
    """Pages that write rows themselves, because no service has more to say about them: each change is audited.

    `audits_values`: the trail keeps from what to what, not only which fields; of people only `audited_fields`, which
    say what they may do.
    """

    audits_values = True
    audited_fields: ClassVar[frozenset[str]] = frozenset()

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Keep from what to what the form's fields changed, for the audit trail."""
        if not add and form is not None:
            changed = (name for name in form.changed_data if name in form.cleaned_data)
            names = [name for name in changed if self.audits_values or name in self.audited_fields]
            before = {name: _stored(_initial(form, name)) for name in names}
            after = {name: _stored(form.cleaned_data[name]) for name in names}
            cast(_Audited, request).audited = {"before": before, "after": after} if names else {}
        return super().construct_change_message(request, form, formsets, add)

    def _trail(self, row: Any) -> dict[str, Any]:
        """As `_record` writes it."""
        return {"subject_type__exact": self.opts.model_name, "subject_id__exact": row.pk}

    def merchant_id_of(self, obj: M) -> int | None:
        """Return whose audit trail the change belongs to."""
        return None

    def _record(self, request: HttpRequest, obj: M, what: str, changes: Any, **details: Any) -> None:
        name = str(self.opts.model_name)
        record(
            actor=admin_actor(request),
            action=f"{name}.{what}",
            subject_type=name,
            subject_id=str(obj.pk),
            merchant_id=self.merchant_id_of(obj),
            changes=changes,
            name=str(obj) if self.audits_values else "",
            **details,
        )

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """Audit what was added, beside Django's own log."""
        self._record(request, obj, "add", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """Audit what was changed, from what to what; of the rows inline, which fields."""
        self._record(request, obj, "change", message, **getattr(request, "audited", {}))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Audit what is about to be deleted."""
        for obj in queryset:
            self._record(request, obj, "delete", "")
        return super().log_deletions(request, queryset)
