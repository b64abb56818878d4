"""Members that administrators change on the pages of people and merchants: the trail says who has which role since."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.admin.base import AuditedAdmin, admin_actor
from accounts.models import Membership
from accounts.services import record

M = TypeVar("M", bound=Model)


class RecordsMembers(AuditedAdmin[M]):
    """Mixin: a page with a list of members that is edited on it."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store the rows, with a line in the merchant's trail for each member whose role is another one, or gone."""
        super().save_formset(request, form, formset, change)
        if formset.model is not Membership:
            return
        for row in formset.initial_forms:
            before, after = _before(row), row.instance
            is_deleted = row in formset.deleted_forms
            is_other = (before.user_id, before.merchant_id) != (after.user_id, after.merchant_id)
            if is_deleted or is_other:
                _note(request, before, "remove", role=before.role)
            if row.has_changed() and not is_deleted:
                _note_role(request, after, None if is_other else before.role)
        for membership in formset.new_objects:
            _note_role(request, membership, None)


def _before(row: ModelForm[Membership]) -> Membership:
    """The membership as the page showed it; the page of a person has no field for the person, and so on."""
    now, shown = row.instance, row.initial
    return Membership(
        user_id=shown.get("user", now.user_id),
        merchant_id=shown.get("merchant", now.merchant_id),
        role=shown.get("role", now.role),
    )


def _note_role(request: HttpRequest, membership: Membership, before: str | None) -> None:
    _note(request, membership, "change_role", before={"role": before}, after={"role": membership.role})


def _note(request: HttpRequest, membership: Membership, what: str, **details: object) -> None:
    record(
        actor=admin_actor(request),
        action=f"membership.{what}",
        subject_type="user",
        subject_id=str(membership.user_id),
        merchant_id=membership.merchant_id,
        **details,
    )
