"""Who belongs to the merchant: the page, and what its owners do there."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import invitation_mail
from accounts.models import Membership, Merchant
from accounts.portal import PortalRequest, portal_view
from accounts.services import members as services
from accounts.views.owners import for_owners
from core.errors import Refused
from core.portal import posted_from


def _page(request: PortalRequest, merchant: Merchant, status: int = 200, **more: object) -> HttpResponse:
    people = merchant.memberships.select_related("user").order_by("created_at", "pk")
    context = {
        "members": people,
        "invitations": merchant.invitations.exclude(open_key=None).select_related("invited_by"),
        "now": timezone.now(),
        "roles": Membership.Role.choices,
        **more,
    }
    return render(request, "accounts/members.html", context, status=status)


@require_safe
@portal_view
def members(request: PortalRequest) -> HttpResponseBase:
    """The people of the merchant, for all of them; owners change it."""
    merchant = request.actor.merchant
    return redirect("accounts:profile") if merchant is None else _page(request, merchant)


@posted_from("accounts:members")
@for_owners
def invite(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Send somebody a link that lets them join."""
    email, role = request.POST.get("email", ""), request.POST.get("role", "")
    try:
        invitation_mail.invite(request, actor=request.actor, merchant=merchant, email=email, role=role)
    except Refused as refused:
        return _page(request, merchant, status=400, refused=refused, email=email, role=role)
    messages.success(request, _("The invitation is on its way to %(email)s.") % {"email": email.strip()})
    return redirect("accounts:members")


@posted_from("accounts:members")
@for_owners
def withdraw(request: PortalRequest, merchant: Merchant, number: int) -> HttpResponseBase:
    """Make an invitation's link useless."""
    invitation = get_object_or_404(merchant.invitations, pk=number)
    services.withdraw_invitation(actor=request.actor, invitation=invitation)
    messages.success(request, _("The invitation is withdrawn: its link does nothing any more."))
    return redirect("accounts:members")


def _change(
    request: PortalRequest, merchant: Merchant, number: int, change: Callable[[Membership], None], said: str
) -> HttpResponse:
    membership = get_object_or_404(merchant.memberships.select_related("user"), pk=number)
    try:
        change(membership)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, said % {"person": membership.user})
    return redirect("accounts:members")


@posted_from("accounts:members")
@for_owners
def change_role(request: PortalRequest, merchant: Merchant, number: int) -> HttpResponseBase:
    """Give a member another role."""
    role = request.POST.get("role", "")
    return _change(
        request,
        merchant,
        number,
        lambda membership: services.change_role(actor=request.actor, membership=membership, role=role),
        _("%(person)s has another role now."),
    )


@posted_from("accounts:members")
@portal_view
def remove(request: PortalRequest, public_id: str, number: int) -> HttpResponseBase:
    """Take a member out of the merchant; everybody may leave."""
    found = (one for one in request.memberships if one.merchant.public_id == public_id)
    own = next(found, None)
    merchant = get_object_or_404(Merchant, pk=own.merchant_id if own else None)
    leaves = own is not None and own.pk == number
    said = _("You left the shop.") if leaves else _("%(person)s does not belong to the shop any more.")
    return _change(
        request,
        merchant,
        number,
        lambda membership: services.remove_member(actor=request.actor, membership=membership),
        said,
    )


@posted_from("accounts:members")
@for_owners
def hand_over(request: PortalRequest, merchant: Merchant, number: int) -> HttpResponseBase:
    """Make a member the owner in one's own place."""
    return _change(
        request,
        merchant,
        number,
        lambda membership: services.hand_over(actor=request.actor, membership=membership),
        _("The shop is %(person)s's now. You go on as an editor."),
    )
