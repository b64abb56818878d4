"""Merchants with their members and API keys."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
)

from accounts import invitation_mail
from accounts.admin.base import MerchantData, admin_actor, secret_page
from accounts.admin.keys import KeyForm
from accounts.admin.members import RecordsMembers
from accounts.models import ApiKey, Invitation, Membership, Merchant, MerchantFigures, Usage
from accounts.services import create_api_key, usage
from accounts.services.members import PERMISSION
from core.admin.base import ReadOnly
from core.admin.theme import Dialog, TabularInline, action, display
from core.errors import Refused


class MemberInline(TabularInline[Membership, Merchant]):
    """The people of a merchant and their roles."""

    model = Membership
    fields = ("user", "role", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)
    extra = 0


class ApiKeyInline(ReadOnly, TabularInline[ApiKey, Merchant]):
    """The keys of a merchant; a key's own page revokes it."""

    model = ApiKey
    fields = (
        "prefix",
        "may_read",
        "may_write",
        "may_classify",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    readonly_fields = fields
    show_change_link = True
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """With the authors, in one query."""
        return super().get_queryset(request).select_related("created_by")


class InvitationInline(ReadOnly, TabularInline[Invitation, Merchant]):
    """Who was invited and has not come yet."""

    model = Invitation
    fields = ("email", "role", "invited_by", "created_at", "expires_at")
    readonly_fields = fields
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        """Those that wait."""
        return super().get_queryset(request).exclude(open_key=None).select_related("invited_by")


class NewMerchantForm(forms.ModelForm[Merchant]):
    """A new merchant, with the e-mail of whom it will belong to."""

    first_owner = forms.EmailField(
        label=_("E-mail of the first owner"),
        max_length=254,
        required=False,
        help_text=_("Gets a mail with a link to join. Without one, invite or add somebody later."),
        widget=UnfoldAdminEmailInputWidget,
    )

    class Meta:
        model = Merchant
        fields = ("name", "is_active", "images_for_training")


class InviteForm(Dialog):
    """Who is invited, and as what."""

    email = forms.EmailField(label=capfirst(_("e-mail")), max_length=254, widget=UnfoldAdminEmailInputWidget)
    role = forms.ChoiceField(label=capfirst(_("role")), choices=Membership.Role.choices, widget=UnfoldAdminSelectWidget)


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many rows a merchant has; looked up for the merchants of a page."""
    counted = rows.filter(merchant=OuterRef("pk")).order_by().values("merchant").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


def _figures(merchant: Merchant) -> MerchantFigures | None:
    """What a worker has counted, if one has been there."""
    return getattr(merchant, "figures", None)


@admin.register(Merchant)
class MerchantAdmin(RecordsMembers[Merchant], MerchantData[Merchant]):
    """Merchants. They are switched off rather than deleted: products, decisions and the audit trail hang on them."""

    list_display = (
        "name",
        "products",
        "images",
        "stored",
        "kept",
        "last_active",
        "members",
        "valid_keys",
        "is_active",
        "created_at",
    )
    list_select_related = ("figures",)
    list_filter = ("is_active", "is_demo", "images_for_training")
    search_fields = ("name", "public_id")
    fields = (
        "name",
        "public_id",
        "is_active",
        "images_for_training",
        "is_demo",
        "daily_images",
        "daily_megabytes",
        "usage_line",
        "created_at",
        "figures_line",
    )
    readonly_fields = ("public_id", "created_at", "usage_line", "figures_line")
    inlines = (MemberInline, InvitationInline, ApiKeyInline)
    actions_detail = ("invite", "new_key")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merchant]:
        """With the numbers that the list shows."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                member_count=_number_of(Membership.objects.all()),
                key_count=_number_of(ApiKey.objects.filter(revoked_at=None)),
            )
        )

    def get_fields(self, request: HttpRequest, obj: Merchant | None = None) -> Any:
        """A new one has a first owner."""
        return self.fields if obj is not None else ("name", "first_owner", "images_for_training")

    def get_form(self, request: HttpRequest, obj: Merchant | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A new one has a form of its own."""
        if obj is None:
            kwargs["form"] = NewMerchantForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Merchant | None) -> Any:
        """A new one has neither keys nor invitations."""
        return self.inlines if obj is not None else ()

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: bool) -> None:
        """Invite the first owner once the merchant is stored."""
        super().save_model(request, obj, form, change)
        email = "" if change else form.cleaned_data.get("first_owner", "")
        if email:
            transaction.on_commit(lambda: self._invite(request, obj, email, Membership.Role.OWNER))

    def _invite(self, request: HttpRequest, merchant: Merchant, email: str, role: str) -> None:
        try:
            invitation_mail.invite(request, actor=admin_actor(request), merchant=merchant, email=email, role=role)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        else:
            said = _("The invitation is on its way to %(email)s.") % {"email": email}
            self.message_user(request, said, messages.SUCCESS)

    def has_invite_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may change members; the service asks again."""
        return admin_actor(request).sees_all_merchants and request.user.has_perm(PERMISSION)

    @action(
        description=_("Invite a member"),
        permissions=["invite"],
        icon="mail",
        dialog={
            "title": _("Invite a member"),
            "description": _("They get a mail with a link to join, which runs out after some days."),
            "form_class": InviteForm,
            "form_submit_text": _("Invite by mail"),
        },
    )
    def invite(self, request: HttpRequest, form: Dialog, object_id: str) -> HttpResponse:
        """Send somebody a link that lets them join."""
        merchant = self.get_object(request, object_id)
        if merchant is None:
            raise Http404
        self._invite(request, merchant, form.cleaned_data["email"], form.cleaned_data["role"])
        return HttpResponse(headers={"HX-Redirect": reverse("admin:accounts_merchant_change", args=[object_id])})

    def merchant_id_of(self, obj: Merchant) -> int:
        """A merchant's own trail."""
        return obj.pk

    def has_delete_permission(self, request: HttpRequest, obj: Merchant | None = None) -> bool:
        """Nobody: see the class."""
        return False

    def has_new_key_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Who may make keys; the service asks again."""
        return admin_actor(request).sees_all_merchants and request.user.has_perm("accounts.add_apikey")

    @display(description=_("products"), ordering="figures__products")
    def products(self, merchant: Merchant) -> str:
        """How many products are not archived, as a link to them."""
        figures = _figures(merchant)
        url = f"{reverse('admin:catalog_product_changelist')}?{urlencode({'merchant__id__exact': merchant.pk})}"
        return format_html('<a href="{}" class="text-link">{}</a>', url, intcomma(figures.products)) if figures else "–"

    @display(description=_("photos"), ordering="figures__images")
    def images(self, merchant: Merchant) -> str:
        """How many photos count."""
        figures = _figures(merchant)
        return intcomma(figures.images) if figures else "–"

    @display(description=_("size of the photos"), ordering="figures__bytes")
    def stored(self, merchant: Merchant) -> str:
        """What the originals take up."""
        figures = _figures(merchant)
        return filesizeformat(figures.bytes) if figures else "–"

    @display(description=_("proposals kept"))
    def kept(self, merchant: Merchant) -> str:
        """Of the proposals that people looked at in the products reviewed last."""
        figures = _figures(merchant)
        if figures is None or not figures.answered:
            return "–"
        return _("%(share)d %% of %(total)d") % {
            "share": round(100 * figures.kept / figures.answered),
            "total": figures.answered,
        }

    @display(description=_("last active"), ordering="figures__last_active")
    def last_active(self, merchant: Merchant) -> Any:
        """When a person or a key last did something."""
        figures = _figures(merchant)
        return figures.last_active if figures else None

    @display(description=_("figures"))
    def figures_line(self, merchant: Merchant) -> str:
        """All of them, and of when they are."""
        figures = _figures(merchant)
        if figures is None:
            return str(_("A worker counts them within minutes."))
        parts = (
            _("%(count)s products") % {"count": intcomma(figures.products)},
            _("%(count)s photos") % {"count": intcomma(figures.images)},
            filesizeformat(figures.bytes),
            _("proposals kept: %(kept)s") % {"kept": self.kept(merchant)},
            _("counted: %(when)s") % {"when": date_format(localtime(figures.counted_at), "SHORT_DATETIME_FORMAT")},
        )
        return " · ".join(str(part) for part in parts)

    @display(description=_("through the API today"))
    def usage_line(self, merchant: Merchant) -> str:
        """What came in today, and what may."""
        used = Usage.objects.filter(merchant=merchant, day=usage.today()).first() or Usage()
        quota = usage.quota_of(merchant)
        none = _("no limit")
        return _("%(images)s photos (%(most_images)s), %(size)s (%(most_size)s)") % {
            "images": intcomma(used.images),
            "most_images": none if quota.images is None else intcomma(quota.images),
            "size": filesizeformat(used.bytes),
            "most_size": none if quota.bytes is None else filesizeformat(quota.bytes),
        }

    @display(description=_("members"), ordering="member_count")
    def members(self, merchant: Merchant) -> Any:
        """How many people belong to the merchant."""
        return merchant.member_count  # type: ignore[attr-defined]  # annotated by get_queryset

    @display(description=_("valid API keys"), ordering="key_count")
    def valid_keys(self, merchant: Merchant) -> Any:
        """How many keys work."""
        return merchant.key_count  # type: ignore[attr-defined]  # annotated by get_queryset

    @action(description=_("New API key"), permissions=["new_key"], icon="key")
    def new_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a name; then make the key and show it, this once: it goes into no message, cookie, session or log.

        So there is no redirect. A person who reloads the page finds the name taken, and makes no second key.
        """
        merchant = self.get_object(request, object_id)
        if merchant is None:
            raise Http404
        form = KeyForm(request.POST or None)
        secret = None
        if request.method == "POST" and form.is_valid():
            try:
                _key, secret = create_api_key(
                    actor=admin_actor(request),
                    merchant=merchant,
                    name=form.cleaned_data["name"],
                    scopes=form.cleaned_data["scopes"],
                    expires_at=form.expires_at(),
                )
            except Refused as refused:
                messages.error(request, refused.message)
        page = "admin/accounts/merchant/new_key.html"
        return secret_page(self, request, page, _("New API key"), merchant, form, secret)
