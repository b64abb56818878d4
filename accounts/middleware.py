"""Gives every request its actor."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from accounts.actors import Actor
from accounts.models import Membership
from accounts.portal import PortalRequest, actor_of_portal, memberships_of


class ActiveMerchantMiddleware:
    """Sets `request.memberships` and `request.actor`, looked up when a view first asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        portal = cast(PortalRequest, request)
        portal.memberships = cast(list[Membership], SimpleLazyObject(lambda: memberships_of(request)))
        portal.actor = cast(Actor, SimpleLazyObject(lambda: actor_of_portal(request)))
        return self.get_response(request)
