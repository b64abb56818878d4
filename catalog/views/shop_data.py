"""All data of the merchant as a file, and closing the merchant: for its owners."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Merchant, Operation
from accounts.portal import PortalRequest
from accounts.services import opening, operations, result_files
from accounts.views.owners import for_owners
from catalog.services import shop_data
from core.errors import Refused
from core.portal import posted_from


def _context(request: PortalRequest) -> dict[str, Any]:
    found = shop_data.of_merchant(request.actor)
    running = next((one for one in found if one.finished_at is None), None)
    return {
        "days": settings.OTJANG_CLOSING_DAYS,
        "running": running,
        "late": running is not None and operations.waits_long(running),
        "files": [one for one in found if result_files.is_there(one)],
    }


def _page(request: PortalRequest, status: int = 200, **more: object) -> HttpResponse:
    return render(request, "catalog/shop_data.html", {**_context(request), **more}, status=status)


@require_safe
@for_owners
def page(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """What can be downloaded, and the way to close the merchant."""
    return _page(request)


@require_safe
@for_owners
def live(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """The part of the page that follows an operation, with the trigger to ask again until it ends."""
    return render(request, "catalog/shop_data_live.html", _context(request))


@posted_from("catalog:shop_data")
@for_owners
def start(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Begin to gather everything."""
    try:
        shop_data.start(actor=request.actor)
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("catalog:shop_data")


def _operation(merchant: Merchant, public_id: str) -> Operation:
    found = Operation.objects.filter(merchant=merchant, kind=shop_data.KIND, public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_safe
def download(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The file of an operation."""

    def send(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
        return result_files.download_response(_operation(merchant, public_id))

    return for_owners(send)(request)


@posted_from("catalog:shop_data")
def cancel(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Stop gathering."""

    def stop(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
        try:
            operations.cancel(actor=request.actor, operation=_operation(merchant, public_id))
        except Refused as refused:
            messages.error(request, refused.message)
        return redirect("catalog:shop_data")

    return for_owners(stop)(request)


@posted_from("catalog:shop_data")
@for_owners
def close(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Have the merchant closed; its name must be typed."""
    try:
        closed = opening.close_shop(actor=request.actor, merchant=merchant, name=request.POST.get("name", ""))
    except Refused as refused:
        return _page(request, status=400, refused=refused)
    assert closed.closes_at is not None  # that is what closing is
    day = date_format(localtime(closed.closes_at), "DATE_FORMAT")
    messages.success(request, _("The shop is deleted on %(day)s, unless an owner takes it back before.") % {"day": day})
    return redirect("catalog:shop_data")


@posted_from("catalog:shop_data")
@for_owners
def keep(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    """Take back that the merchant is closed."""
    try:
        opening.keep_shop(actor=request.actor, merchant=merchant)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("The shop stays open."))
    return redirect("catalog:shop_data")
