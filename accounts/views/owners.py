"""What an owner's pages of a merchant share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.models import Merchant
from accounts.portal import PortalRequest, portal_view

P = ParamSpec("P")


def for_owners(
    view: Callable[Concatenate[PortalRequest, Merchant, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Give the view the merchant that the person works in; 404 for another one, 403 for who does not own it.

    An address without a merchant's number is that of the one that they work in.
    """

    def wrapper(request: PortalRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        merchant = request.actor.merchant
        if merchant is None or merchant.public_id != kwargs.pop("public_id", merchant.public_id):
            raise Http404
        if not request.actor.is_owner:
            return render(request, "403.html", status=403)
        return view(request, merchant, *args, **kwargs)

    return portal_view(wrapper)
