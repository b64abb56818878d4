"""Who may call which operation of the API: the one place where scopes and roles are asked for, whatever the view."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied, Throttled
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import api_rates
from accounts.api_rates import TooManyCalls
from accounts.models import ApiKey, Scope
from accounts.portal import PortalRequest

if TYPE_CHECKING:  # the framework imports this module before its views are there
    from rest_framework.views import APIView

_CLASSIFY = re.compile(r"/api/v1/classify(/[^/]+)?/?")  # with its result; in a request or in the schema


def required_scope(method: str, path: str) -> Scope:
    """Return the scope that a key needs: by the operation alone, so that no view can forget to ask for one.

    Args:
        method: GET and so on.
        path: of a request, or with names in braces as the schema has it.
    """
    if _CLASSIFY.fullmatch(path):
        return Scope.CLASSIFY
    return Scope.READ if method.upper() in SAFE_METHODS else Scope.WRITE


def require_scope(key: ApiKey, scope: Scope) -> None:
    """Refuse a key that lacks a scope.

    Raises:
        PermissionDenied: `insufficient_scope`.
    """
    if not key.may(scope):
        said = _("This key may not do this: it lacks the scope “%(scope)s”.") % {"scope": scope.value}
        raise PermissionDenied(said, "insufficient_scope")


def _count(request: Request) -> None:
    """Count the call for its caller.

    Raises:
        Throttled: it is one too many.
    """
    http = cast(PortalRequest, request._request)
    try:
        if isinstance(request.auth, ApiKey):
            api_rates.count_caller(http, f"key-{request.auth.pk}", request.auth.merchant_id)
        elif request.user is not None and request.user.is_authenticated:
            merchant = http.actor.merchant
            api_rates.count_caller(http, f"user-{request.user.pk}", merchant.pk if merchant is not None else None)
        elif not api_rates.taken_of(http):
            api_rates.count_stranger(http)
    except TooManyCalls as error:
        raise Throttled(wait=error.seconds) from error


class ApiAccess(BasePermission):
    """Every operation: somebody who is known, a key with the scope, or a person whose role goes with it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the caller is known and may do such things at all; services ask whether to this product.

        Raises:
            PermissionDenied: `insufficient_scope` for a key, `forbidden` for a person, `no_merchant` for one without.
            Throttled: too many calls came; what is refused here counts too.
        """
        _count(request)
        if request.user is None or not request.user.is_authenticated:
            return False
        scope = required_scope(request.method or "", request.path_info)
        if isinstance(request.auth, ApiKey):
            require_scope(request.auth, scope)
            return True
        actor = cast(PortalRequest, request._request).actor
        if scope == Scope.READ:
            return True
        if actor.merchant is None:
            raise PermissionDenied(_("You belong to no shop."), "no_merchant")
        if not actor.can_edit(actor.merchant.pk):
            raise PermissionDenied(_("You may look at this shop's products but not change them."), "forbidden")
        return True


class ApiThrottle(BaseThrottle):
    """Counts the calls of addresses that are open to everybody, such as the schema; `ApiAccess` counts the others."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Let the call through, or raise Throttled."""
        _count(request)
        return True
