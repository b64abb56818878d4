"""What happened: the audit trail. To read, never to write."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import capfirst
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.base import MerchantData, ReadOnlyAdmin, admin_actor
from accounts.admin.trail import Trail, as_csv
from accounts.audit_labels import ACTIONS, action_label, subject_label, written_actions
from accounts.models import AuditEvent
from accounts.services import record
from core.admin.newest_first import KeyFilter, NewestFirst, TimeFilter
from core.admin.theme import DropdownFilter, display


class ActionFilter(DropdownFilter):
    """By what was done."""

    title = _("what")
    parameter_name = "action__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Everything that is ever written down, by its words."""
        return sorted(((code, capfirst(action_label(code))) for code in (*ACTIONS, *written_actions())), key=_word)

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Keep the events of that kind."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class SubjectFilter(DropdownFilter):
    """By the kind of thing that it was done to."""

    title = _("subject")
    parameter_name = "subject_type__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What the codes of actions begin with, mostly."""
        kinds = {code.partition(".")[0] for code in (*ACTIONS, *written_actions())} | {"model_set"}
        return sorted(((kind, capfirst(subject_label(kind))) for kind in kinds), key=_word)

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Keep the events of such things."""
        return queryset.filter(subject_type=self.value()) if self.value() else queryset


def _word(choice: tuple[str, str]) -> str:
    return choice[1].casefold()


@admin.register(AuditEvent)
class AuditEventAdmin(NewestFirst[AuditEvent], ReadOnlyAdmin[AuditEvent], MerchantData[AuditEvent]):
    """Who did what, when and by which channel, and what it changed."""

    list_display = ("created_at", "what", "subject", "changes", "author", "channel", "merchant")
    list_select_related = ("merchant", "user", "api_key", "impersonator")
    list_before_template = "admin/accounts/auditevent/export.html"
    search_fields = ("subject_id", "user__email", "merchant__name")
    search_help_text = _("number of the subject, e-mail or merchant")
    fields = ("created_at", "what", "subject", "changes", "author", "channel", "merchant")
    readonly_fields = fields

    def get_list_filter(self, request: HttpRequest) -> Any:
        """By merchant, person, what was done and to what; people are only offered to who may look them up."""
        filters: list[Any] = [("merchant", KeyFilter)]
        if request.user.has_perm("accounts.view_user"):
            filters.append(("user", KeyFilter))
        return [
            *filters,
            ActionFilter,
            SubjectFilter,
            ("channel", ChoicesDropdownFilter),
            ("created_at", TimeFilter),
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """A list that reads what its page's events were about in one go."""
        base: Any = super().get_changelist(request, **kwargs)

        class TrailList(base):  # the theme's class, whose types are not known
            def get_results(self, request: HttpRequest) -> None:
                super().get_results(request)
                _read(request, list(self.result_list))

        return TrailList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEvent | None:
        """With what it was about."""
        event = super().get_object(request, object_id, from_field)
        if event is not None:
            _read(request, [event])
        return event

    def get_urls(self) -> list[URLPattern]:
        """Django's addresses and the one of the file."""
        view = self.admin_site.admin_view(self.export)
        return [path("export.csv", view, name="accounts_auditevent_export"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Send what the list's filters leave as CSV, however much it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        events = self.get_changelist_instance(request).queryset
        record(
            actor=admin_actor(request),
            action="auditevent.export",
            subject_type="audit_event",
            subject_id="",
            merchant_id=None,
        )
        name = f"audit-{timezone.localdate().isoformat()}.csv"
        return StreamingHttpResponse(
            _in_language(as_csv(events), get_language()),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
        )

    @display(description=_("what"))
    def what(self, event: AuditEvent) -> str:
        """What was done, in words."""
        return action_label(event.action)

    @display(description=_("subject"))
    def subject(self, event: AuditEvent) -> str:
        """What it was done to."""
        return _trail(event).subject(event)

    @display(description=_("change"))
    def changes(self, event: AuditEvent) -> str:
        """What was what before, and what it is since."""
        return format_html_join("", "<div>{}</div>", ((str(one),) for one in _trail(event).changes(event))) or "–"

    @display(description=_("author"))
    def author(self, event: AuditEvent) -> str:
        """The person or key, or the system."""
        return event.author


def _read(request: HttpRequest, events: list[AuditEvent]) -> None:
    trail = Trail(request, events)
    for event in events:
        event.trail = trail  # type: ignore[attr-defined]  # for the columns


def _trail(event: AuditEvent) -> Trail:
    trail: Trail = event.trail  # type: ignore[attr-defined]  # set by _read
    return trail


def _in_language(lines: Any, language: str | None) -> Any:
    """Go on in the language of the request, whose middleware has ended when the lines are sent."""
    iterator = iter(lines)
    while True:
        with override(language):
            line = next(iterator, None)
        if line is None:
            return
        yield line
