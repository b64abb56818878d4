"""Long operations, with the buttons that stop them and let them go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import admin_actor
from accounts.admin.records import OperationAdmin
from accounts.admin.theme import Dialog, action
from accounts.models import Operation
from classifier import operations
from classifier.admin.registry import ManagesModels

admin.site.unregister(Operation)


@admin.register(Operation)
class ManagedOperationAdmin(ManagesModels, OperationAdmin):
    """The accounts' pages and the buttons."""

    actions_detail = ("pause", "resume", "cancel")

    def _move(self, request: HttpRequest, object_id: str, move: Callable[..., None], done: Any) -> HttpResponse:
        actor = admin_actor(request)
        rows = self.get_queryset(request).filter(pk=object_id)
        self.each(request, rows, lambda operation: move(actor=actor, operation=operation), done)
        return self.back_to(object_id)

    @action(description=_("Pause"), permissions=["manage"], icon="pause", dialog={"title": _("Pause this operation?")})
    def pause(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Stop for now."""
        return self._move(request, object_id, operations.pause, _("Paused."))

    @action(description=_("Resume"), permissions=["manage"], icon="play_arrow", dialog={"title": _("Go on with this?")})
    def resume(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Go on."""
        return self._move(request, object_id, operations.resume, _("It goes on."))

    @action(
        description=_("Cancel"),
        permissions=["manage"],
        icon="cancel",
        dialog={"title": _("Cancel this operation?"), "description": _("What it did stays.")},
    )
    def cancel(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """End for good."""
        return self._move(request, object_id, operations.cancel, _("Cancelled."))
