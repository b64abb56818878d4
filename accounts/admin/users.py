"""Users, who log in by e-mail, and the groups that give staff their permissions."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import AuditedAdmin, admin_actor
from accounts.admin.members import RecordsMembers
from accounts.impersonation import may_impersonate
from accounts.models import Membership, Merchant, User
from accounts.ready_groups import NAMES, READY_GROUPS
from accounts.services.personal import erase_person
from core.admin.base import dialog
from core.admin.newest_first import NewestFirst
from core.admin.theme import (
    AdminPasswordChangeForm,
    Dialog,
    TabularInline,
    UserChangeForm,
    UserCreationForm,
    action,
    display,
)
from core.errors import Refused
from core.text import lookup_key

admin.site.unregister(Group)
# A person's own matters; an address is changed with the person.
for model in (Authenticator, EmailAddress, UserSession):
    admin.site.unregister(model)


def group_name(group: Group) -> str:
    """Return what a group is called: the ready ones have names in the reader's language."""
    return gettext(group.name) if group.name in NAMES else group.name


class GroupsField(forms.ModelMultipleChoiceField[Group]):
    """Groups in the reader's language."""

    def label_from_instance(self, obj: Any) -> str:
        """Its name."""
        return group_name(obj)


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
class UserAdmin(NewestFirst[User], DjangoUserAdmin[User], RecordsMembers[User]):
    """People who log in. They are switched off rather than deleted: what they decided keeps their name."""

    audits_values = False  # people are forgotten one day; what they were called is not written down elsewhere
    audited_fields = frozenset({"is_active", "is_staff", "is_superuser", "groups", "user_permissions"})
    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    ordering = ("-pk",)
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
    actions_detail = ("impersonate", "erase")
    # Permission to edit users must not be a way to get every other permission.
    _granted_by_superusers: ClassVar = ("is_staff", "is_superuser", "groups", "user_permissions")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Groups by their names in the reader's language."""
        if db_field.name == "groups":
            kwargs["form_class"] = GroupsField
        return super().formfield_for_manytomany(db_field, request, **kwargs)

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

    def has_impersonate_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Support, and members who are not staff; django-hijack's view asks again."""
        user = User.objects.filter(pk=object_id).first()
        return user is not None and may_impersonate(hijacker=cast(User, request.user), hijacked=user)

    @action(description=_("Work as this person"), permissions=["impersonate"], icon="supervisor_account")
    def impersonate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what it means before it begins."""
        user = self.get_object(request, object_id)
        if user is None:
            raise Http404
        merchants = Merchant.objects.filter(memberships__user=user, is_active=True)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Work as this person"),
            "opts": self.opts,
            "original": user,
            "merchants": list(merchants),
        }
        return TemplateResponse(request, "admin/accounts/user/impersonate.html", context)

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
    """Named sets of permissions for staff. The ready ones come with the site: `accounts.ready_groups`."""

    filter_horizontal = ()
    list_display = ("called", "purpose")
    list_display_links = ("called",)
    _purposes: ClassVar = {group.name: group.purpose for group in READY_GROUPS}

    @display(description=_("name"), ordering="name")
    def called(self, group: Group) -> str:
        """Its name in the reader's language."""
        return group_name(group)

    @display(description=_("what for"))
    def purpose(self, group: Group) -> str:
        """What its members do, if it is a ready one."""
        return str(self._purposes.get(group.name, ""))

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """A ready group is only looked at."""
        if obj is not None and obj.name in NAMES:
            return ("called", "purpose", "permissions")
        return ("name", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """What is said of a ready group is not a field."""
        return ("called", "purpose") if obj is not None and obj.name in NAMES else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only superusers: staff could give their own group every right."""
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Only superusers, for the reason that `has_add_permission` names; ready groups would be put right again."""
        return request.user.is_superuser and (obj is None or obj.name not in NAMES)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Only superusers, for the reason that `has_add_permission` names."""
        return request.user.is_superuser and (obj is None or obj.name not in NAMES)
