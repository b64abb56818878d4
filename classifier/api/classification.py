"""The API's endpoints for classification."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import actor_of
from catalog.api.base import CONFLICT, REFUSALS, find_product
from classifier.jobs import requests


class QueuedSerializer(serializers.Serializer[dict[str, int]]):
    """How many images wait now; those that waited already are not counted."""

    queued = serializers.IntegerField()


class ProductClassifyView(APIView):
    """Another look at a product's images."""

    @extend_schema(
        operation_id="products_classify",
        request=None,
        responses={202: QueuedSerializer, **{code: REFUSALS[code] for code in (401, 403, 404, 429)}, **CONFLICT},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Classify all images of a product again. Decisions stay."""
        actor = actor_of(request)
        product = find_product(actor, public_id)
        queued = requests.classify_again(actor=actor, product=product)
        return Response(QueuedSerializer({"queued": queued}).data, status.HTTP_202_ACCEPTED)
