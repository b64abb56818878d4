"""Joining a merchant by the link of an invitation."""

from __future__ import annotations

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.forms import JoinForm
from accounts.models import Invitation, User
from accounts.portal import SESSION_KEY
from accounts.services import members
from core.errors import Refused
from core.text import lookup_key


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Say who invites to what; a POST joins, and makes the account of who has none yet."""
    invitation = members.invitation_of(secret)
    if invitation is None:
        return render(request, "accounts/invitation_over.html", status=404)
    owner = User.objects.filter(email_key=lookup_key(invitation.email)).first()
    if owner is None:
        return _as_new(request, invitation)
    if not owner.is_active or request.user != owner:
        return render(request, "accounts/join.html", {"invitation": invitation, "owner": owner})
    if request.method != "POST":
        return render(request, "accounts/join.html", {"invitation": invitation, "owner": owner, "ready": True})
    try:
        members.join(user=owner, invitation=invitation)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("/")
    return _welcome(request, invitation, redirect("/"))


def _as_new(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if request.user.is_authenticated:  # somebody else is at the screen
        return render(request, "accounts/join.html", {"invitation": invitation})
    form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if form.is_valid():
        language = "en" if get_language() == "en" else "ko"
        try:
            user = members.join_as_new(invitation=invitation, language=language, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.message)
        else:
            login = Login(user=user, email=user.email.lower(), redirect_url="/")
            response = perform_password_login(request, {"email": user.email}, login)
            return _welcome(request, invitation, response)
    context = {"invitation": invitation, "form": form}
    return render(request, "accounts/join.html", context, status=400 if form.is_bound else 200)


def _welcome(request: HttpRequest, invitation: Invitation, response: HttpResponse) -> HttpResponse:
    request.session[SESSION_KEY] = invitation.merchant.public_id
    messages.success(request, _("Welcome to %(shop)s.") % {"shop": invitation.merchant.name})
    return response
