"""The API's endpoints for webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from accounts.models import Merchant
from core.api import CursorPages, SentenceJSONParser, body_of, refusals
from core.errors import Forbidden, Invalid
from webhooks import services
from webhooks.api import problem_types as problem_types  # registers the codes that `refusals` names
from webhooks.api.serializers import (
    DeliverySerializer,
    EndpointChangeSerializer,
    EndpointSerializer,
    EndpointWithSecretSerializer,
    NewEndpointSerializer,
    RotationSerializer,
)
from webhooks.models import Endpoint

_URLS = ("url_invalid", "url_credentials", "url_forbidden")


def merchant_of(actor: Actor) -> Merchant:
    """Return whose webhooks the actor may look at.

    Raises:
        Forbidden: it is nobody's, or only an owner's.
    """
    if actor.merchant is None:
        raise Forbidden("no_merchant", _("You belong to no shop."))
    services.require_look(actor, actor.merchant.pk)
    return actor.merchant


def find_endpoint(actor: Actor, webhook_id: str) -> Endpoint:
    """Return a webhook that the actor may know of. Raises Http404, and Forbidden as `merchant_of`."""
    return get_object_or_404(Endpoint, merchant=merchant_of(actor), public_id=webhook_id)


class OwnersView(APIView):
    """An address at which a person has to own the merchant, also to be told again what they did: there are secrets."""

    def before_replay(self, request: Request) -> None:
        """Refuse who may no longer manage the merchant's webhooks. Raises Forbidden."""
        actor = actor_of(request)
        services.require_manage(actor, merchant_of(actor).pk)


class WebhookListView(OwnersView):
    """The merchant's webhooks."""

    parser_classes = (SentenceJSONParser,)
    pagination_class = CursorPages

    @extend_schema(operation_id="webhooks_list", responses={200: EndpointSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """List the merchant's webhooks, newest first. A person needs to own the shop."""
        pages = CursorPages()
        endpoints = Endpoint.objects.filter(merchant=merchant_of(actor_of(request)))
        page = pages.paginate_queryset(endpoints, request, view=self)
        return pages.get_paginated_response(EndpointSerializer(page, many=True).data)

    @extend_schema(
        operation_id="webhooks_create",
        request=NewEndpointSerializer,
        responses={201: EndpointWithSecretSerializer, **refusals(*_URLS, "too_many_endpoints")},
    )
    def post(self, request: Request) -> Response:
        """Add a webhook. Its secret is in this answer and never shown again."""
        actor = actor_of(request)
        merchant = merchant_of(actor)
        services.require_manage(actor, merchant.pk)
        data = NewEndpointSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        with _about_the_url():
            endpoint = services.create_endpoint(actor=actor, merchant=merchant, **_fields(data.validated_data))
        headers = {"Location": request.build_absolute_uri(f"{request.path}/{endpoint.public_id}")}
        return Response(EndpointWithSecretSerializer(endpoint).data, status.HTTP_201_CREATED, headers=headers)


@contextmanager
def _about_the_url() -> Iterator[None]:
    """Name the field where a URL is refused."""
    try:
        yield
    except Invalid as refused:
        if refused.code not in _URLS:
            raise
        raise ValidationError({"url": [ErrorDetail(refused.message, code=refused.code)]}) from refused


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    names = {"events": "types", "active": "is_active"}
    return {names.get(name, name): value for name, value in said.items()}


class WebhookView(OwnersView):
    """One webhook."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(operation_id="webhooks_read", responses={200: EndpointSerializer})
    def get(self, request: Request, webhook_id: str) -> Response:
        """Read a webhook, and whether it has taken what was sent to it."""
        return Response(EndpointSerializer(find_endpoint(actor_of(request), webhook_id)).data)

    @extend_schema(
        operation_id="webhooks_update",
        request=EndpointChangeSerializer,
        responses={200: EndpointSerializer, **refusals(*_URLS)},
    )
    def patch(self, request: Request, webhook_id: str) -> Response:
        """Change a webhook, or switch it on or off. What it missed while it was off can be replayed."""
        actor = actor_of(request)
        endpoint = find_endpoint(actor, webhook_id)
        services.require_manage(actor, endpoint.merchant_id)
        data = EndpointChangeSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        with _about_the_url():
            endpoint = services.change_endpoint(actor=actor, endpoint=endpoint, **_fields(data.validated_data))
        return Response(EndpointSerializer(endpoint).data)

    @extend_schema(operation_id="webhooks_delete", responses={204: None})
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook with the list of its deliveries."""
        actor = actor_of(request)
        services.delete_endpoint(actor=actor, endpoint=find_endpoint(actor, webhook_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class WebhookRotateView(OwnersView):
    """Another secret."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="webhooks_rotate",
        request=RotationSerializer,
        responses={200: EndpointWithSecretSerializer},
    )
    def post(self, request: Request, webhook_id: str) -> Response:
        """Give a webhook another secret; for a while both sign, so that nothing is refused. It is shown only now."""
        actor = actor_of(request)
        endpoint = find_endpoint(actor, webhook_id)
        services.require_manage(actor, endpoint.merchant_id)
        # The body may be left out, and clients then send all kinds of content types.
        said = request.data if (request.content_type or "").startswith("application/json") else {}
        data = RotationSerializer(data=said)
        data.is_valid(raise_exception=True)
        endpoint = services.rotate_secret(actor=actor, endpoint=endpoint, **data.validated_data)
        return Response(EndpointWithSecretSerializer(endpoint).data)


class WebhookTestView(OwnersView):
    """A test."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="webhooks_test", request=None, responses={202: DeliverySerializer, **refusals("endpoint_off")}
    )
    def post(self, request: Request, webhook_id: str) -> Response:
        """Send a webhook an event of the type `webhook.test`. Read the delivery to see what came of it."""
        actor = actor_of(request)
        endpoint = find_endpoint(actor, webhook_id)
        delivery = services.send_test(actor=actor, endpoint=endpoint)
        address = request.path.removesuffix("/test")
        location = request.build_absolute_uri(f"{address}/deliveries/{delivery.public_id}")
        return Response(DeliverySerializer(delivery).data, status.HTTP_202_ACCEPTED, headers={"Location": location})
