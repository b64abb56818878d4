"""How requests prove who acts: an API key in the header, or the portal's session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import ApiKey
from accounts.portal import PortalRequest, actor_of_portal
from accounts.services import note_use_of_api_key

if TYPE_CHECKING:  # the framework imports this module before its views are there
    from drf_spectacular.openapi import AutoSchema

BEARER_CHALLENGE = 'Bearer realm="otjang"'
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Takes the place of the framework's user. Throttles count by `pk`, so each key has its own allowance."""

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


def find_api_key(secret: str) -> ApiKey | None:
    """Return the key with that secret if it may be used; None when it is unknown, revoked or its merchant is closed.

    Unknown and refused keys cost the same one indexed look-up of a hash, so an answer's time tells nothing.
    """
    key = ApiKey.objects.select_related("merchant").filter(key_hash=ApiKey.hash(secret)).first()
    return key if key is not None and key.revoked_at is None and key.merchant.is_active else None


def _actor_of_key(key: ApiKey) -> Actor:
    return Actor(channel=Channel.API, api_key=key, merchant=key.merchant)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer otj_…`. Leaves other schemes, and requests without the header, to the session login."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        """Return the key's holder and the key.

        Raises:
            AuthenticationFailed: the header holds a key that may not be used.
        """
        secret = _bearer_secret(request)
        if secret is None:
            return None
        key = find_api_key(secret)
        if key is None:
            raise AuthenticationFailed(
                _("This API key is unknown or revoked, or its shop is closed."), "invalid_api_key"
            )
        note_use_of_api_key(key=key)
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

    A key in the header counts before the session, and one that may not be used is nobody, whatever the session says.
    """
    secret = _bearer_secret(request)
    if secret is None:
        return actor_of_portal(request)
    key = find_api_key(secret)
    return _actor_of_key(key) if key is not None else None
