"""API keys: made on a merchant's page, looked at, rotated and revoked here."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.forms import ChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.base import MerchantData, ReadOnlyAdmin, admin_actor, secret_page
from accounts.key_forms import NewKeyForm, RotationForm
from accounts.models import ApiKey
from accounts.services import revoke_api_key, rotate_api_key
from core.admin.base import dialog
from core.admin.theme import Dialog, DropdownFilter, action, display
from core.errors import Refused


def _valid() -> Q:
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


class KeyForm(NewKeyForm):
    """A new key, in the theme's own fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        self.fields["name"].widget = UnfoldAdminTextInputWidget()
        scopes = cast(ChoiceField, self.fields["scopes"])
        scopes.widget = UnfoldAdminCheckboxSelectMultipleWidget(choices=scopes.choices)
        self.fields["last_day"].widget = UnfoldAdminTextInputWidget(attrs={"type": "date"})


class SecretForm(RotationForm):
    """How long the old secret stays good, in the theme's own fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        overlap = cast(ChoiceField, self.fields["overlap"])
        overlap.widget = UnfoldAdminSelectWidget(choices=overlap.choices)


class InUseFilter(DropdownFilter):
    """Keys that work, expired ones, or revoked ones."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        """A key works until its time is over or it is revoked, and never again."""
        return [("valid", _("valid")), ("expired", _("expired")), ("revoked", _("revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        """Keep the keys of the chosen state."""
        if self.value() == "valid":
            return queryset.filter(_valid())
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=timezone.now())
        return queryset.exclude(revoked_at=None) if self.value() == "revoked" else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin[ApiKey], MerchantData[ApiKey]):
    """Keys are never shown again, changed or deleted; a revoked one stays as the author of what it did."""

    list_display = (
        "name",
        "prefix",
        "merchant",
        "scopes",
        "is_valid",
        "last_used_at",
        "expires_at",
        "created_at",
    )
    list_filter = (InUseFilter, "may_read", "may_write", "may_classify")
    list_select_related = ("merchant",)
    search_fields = ("name", "prefix", "merchant__name")
    fields = (
        "name",
        "prefix",
        "merchant",
        "may_read",
        "may_write",
        "may_classify",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "rotated_at",
        "previous_until",
        "previous_used_at",
        "revoked_at",
    )
    actions = ("revoke_selected",)
    actions_detail = ("rotate", "revoke")

    @display(description=_("It may"))
    def scopes(self, key: ApiKey) -> str:
        """What it may do: one column, so that the last ones of the list are on the screen."""
        return ", ".join(str(scope.label) for scope in key.scopes)

    @display(description=_("valid"), boolean=True)
    def is_valid(self, key: ApiKey) -> bool:
        """Whether the key still opens anything."""
        return key.is_valid

    def has_revoke_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may make keys may revoke them, once each; the service asks again."""
        if not self.has_view_permission(request) or not request.user.has_perm("accounts.add_apikey"):
            return False
        return object_id is None or ApiKey.objects.filter(pk=object_id, revoked_at=None).exists()

    def has_rotate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may make keys may replace the secret of a valid one; the service asks again."""
        if not self.has_view_permission(request) or not request.user.has_perm("accounts.add_apikey"):
            return False
        return object_id is None or ApiKey.objects.filter(_valid(), pk=object_id).exists()

    @action(description=_("Replace secret"), permissions=["rotate"], icon="autorenew")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long the old secret stays good; then show the new one, this once, as `MerchantAdmin.new_key` does."""
        key = self.get_object(request, object_id)
        if key is None:
            raise Http404
        form = SecretForm(request.POST or None, initial={"seen": key.rotation})
        secret = None
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data
            try:
                secret = rotate_api_key(
                    actor=admin_actor(request), key=key, overlap=asked["overlap"], seen=asked["seen"]
                )
            except Refused as refused:
                messages.error(request, refused.message)
        page = "admin/accounts/apikey/rotate.html"
        return secret_page(self, request, page, _("Replace secret"), key, form, secret)

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
