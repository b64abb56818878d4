"""How requests prove who acts: an API key in the header, or the portal's session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.request import Request

from accounts.access import require_scope, required_scope
from accounts.actors import Actor
from accounts.api_rates import TooManyCalls
from accounts.channels import Channel
from accounts.key_lookup import Expired, find_api_key
from accounts.log_fields import note_key
from accounts.models import ApiKey, Scope
from accounts.portal import PortalRequest, actor_of_portal

if TYPE_CHECKING:  # the framework imports this module before its views are there
    from drf_spectacular.openapi import AutoSchema

BEARER_CHALLENGE = 'Bearer realm="otjang"'
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Takes the place of the framework's user."""

    key: ApiKey

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def pk(self) -> str:
        """An identity that no user's number collides with."""
        return f"key-{self.key.pk}"


def _bearer_secret(request: HttpRequest | Request) -> str | None:
    """Return what follows `Bearer` in the Authorization header ('' for nothing), or None for another scheme."""
    scheme, _separator, secret = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return secret.strip() if scheme.lower() == _SCHEME else None


def _good_key(request: HttpRequest, secret: str) -> ApiKey:
    """Return the key with that secret.

    Raises:
        AuthenticationFailed: it may not be used.
        Throttled: too many calls without a good key came from this address; keys used lately go on.
    """
    try:
        key = find_api_key(request, secret)
    except TooManyCalls as error:
        raise Throttled(wait=error.seconds) from error
    except Expired as error:
        raise AuthenticationFailed(_("This API key has expired. Make a new one."), "api_key_expired") from error
    if key is None:
        raise AuthenticationFailed(_("This API key is unknown or revoked, or its shop is closed."), "invalid_api_key")
    note_key(request, key)
    return key


def _actor_of_key(key: ApiKey) -> Actor:
    return Actor(channel=Channel.API, api_key=key, merchant=key.merchant)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer otj_…`. Leaves other schemes, and requests without the header, to the session login."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        """Return the key's holder and the key.

        Raises:
            AuthenticationFailed: the header holds a key that may not be used.
            Throttled: too many calls without a good key came from this address; keys used lately go on.
        """
        secret = _bearer_secret(request)
        if secret is None:
            return None
        key = _good_key(request._request, secret)
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:
        """What a refused caller is told to send."""
        return BEARER_CHALLENGE


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base registers itself untyped
    """How the schema describes the key login."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """A bearer token in OpenAPI's terms."""
        return {"type": "http", "scheme": _SCHEME, "bearerFormat": "otj_…"}

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        """With the scope that the key needs for the operation."""
        return {self.name: [required_scope(auto_schema.method, auto_schema.path).value]}


def actor_of(request: Request) -> Actor:
    """Return who acts in a request to the API: its key, or the session's person in the merchant chosen in the portal.

    Raises:
        NotAuthenticated: nobody does.
    """
    if isinstance(request.auth, ApiKey):
        return _actor_of_key(request.auth)
    actor = actor_of_portal(cast(PortalRequest, request._request))
    if actor is None:
        raise NotAuthenticated
    return replace(actor, channel=Channel.API)


def request_actor(request: HttpRequest) -> Actor | None:
    """Return who asks for something that portal and API both serve, such as an image; None for nobody.

    A key in the header counts before the session.

    Raises:
        APIException: the header holds a key that may not be used, or that may not read; or too many wrong ones came.
    """
    secret = _bearer_secret(request)
    if secret is None:
        return actor_of_portal(request)
    key = _good_key(request, secret)
    require_scope(key, Scope.READ)
    return _actor_of_key(key)
