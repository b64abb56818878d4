"""The portal's home: what waits for a person, and what happened."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.models import Merchant
from accounts.portal import PortalRequest, portal_view
from catalog import home as figures
from catalog.lately import lately
from catalog.models import Product
from catalog.services.drafts import drafts_of
from catalog.views.new_product import form_context
from webhooks.services import switched_off

_SECONDS = 30  # between two looks at what waits
_SECONDS_AT_WORK = 5  # while something is being classified, or an operation runs


def _waiting(request: PortalRequest, merchant: Merchant) -> dict[str, Any]:
    queues = figures.waiting(request.actor)
    operations = figures.operations(merchant)
    at_work = bool(operations) or any(queue.count for queue in queues if queue.code == "classifying")
    return {
        "queues": queues,
        "to_review": next(queue for queue in queues if queue.code == "to_review"),
        "operations": operations,
        "seconds": _SECONDS_AT_WORK if at_work else _SECONDS,
    }


@require_safe
@portal_view
def home(request: PortalRequest) -> HttpResponseBase:
    """What waits, this week's work, how often proposals were kept, what others did."""
    merchant = request.actor.merchant
    if merchant is None and request.user.is_staff:  # their work is there
        return redirect("admin:index")
    if merchant is None:
        return render(request, "catalog/no_merchant.html")
    may_edit = request.actor.can_edit(merchant.pk)
    context = _waiting(request, merchant)
    context |= {
        "is_new": not any(queue.count for queue in context["queues"])
        and not Product.objects.visible_to(request.actor).exists(),
        "drafts": drafts_of(request.actor, merchant) if may_edit else [],
        "work": figures.week(request.actor, merchant),
        "acceptance": figures.acceptance(merchant),
        "lately": lately(merchant, request.actor.user),
        "lost_webhooks": switched_off(merchant) if request.actor.is_owner else [],
    }
    if context["is_new"] and may_edit:  # the first product is made right here
        context |= form_context(request, merchant)
    return render(request, "catalog/home.html", context)


@require_safe
@portal_view
def live(request: PortalRequest) -> HttpResponseBase:
    """What waits and which operations run, for the page to put in place of what it shows."""
    merchant = request.actor.merchant
    if merchant is None:
        return render(request, "catalog/no_merchant.html")
    return render(request, "catalog/home_waiting.html", _waiting(request, merchant))
