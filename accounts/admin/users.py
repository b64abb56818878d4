"""Users, who log in by e-mail, and the groups that give staff their permissions."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import AuditedAdmin, admin_actor
from accounts.models import Membership, User
from accounts.services.personal import erase_person
from core.admin.base import dialog
from core.admin.theme import AdminPasswordChangeForm, Dialog, TabularInline, UserChangeForm, UserCreationForm, action
from core.errors import Refused
from core.text import lookup_key

admin.site.unregister(Group)
# A person's own matters; an address is changed with the person.
for model in (Authenticator, EmailAddress, UserSession):
    admin.site.unregister(model)


class EmailForm(forms.ModelForm[User]):
    """Mixin: an e-mail belongs to one user, however it is spelled."""

    def clean_email(self) -> str:
        """Refuse an e-mail that somebody else has in another spelling."""
        email: str = self.cleaned_data["email"].strip()
        if User.objects.filter(email_key=lookup_key(email)).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("A user with this e-mail exists already."), code="email_taken")
        return email


class NewUserForm(EmailForm, UserCreationForm[User]):
    """E-mail, name and a password (or none: the user can't log in until one is set)."""

    class Meta:
        model = User
        fields = ("email", "name")


class UserForm(EmailForm, UserChangeForm[User]):
    """Everything but the password, which has a page of its own."""

    class Meta:
        model = User
        fields = ("email", "name", "language", "is_active", "is_staff", "is_superuser", "groups", "user_permissions")


class MembershipInline(TabularInline[Membership, User]):
    """The merchants of a user."""

    model = Membership
    fields = ("merchant", "role")
    autocomplete_fields = ("merchant",)
    extra = 0
    show_change_link = False


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User], AuditedAdmin[User]):
    """People who log in. They are switched off rather than deleted: what they decided keeps their name."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    ordering = ("-id",)
    list_display = ("email", "name", "is_active", "is_staff", "language", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "language")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "language", "password")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
    actions_detail = ("erase",)
    # Permission to edit users must not be a way to get every other permission.
    _granted_by_superusers: ClassVar = ("is_staff", "is_superuser", "groups", "user_permissions")

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """Whose merchants somebody works in is for staff who may see all of them (rule 2)."""
        return self.inlines if admin_actor(request).sees_all_merchants else ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Let only superusers grant permissions."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else fields + self._granted_by_superusers

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let nobody change people who may do more than they: an e-mail or a password is a way to be them."""
        may = super().has_change_permission(request, obj)
        if not may or obj is None or request.user.is_superuser:
            return may
        if obj.is_staff or obj.is_superuser:
            return False
        return admin_actor(request).sees_all_merchants or not obj.memberships.exists()

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: see the class."""
        return False

    def has_erase_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change the person; the service asks again."""
        user = User.objects.filter(pk=object_id, erased_at=None).first() if object_id else None
        return user is not None and self.has_change_permission(request, user)

    @action(
        description=_("Erase"),
        permissions=["erase"],
        icon="person_off",
        dialog=dialog(
            _("Erase this person for good?"),
            _("E-mail, name and all that is theirs alone are deleted; decisions keep a number. This can't be undone."),
            _("Erase"),
        ),
    )
    def erase(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Erase the person of the page, as they ask for."""
        user = User.objects.get(pk=object_id)
        try:
            erase_person(actor=admin_actor(request), user=user)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        else:
            self.message_user(request, _("The person is erased."), messages.SUCCESS)
        return HttpResponse(headers={"HX-Redirect": reverse("admin:accounts_user_change", args=[object_id])})


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin[Group]):
    """Named sets of permissions for staff."""

    filter_horizontal = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only superusers: staff could give their own group every right."""
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Only superusers, for the reason that `has_add_permission` names."""
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Only superusers, for the reason that `has_add_permission` names."""
        return request.user.is_superuser
