"""The API's endpoints for what was sent to webhooks."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from core.api import CursorPages, SentenceJSONParser, refusals
from webhooks import services
from webhooks.api.endpoints import OwnersView, find_endpoint
from webhooks.api.serializers import DeliveryQuerySerializer, DeliverySerializer, DeliveryWithBodySerializer
from webhooks.models import Delivery


def _find(actor: Actor, webhook_id: str, delivery_id: str) -> Delivery:
    deliveries = Delivery.objects.select_related("event", "endpoint")
    return get_object_or_404(deliveries, endpoint=find_endpoint(actor, webhook_id), public_id=delivery_id)


class DeliveryListView(APIView):
    """What was sent to a webhook."""

    pagination_class = CursorPages

    @extend_schema(
        operation_id="webhooks_deliveries_list",
        parameters=[DeliveryQuerySerializer],
        responses={200: DeliverySerializer(many=True)},
    )
    def get(self, request: Request, webhook_id: str) -> Response:
        """List what was sent to a webhook in the last 30 days, newest first, with what it answered."""
        pages = CursorPages()
        own = pages.parameters
        query = DeliveryQuerySerializer(data={name: v for name, v in request.query_params.items() if name not in own})
        query.is_valid(raise_exception=True)
        deliveries = find_endpoint(actor_of(request), webhook_id).deliveries.select_related("event")
        page = pages.paginate_queryset(deliveries.filter(**query.validated_data), request, view=self)
        return pages.get_paginated_response(DeliverySerializer(page, many=True).data)


class DeliveryView(APIView):
    """One delivery."""

    @extend_schema(operation_id="webhooks_deliveries_read", responses={200: DeliveryWithBodySerializer})
    def get(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """Read one delivery, with what is sent."""
        return Response(DeliveryWithBodySerializer(_find(actor_of(request), webhook_id, delivery_id)).data)


class DeliveryReplayView(OwnersView):
    """Once more."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="webhooks_deliveries_replay",
        request=None,
        responses={202: DeliverySerializer, **refusals("endpoint_off")},
    )
    def post(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """Send something once more, with the same `webhook-id`; it is tried for a day again."""
        actor = actor_of(request)
        delivery = services.replay(actor=actor, delivery=_find(actor, webhook_id, delivery_id))
        location = request.build_absolute_uri(request.path.removesuffix("/replay"))
        return Response(DeliverySerializer(delivery).data, status.HTTP_202_ACCEPTED, headers={"Location": location})
