"""API keys: made on a merchant's page, looked at and revoked here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin, admin_actor
from accounts.models import ApiKey
from accounts.services import revoke_api_key
from core.admin.base import dialog
from core.admin.theme import Dialog, DropdownFilter, action, display


class InUseFilter(DropdownFilter):
    """Keys that work, or revoked ones."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        """A key works until it is revoked, and never again."""
        return [("valid", _("valid")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        """Keep the keys of the chosen state."""
        if self.value() in ("valid", "revoked"):
            return queryset.filter(revoked_at__isnull=self.value() == "valid")
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey], MerchantData[ApiKey]):
    """Keys are never shown again, changed or deleted; a revoked one stays as the author of what it did."""

    list_display = ("name", "prefix", "merchant", "read_only", "is_valid", "last_used_at", "created_at")
    list_filter = (InUseFilter, "read_only")
    list_select_related = ("merchant",)
    search_fields = ("name", "prefix", "merchant__name")
    fields = ("name", "prefix", "merchant", "read_only", "created_by", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke_selected",)
    actions_detail = ("revoke",)

    @display(description=_("valid"), boolean=True)
    def is_valid(self, key: ApiKey) -> bool:
        """Whether the key still opens anything."""
        return key.revoked_at is None

    def has_revoke_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may make keys may revoke them, once each; the service asks again."""
        if not self.has_view_permission(request) or not request.user.has_perm("accounts.add_apikey"):
            return False
        return object_id is None or ApiKey.objects.filter(pk=object_id, revoked_at=None).exists()

    def _revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        actor = admin_actor(request)
        self.each(
            request,
            keys.select_related("merchant"),
            lambda key: revoke_api_key(actor=actor, key=key),
            _("%(count)d revoked."),
        )

    @action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke the chosen keys."""
        self._revoke(request, queryset)

    @action(
        description=_("Revoke"),
        permissions=["revoke"],
        icon="key_off",
        dialog=dialog(
            _("Revoke this key?"), _("Whatever uses it is locked out at once. This can't be undone."), _("Revoke")
        ),
    )
    def revoke(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Revoke the key of the page."""
        self._revoke(request, self.get_queryset(request).filter(pk=object_id))
        return self.back_to(object_id)
