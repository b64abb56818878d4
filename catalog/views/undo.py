"""Taking back one change of a product: what was just saved, or a line of its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.portal import PortalRequest, portal_view
from catalog import services
from catalog.models import Product
from catalog.services.single_undo import undo_change
from catalog.views.access import product_or_404, turned_away
from core.errors import Conflict, Forbidden, Gone, Refused
from core.portal import posted_from, wants_json

_SALT = "catalog.undo"
_MAX_AGE = 24 * 60 * 60  # seconds


def saved_undo(product: Product, before: services.ProductState) -> dict[str, str] | None:
    """Return what a script sends to take a save back: an address and a token; None if the save changed nothing.

    Args:
        product: the product as the service that saved it returned it, with the version that it has since.
        before: what it said before.
    """
    if services.state_of(product) == before:
        return None
    token = signing.dumps({"product": product.pk, "version": product.version, "state": before.to_json()}, salt=_SALT)
    return {"url": reverse("catalog:undo", args=[product.public_id]), "token": token}


def _undo(request: PortalRequest, product: Product) -> None:
    """Undo what the request names. Raises Conflict where that cannot be done any more."""
    token = request.POST.get("token")
    if token is None:
        undo_change(actor=request.actor, product=product, change=request.POST.get("change", ""))
        return
    try:
        said: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=_MAX_AGE)
    except signing.BadSignature:
        said = {}
    if said.get("product") != product.pk:
        raise Conflict("stale", _("This can no longer be undone here. The history below can take back each change."))
    state = services.ProductState.from_json(said["state"])
    services.put_back(actor=request.actor, product=product, state=state, version=said["version"])


def _said(product: Product, before: str) -> str:
    """What a person is told: also whether shoppers see the product since, or no longer do."""
    product.refresh_from_db(fields=["status"])
    public = Product.Status.PUBLISHED
    if product.status != before == public:
        return _("Undone. The product is no longer published.")
    if before != product.status == public:
        return _("Undone. The product is published again.")
    return _("Undone.")


@posted_from("catalog:product", "public_id")
@portal_view
def undo(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Take back what was just saved (`token`), or one line of the history (`change`)."""
    product = product_or_404(request, public_id)
    as_json, before = wants_json(request), product.status
    try:
        _undo(request, product)
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        if as_json:
            return JsonResponse({"code": refused.code, "message": refused.message}, status=409)
        messages.error(request, refused.message)
        return redirect("catalog:product", public_id)
    said = _said(product, before)
    if as_json:
        return JsonResponse({"message": said})
    messages.success(request, said)
    return redirect("catalog:product", public_id)
