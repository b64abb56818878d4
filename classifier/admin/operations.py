"""Long operations, with the buttons that stop them and let them go on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin, admin_actor
from accounts.audit_details import Words
from accounts.audit_labels import operation_kinds
from accounts.models import Operation
from classifier.jobs import operations
from classifier.models import ModelVersion, ShadowReport
from classifier.permissions import may_stop_operations
from classifier.quality import counting
from classifier.registry import uploads
from core.admin.base import link_to
from core.admin.newest_first import KeyFilter, NewestFirst
from core.admin.theme import Dialog, DropdownFilter, action, display


class KindFilter(DropdownFilter):
    """By what is done."""

    title = _("what")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind, by its words."""
        return operation_kinds()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Operation]) -> QuerySet[Operation]:
        """Keep that kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Operation)
class OperationAdmin(NewestFirst[Operation], ReadOnlyAdmin[Operation], MerchantData[Operation]):
    """Long jobs and how far they are."""

    list_display = ("public_id", "what", "merchant", "created_by", "state", "progress", "problem", "created_at")
    list_filter = (("merchant", KeyFilter), "state", KindFilter)
    list_select_related = ("merchant", "created_by", "api_key")
    search_fields = ("public_id", "kind", "merchant__name")
    fields = (
        "public_id",
        "what",
        "merchant",
        "author",
        "state",
        "progress",
        "failed",
        "problem",
        "result",
        "details",
        "created_at",
        "started_at",
        "finished_at",
    )
    actions_detail = ("pause", "resume", "cancel")

    @display(description=_("what"))
    def what(self, operation: Operation) -> str:
        """The kind of work, and of what."""
        return str(operation)

    @display(description=_("created by"))
    def author(self, operation: Operation) -> str:
        """Who started it. No link: not everybody who sees operations may look people up."""
        return str(operation.started_by or "–")

    @display(description=_("progress"))
    def progress(self, operation: Operation) -> str:
        """How many of how many."""
        return f"{operation.done} / {operation.total}"

    @display(description=_("error"))
    def problem(self, operation: Operation) -> str:
        """Why it failed, in the reader's language where that is known."""
        refused = operation.parameters.get("refused")
        return gettext(refused["message"]) % refused["params"] if refused else operation.error

    @display(description=_("result"))
    def result(self, operation: Operation) -> str:
        """What came out of it."""
        if operation.kind == uploads.KIND:
            version = ModelVersion.objects.filter(pk=operation.parameters.get("version")).first()
            return link_to(version) if version else "–"
        if operation.kind == counting.CALIBRATE and operation.state == Operation.State.DONE:
            used = operation.parameters["thresholds_in_use"]
            said = gettext("%(count)d thresholds in use.")
            if not used:
                said = gettext("Nothing is accepted yet: too few decisions, or not precise enough.")
            return said % {"count": used}
        report = ShadowReport.objects.filter(operation=operation).first()
        return link_to(report) if report else "–"

    @display(description=_("parameters"))
    def details(self, operation: Operation) -> str:
        """With what it was started."""
        lines = ((str(change),) for change in Words().of_operation(operation))
        return format_html_join("", "<div>{}</div>", lines) or "–"

    def _may(
        self, request: HttpRequest, object_id: str | None, states: Collection[str], of_uploads: Collection[str] = ()
    ) -> bool:
        """Whether the operation is in one of these states; what is done at once cannot be paused."""
        if not self.has_view_permission(request) or not may_stop_operations(request.user):
            return False
        at_once = (uploads.KIND, counting.CALIBRATE, counting.QUALITY)
        of_others = ~Q(kind__in=at_once) & Q(state__in=states)
        allowed = of_others | Q(kind__in=at_once, state__in=of_uploads)
        return object_id is None or Operation.objects.filter(allowed, pk=object_id).exists()

    def has_pause_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Where there is something to stop."""
        return self._may(request, object_id, operations.RUNNING)

    def has_resume_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Where somebody stopped it."""
        return self._may(request, object_id, (Operation.State.PAUSED,))

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Where it has not ended."""
        return self._may(request, object_id, (*operations.RUNNING, Operation.State.PAUSED), operations.RUNNING)

    def _move(self, request: HttpRequest, object_id: str, move: Callable[..., None], done: Any) -> HttpResponse:
        actor = admin_actor(request)
        rows = self.get_queryset(request).filter(pk=object_id)
        self.each(request, rows, lambda operation: move(actor=actor, operation=operation), done)
        return self.back_to(object_id)

    @action(description=_("Pause"), permissions=["pause"], icon="pause", dialog={"title": _("Pause this operation?")})
    def pause(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Pause the operation of the page: what is queued leaves the queue, what is done stays."""
        return self._move(request, object_id, operations.pause, _("Paused."))

    @action(description=_("Resume"), permissions=["resume"], icon="play_arrow", dialog={"title": _("Go on with this?")})
    def resume(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Queue what the paused operation of the page has left."""
        return self._move(request, object_id, operations.resume, _("It goes on."))

    @action(
        description=_("Cancel"),
        permissions=["cancel"],
        icon="cancel",
        dialog={"title": _("Cancel this operation?"), "description": _("What it did stays.")},
    )
    def cancel(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Cancel the operation of the page; it cannot be resumed."""
        return self._move(request, object_id, operations.cancel, _("Cancelled."))
