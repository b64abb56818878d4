"""The admin's delete buttons, for what was archived before: they ask the services, and say before what goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.admin.base import admin_actor
from catalog.models import Product, ProductImage
from core.admin.base import BaseAdmin
from core.errors import Refused

M = TypeVar("M", Product, ProductImage)


class DeletesArchived(BaseAdmin[M]):
    """Mixin: pages whose rows can be deleted for good once they are archived."""

    def losses(self, objs: Sequence[M]) -> dict[str, int]:
        """What goes with the rows: numbers by the names of things."""
        return {str(self.opts.verbose_name_plural): len(objs)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People who may delete such rows may delete archived ones; the service asks again."""
        permission = f"{self.opts.app_label}.{get_permission_codename('delete', self.opts)}"
        may = admin_actor(request).sees_all_merchants and request.user.has_perm(permission)
        return may and (obj is None or obj.archived_at is not None)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What the confirmation page shows: the rows, what goes with them, and those that are not archived."""
        kept = [_("%(object)s: archive it first") % {"object": obj} for obj in objs if obj.archived_at is None]
        return [str(obj) for obj in objs], self.losses(list(objs)), set(), kept

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's page; what the service refuses meanwhile is said."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
            change = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(change, args=[object_id]))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[M]) -> None:
        """Delete the selected rows as each page does it: by `delete_model`, which asks the service."""
        for obj in queryset:
            self.delete_model(request, obj)
