"""What happened: the audit trail and long operations. To read, never to write."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from accounts.admin.base import MerchantData, ReadOnly
from accounts.admin.theme import display
from accounts.models import AuditEvent, Operation


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly, MerchantData[AuditEvent]):
    """Who did what, when and through which door."""

    list_display = ("created_at", "action", "subject", "author", "via", "merchant")
    list_filter = ("via", ("created_at", RangeDateTimeFilter))
    list_select_related = ("merchant", "user", "api_key")
    search_fields = ("action", "subject_id", "user__email", "merchant__name")
    search_help_text = _("action, number of the subject, e-mail or merchant")
    fields = ("created_at", "action", "subject", "author", "impersonator", "via", "merchant", "details")

    @display(description=_("subject"))
    def subject(self, event: AuditEvent) -> str:
        """What it was done to."""
        return f"{event.subject_type} {event.subject_id}"

    @display(description=_("author"))
    def author(self, event: AuditEvent) -> str:
        """The person or key, or the system."""
        return str(event.user or event.api_key or _("system"))


@admin.register(Operation)
class OperationAdmin(ReadOnly, MerchantData[Operation]):
    """Long jobs and how far they are."""

    list_display = ("public_id", "kind", "merchant", "created_by", "state", "progress", "failed", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("merchant", "created_by")
    search_fields = ("public_id", "kind", "merchant__name")
    fields = (
        "public_id",
        "kind",
        "merchant",
        "created_by",
        "state",
        "progress",
        "failed",
        "error",
        "parameters",
        "created_at",
        "started_at",
        "finished_at",
    )

    @display(description=_("progress"))
    def progress(self, operation: Operation) -> str:
        """How many of how many."""
        return f"{operation.done} / {operation.total}"
