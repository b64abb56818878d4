"""The API's endpoint for the taxonomy."""

from __future__ import annotations

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.base import REFUSALS
from catalog.api.serializers.taxonomy import AttributeSerializer
from catalog.models import Attribute, AttributeValue


class TaxonomyView(APIView):
    """The attributes that products can have."""

    @extend_schema(
        operation_id="attributes_list",
        responses={200: AttributeSerializer(many=True), **{code: REFUSALS[code] for code in (401, 429)}},
    )
    def get(self, request: Request) -> Response:
        """List the active attributes with their values."""
        values = AttributeValue.objects.select_related("parent", "merged_into").order_by("position", "id")
        attributes = Attribute.objects.filter(active=True).prefetch_related("applies_to", Prefetch("values", values))
        return Response(AttributeSerializer(attributes, many=True).data)
