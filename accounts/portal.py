"""What a request to the portal carries, and which views need a logged-in person."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.impersonation import impersonator_of
from accounts.log_fields import note_person
from accounts.models import Membership, User
from core.portal import wants_json

P = ParamSpec("P")

SESSION_KEY = "active_merchant"
PAGE_OF = "Page-Of"  # the header that a page's scripts send; accounts.page_of says what it means


class PortalRequest(HttpRequest):
    """A request after the middleware: who acts, within which merchant, and which other merchants there are."""

    user: User
    actor: Actor
    memberships: list[Membership]
    htmx: HtmxDetails


def memberships_of(request: HttpRequest) -> list[Membership]:
    """Return the person's memberships in active merchants, by the merchant's name; nobody has none."""
    if not request.user.is_authenticated:
        return []
    return list(
        Membership.objects.filter(user=request.user, merchant__is_active=True)
        .select_related("merchant")
        .order_by("merchant__name", "merchant_id")
    )


def actor_of_portal(request: HttpRequest) -> Actor | None:
    """Return who acts: the person within the merchant of the session, else within the first one; None for nobody."""
    if not request.user.is_authenticated:
        return None
    chosen = request.session.get(SESSION_KEY)
    memberships = cast(PortalRequest, request).memberships
    membership = next((one for one in memberships if one.merchant.public_id == chosen), None)
    membership = membership or next(iter(memberships), None)
    actor = Actor(
        channel=Channel.PORTAL,
        user=request.user,
        impersonator=impersonator_of(request),
        merchant=membership.merchant if membership else None,
        role=membership.role if membership else None,
    )
    note_person(request, actor)
    return actor


def ask_who(request: PortalRequest) -> HttpResponse:
    """Send a stranger to the log-in page. Scripts and htmx would follow a redirect and take that page for an answer."""
    if wants_json(request):
        message = _("You are no longer logged in. Log in, then try again.")
        return JsonResponse({"code": "not_authenticated", "message": message}, status=401)
    if request.htmx and PAGE_OF in request.headers:  # the page asks for the password itself, and sends again
        return HttpResponse(status=401)
    if request.htmx:
        log_in = redirect_to_login(request.htmx.current_url_abs_path or "/")
        return HttpResponse(status=401, headers={"HX-Redirect": log_in.url})
    if request.method == "POST":
        messages.warning(request, _("You were no longer logged in, so nothing was saved. Log in, then do it again."))
    return redirect_to_login(request.get_full_path())


def portal_view(
    view: Callable[Concatenate[PortalRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Let only logged-in people in; the view's request is a PortalRequest."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        portal = cast(PortalRequest, request)
        return view(portal, *args, **kwargs) if request.user.is_authenticated else ask_who(portal)

    return cast(Callable[Concatenate[HttpRequest, P], HttpResponseBase], wrapper)
