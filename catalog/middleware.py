"""A link to a product of another of the reader's merchants offers to switch to that one."""

from collections.abc import Callable
from typing import cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.portal import PortalRequest
from catalog.models import Product
from core.portal import wants_json


class OtherMerchantMiddleware:
    """Answers in the place of 404 where the product is of a merchant that the person works for, too.

    Colleagues send each other links, and a person of two merchants need not know which of them is the active one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Look for the product of a page's address in the person's other merchants; None leaves it at 404."""
        match = request.resolver_match
        if not isinstance(exception, Http404) or match is None or match.route.split("/")[0] != "products":
            return None
        public_id = match.kwargs.get("public_id")
        portal = cast(PortalRequest, request)
        if not public_id or not request.user.is_authenticated or wants_json(request) or portal.htmx:
            return None
        merchants = {
            one.merchant_id: one.merchant for one in portal.memberships if one.merchant != portal.actor.merchant
        }
        product = Product.objects.filter(public_id=public_id, merchant__in=merchants).first()
        if product is None:
            return None
        context = {"product": product, "other": merchants[product.merchant_id]}
        return render(request, "catalog/other_merchant.html", context)
