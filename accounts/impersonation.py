"""Members of staff who work as a member of a merchant for a while, to see what that person sees.

django-hijack changes whose session it is and keeps who began in it. This module says who may, what stays closed
meanwhile, and writes beginning and end into the audit trail; `Actor.impersonator` carries the name to everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare

from accounts.actors import NOT_YOURS, Actor
from accounts.channels import Channel
from accounts.models import Merchant, User
from accounts.services import record
from core.portal import wants_json

PERMISSION = "accounts.impersonate_user"
_SINCE = "impersonator_since"  # the hash that a changed password changes: the session ends then
_HISTORY = "hijack_history"  # django-hijack's: the keys of those whose session it was before
# What can be done in another person's name: the work with products. Everything else is theirs alone, also what will be
# added one day.
_OPEN_PARTS = frozenset({"catalog", "classifier", "api", "hijack"})
_SETTINGS = frozenset({"settings", "merchants"})  # what addresses begin with by which owners keep their merchant
_OPEN_PAGES = frozenset(
    {
        "account_login",  # allauth's names of the same pages
        "account_logout",
        "accounts:login",
        "accounts:logout",
        "accounts:language",
        "accounts:theme",
        "accounts:switch_merchant",
        "healthz",
        "metrics",
        "readyz",
        "set_language",
    }
)


def may_begin(user: Any) -> bool:
    """Whether somebody may work as other people at all."""
    return (
        bool(user.is_active and user.is_staff)
        and user.has_perm(PERMISSION)
        and user.has_perm("accounts.view_all_merchants")
    )


def may_impersonate(*, hijacker: User, hijacked: User) -> bool:
    """Whether one may work as the other: members of an open merchant who are not staff. For django-hijack."""
    if not may_begin(hijacker) or not hijacked.is_active or hijacked.is_staff or hijacked.is_superuser:
        return False
    return hijacked.memberships.filter(merchant__is_active=True).exists()


class _Looked(HttpRequest):
    """A request of which it is known whose session it really is: that is asked several times."""

    impersonator: User | None


def impersonator_of(request: HttpRequest) -> User | None:
    """Return the member of staff whose session it really is; None for people who work as themselves."""
    looked = cast(_Looked, request)
    if not hasattr(request, "impersonator"):
        looked.impersonator = _read(request)
    return looked.impersonator


def _read(request: HttpRequest) -> User | None:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not (history := request.session.get(_HISTORY)):
        return None
    return User.objects.filter(pk=history[-1]).first()


class ImpersonationMiddleware:
    """Keeps closed what is only the person's own, and ends the session of staff who may not do this any more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Turn down what does not belong to the work with products."""
        match = request.resolver_match
        if match is None or match.view_name in {"healthz", "metrics", "readyz"}:
            return None
        staff = impersonator_of(request)
        if staff is None:
            return None
        if not may_begin(staff) or not _has_same_password(request, staff):
            logout(request)
            cast(_Looked, request).impersonator = None
            return None
        work = bool(match.namespaces) and match.namespaces[0] in _OPEN_PARTS
        if match.view_name in _OPEN_PAGES or (work and match.route.partition("/")[0] not in _SETTINGS):
            return None
        if wants_json(request):
            return JsonResponse({"code": "impersonated", "message": str(NOT_YOURS)}, status=403)
        return render(request, "accounts/impersonated.html", status=403)


def _has_same_password(request: HttpRequest, staff: User) -> bool:
    """Whether the password is the one with which the staff logged in: Django only looks at that of the other person."""
    return constant_time_compare(request.session.get(_SINCE, ""), staff.get_session_auth_hash())


def _merchant_of(user: User) -> Merchant | None:
    return Merchant.objects.filter(memberships__user=user, is_active=True).order_by("name", "pk").first()


def _record(action: str, hijacker: User, hijacked: User) -> None:
    """Leave a line in the trail of the merchant that the person enters first: its owner sees it, too."""
    merchant = _merchant_of(hijacked)
    record(
        actor=Actor(channel=Channel.ADMIN, user=hijacker),
        action=action,
        subject_type="user",
        subject_id=str(hijacked.pk),
        merchant_id=merchant.pk if merchant else None,
        name=str(hijacked),
    )


def record_begin(sender: Any, request: HttpRequest, hijacker: User, hijacked: User, **kwargs: Any) -> None:
    """Write down that somebody works as another person from now on."""
    request.session[_SINCE] = hijacker.get_session_auth_hash()
    UserSession.objects.create_from_request(request, user=hijacker)  # they can end it from another device
    _record("user.impersonate", hijacker, hijacked)


def record_end(sender: Any, request: HttpRequest, hijacker: User, hijacked: User, **kwargs: Any) -> None:
    """Write down that they are themselves again."""
    UserSession.objects.create_from_request(request, user=hijacker)
    _record("user.impersonate_end", hijacker, hijacked)
