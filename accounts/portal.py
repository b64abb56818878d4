"""What a request to the portal carries, and which views need a logged-in person."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.middleware import HtmxDetails

from accounts.actors import Actor, Via
from accounts.models import Membership, User

P = ParamSpec("P")

SESSION_KEY = "active_merchant"


class PortalRequest(HttpRequest):
    """A request after the middleware: who acts, within which shop, and which other shops there are."""

    user: User
    actor: Actor
    memberships: list[Membership]
    htmx: HtmxDetails


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Return the person's memberships in active shops, by the shop's name; nobody has none."""
    if not request.user.is_authenticated:
        return []
    return list(
        Membership.objects.filter(user=request.user, merchant__is_active=True)
        .select_related("merchant")
        .order_by("merchant__name", "merchant_id")
    )


def actor_of_portal(request: HttpRequest) -> Actor | None:
    """Return who acts: the person within the shop of the session, else within the first one; None for nobody."""
    if not request.user.is_authenticated:
        return None
    chosen = request.session.get(SESSION_KEY)
    memberships = cast(PortalRequest, request).memberships
    membership = next((one for one in memberships if one.merchant.public_id == chosen), None)
    membership = membership or next(iter(memberships), None)
    return Actor(
        via=Via.PORTAL,
        user=request.user,
        merchant=membership.merchant if membership else None,
        role=membership.role if membership else None,
    )


def portal_view(
    view: Callable[Concatenate[PortalRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only logged-in people in; the view's request is a PortalRequest."""

    @login_required
    @wraps(view)
    def wrapper(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(cast(PortalRequest, request), *args, **kwargs)

    return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], wrapper)
