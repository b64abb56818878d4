"""What happened: the audit trail. To read, never to write."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin
from accounts.audit_labels import action_label, subject_label
from accounts.models import AuditEvent
from core.admin.newest_first import NewestFirst, TimeFilter
from core.admin.theme import display


@admin.register(AuditEvent)
class AuditEventAdmin(NewestFirst[AuditEvent], ReadOnlyAdmin[AuditEvent], MerchantData[AuditEvent]):
    """Who did what, when and by which channel."""

    list_display = ("created_at", "what", "subject", "author", "channel", "merchant")
    list_filter = ("channel", ("created_at", TimeFilter))
    list_select_related = ("merchant", "user", "api_key")
    search_fields = ("action", "subject_id", "user__email", "merchant__name")
    search_help_text = _("action, number of the subject, e-mail or merchant")
    fields = ("created_at", "what", "action", "subject", "author", "channel", "merchant", "details")

    @display(description=_("what"))
    def what(self, event: AuditEvent) -> str:
        """What was done, in words."""
        return action_label(event.action)

    @display(description=_("subject"))
    def subject(self, event: AuditEvent) -> str:
        """What it was done to."""
        return f"{subject_label(event.subject_type)} {event.subject_id}"

    @display(description=_("author"))
    def author(self, event: AuditEvent) -> str:
        """The person or key, or the system."""
        return str(event.user or event.api_key or _("system"))
