"""The pages on which owners manage a shop's webhooks and see what was sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Merchant
from accounts.portal import PortalRequest
from accounts.views.owners import for_owners
from core.errors import Refused
from core.portal import posted_from
from webhooks import services
from webhooks.models import SUBSCRIBABLE_CHOICES, Delivery, Endpoint

_SHOWN = 50  # deliveries on a page


def _list(request: PortalRequest, merchant: Merchant, status: int = 200, **more: Any) -> HttpResponse:
    endpoints = list(merchant.webhook_endpoints.order_by("pk"))
    newest = endpoints[-1].public_id if endpoints else ""
    context = {"endpoints": endpoints, "newest": newest, "kinds": SUBSCRIBABLE_CHOICES, **more}
    return render(request, "webhooks/list.html", context, status=status)


def _page(request: PortalRequest, endpoint: Endpoint, status: int = 200, **more: Any) -> HttpResponse:
    deliveries = endpoint.deliveries.select_related("event").order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        deliveries = deliveries.filter(pk__lt=int(before))
    some = list(deliveries[: _SHOWN + 1])
    context = {
        "endpoint": endpoint,
        "kinds": SUBSCRIBABLE_CHOICES,
        "deliveries": some[:_SHOWN],
        "older": some[_SHOWN - 1].pk if len(some) > _SHOWN else None,
        **more,
    }
    return render(request, "webhooks/endpoint.html", context, status=status)


def _find(merchant: Merchant, number: str) -> Endpoint:
    return get_object_or_404(merchant.webhook_endpoints, public_id=number)


def _carry_out(
    request: PortalRequest, endpoint: Endpoint, operation: Callable[[], object], said: str, page: str = ""
) -> HttpResponse:
    """Do it and say so on that page, by default the webhook's own; or show that one with what was refused."""
    try:
        operation()
    except Refused as refused:
        return _page(request, endpoint, status=400, refused=refused)
    messages.success(request, said)
    return redirect(page) if page else redirect("webhooks:webhook", endpoint.public_id)


@require_safe
@for_owners
def webhooks(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """The shop's webhooks, and a form for a new one."""
    return _list(request, merchant)


@require_safe
@for_owners
def webhook(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """One webhook with what was sent to it."""
    return _page(request, _find(merchant, number))


@posted_from("webhooks:webhooks")
@for_owners
@never_cache
def create(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Add a webhook and show its secret, this once: it goes into no message, cookie or log, so there is no redirect."""
    url, description = request.POST.get("url", ""), request.POST.get("description", "")
    types = request.POST.getlist("types")
    try:
        endpoint = services.create_endpoint(
            actor=request.actor,
            merchant=merchant,
            url=url,
            description=description,
            types=types,
            seen=request.POST.get("seen"),
        )
    except Refused as refused:
        said = {"url": url, "description": description, "types": types}
        return _list(request, merchant, status=400, refused=refused, said=said)
    return _page(request, endpoint, secret=endpoint.secret)


@posted_from("webhooks:webhook", "number")
@for_owners
def change(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Change a webhook's address, its description, and what it is told of."""
    endpoint = _find(merchant, number)
    operation = partial(
        services.change_endpoint,
        actor=request.actor,
        endpoint=endpoint,
        url=request.POST.get("url", ""),
        description=request.POST.get("description", ""),
        types=request.POST.getlist("types"),
    )
    return _carry_out(request, endpoint, operation, _("Saved."))


@posted_from("webhooks:webhook", "number")
@for_owners
def switch(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Switch a webhook on or off."""
    endpoint, on = _find(merchant, number), request.POST.get("on") == "1"
    operation = partial(services.change_endpoint, actor=request.actor, endpoint=endpoint, is_active=on)
    said = _("Switched on.") if on else _("Switched off. Nothing is sent to it.")
    return _carry_out(request, endpoint, operation, said)


@posted_from("webhooks:webhook", "number")
@for_owners
@never_cache
def rotate(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Make another secret and show it, this once."""
    endpoint = _find(merchant, number)
    try:
        endpoint = services.rotate_secret(actor=request.actor, endpoint=endpoint, seen=request.POST.get("seen", ""))
    except Refused as refused:
        return _page(request, endpoint, status=400, refused=refused)
    return _page(request, endpoint, secret=endpoint.secret)


@posted_from("webhooks:webhook", "number")
@for_owners
def test(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Send a webhook a test."""
    endpoint = _find(merchant, number)
    said = _("A test is on its way. Load the page again in a moment to see what came of it.")
    return _carry_out(request, endpoint, partial(services.send_test, actor=request.actor, endpoint=endpoint), said)


@posted_from("webhooks:webhook", "number")
@for_owners
def replay(request: PortalRequest, merchant: Merchant, number: str, delivery: str) -> HttpResponseBase:
    """Send something once more."""
    endpoint = _find(merchant, number)
    found = get_object_or_404(Delivery.objects.select_related("endpoint"), endpoint=endpoint, public_id=delivery)
    operation = partial(services.replay, actor=request.actor, delivery=found)
    return _carry_out(request, endpoint, operation, _("It is sent once more."))


@posted_from("webhooks:webhook", "number")
@for_owners
def delete(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Delete a webhook and the list of what was sent to it."""
    endpoint = _find(merchant, number)
    operation = partial(services.delete_endpoint, actor=request.actor, endpoint=endpoint)
    return _carry_out(request, endpoint, operation, _("The webhook is deleted."), "webhooks:webhooks")
