"""What an owner sets for the merchant in the portal: what its images are used for, and the keys of its programs."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.key_forms import NewKeyForm, RotationForm
from accounts.models import Merchant
from accounts.portal import PortalRequest, portal_view
from accounts.services import create_api_key, revoke_api_key, rotate_api_key, set_images_for_training
from accounts.views.owners import for_owners
from core.errors import Refused
from core.portal import posted_from


def _page(request: PortalRequest, merchant: Merchant, status: int = 200, **more: Any) -> HttpResponse:
    keys = merchant.api_keys.filter(revoked_at=None).select_related("created_by")
    shown = {"keys": keys, "form": NewKeyForm(), "rotation": RotationForm(), **more}
    response = render(request, "accounts/merchant_settings.html", shown, status=status)
    if "secret" in more:
        response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@portal_view
def own_settings(request: PortalRequest) -> HttpResponseBase:
    """The settings of the merchant that the person works in; people who do not own it have their own only."""
    if not request.actor.is_owner or request.actor.merchant is None:
        return redirect("accounts:profile")
    return _page(request, request.actor.merchant)


@require_http_methods(["GET", "HEAD", "POST"])
@for_owners
def settings(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """The page, and whether images may train models."""
    if request.method != "POST":
        return _page(request, merchant)
    allowed = "images_for_training" in request.POST
    set_images_for_training(actor=request.actor, merchant=merchant, allowed=allowed)
    messages.success(request, _("Saved."))
    return redirect("accounts:merchant_settings", merchant.public_id)


@posted_from("accounts:merchant_settings", "public_id")
@for_owners
def create_key(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Make a key and show it, this once: it goes into no message, cookie or log, so there is no redirect."""
    form = NewKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, merchant, status=400, form=form)
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    try:
        _key, secret = create_api_key(
            actor=request.actor, merchant=merchant, name=name, scopes=scopes, expires_at=form.expires_at()
        )
    except Refused as refused:
        return _page(request, merchant, status=400, refused=refused, form=form)
    return _page(request, merchant, secret=secret)


@posted_from("accounts:merchant_settings", "public_id")
@for_owners
def rotate_key(request: PortalRequest, merchant: Merchant, key_id: int) -> HttpResponseBase:
    """Give a key another secret and show it, this once, as `create_key` does."""
    key = get_object_or_404(merchant.api_keys, pk=key_id)
    form = RotationForm(request.POST)
    if not form.is_valid():
        return _page(request, merchant, status=400, rotation=form)
    asked = form.cleaned_data
    try:
        secret = rotate_api_key(actor=request.actor, key=key, overlap=asked["overlap"], seen=asked["seen"])
    except Refused as refused:
        return _page(request, merchant, status=409, refused=refused)
    return _page(request, merchant, secret=secret, rotated=key)


@posted_from("accounts:merchant_settings", "public_id")
@for_owners
def revoke_key(request: PortalRequest, merchant: Merchant, key_id: int) -> HttpResponseBase:
    """Make a key useless from now on."""
    key = get_object_or_404(merchant.api_keys, pk=key_id)
    revoke_api_key(actor=request.actor, key=key)
    messages.success(request, _("The key “%(name)s” opens nothing any more.") % {"name": key.name})
    return redirect("accounts:merchant_settings", merchant.public_id)
