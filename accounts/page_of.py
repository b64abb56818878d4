"""For whom a page was made: who logs in later, or switches the merchant in another window, does not act by accident.

A page's scripts send the mark of the page with every request (`templates/requests.html`, `static/js/session.js`). Where
it is not the mark of who acts now, the request is turned down before anything is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts.portal import PAGE_OF, PortalRequest


def page_of(request: HttpRequest) -> str:
    """Return the mark of who acts now and in which merchant, as `person.merchant`; '' for nobody."""
    if not request.user.is_authenticated:
        return ""
    merchant = cast(PortalRequest, request).actor.merchant
    person = salted_hmac("accounts.page_of", str(request.user.pk)).hexdigest()[:16]
    return f"{person}.{merchant.public_id if merchant else ''}"


def _refusal(request: HttpRequest, made_for: str) -> HttpResponse | None:
    now = page_of(request)
    if not now or now == made_for:
        return None
    if now.partition(".")[0] != made_for.partition(".")[0]:
        code = "other_person"
        message = _("You are logged in as %(person)s now, but this page was opened by somebody else. Nothing was sent.")
        message %= {"person": request.user}
    else:
        code = "other_merchant"
        merchant = cast(PortalRequest, request).actor.merchant
        message = _(
            "You now work in %(merchant)s, but this page is of another shop. Nothing was sent: switch back first."
        )
        message %= {"merchant": merchant or _("no shop")}
    return JsonResponse({"code": code, "message": message}, status=409)


class PageOfMiddleware:
    """Turns down what a page sends that was made for somebody else, or for another merchant."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        made_for = request.headers.get(PAGE_OF)
        refusal = _refusal(request, made_for) if made_for else None
        return refusal or self.get_response(request)
