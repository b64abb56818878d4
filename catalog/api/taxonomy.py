"""The API's endpoints for the taxonomy."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog.api import examples
from catalog.api.serializers.taxonomy import AttributeSerializer
from catalog.models import Attribute, AttributeValue
from core.api import CursorPages, conditional, refusals


def _attributes() -> QuerySet[Attribute]:
    values = AttributeValue.objects.select_related("parent", "merged_into").order_by("position", "id")
    return Attribute.objects.filter(active=True).prefetch_related("applies_to", Prefetch("values", values))


class AttributeViewSet(ViewSet):
    """The attributes that products can have."""

    pagination_class = CursorPages

    @extend_schema(
        operation_id="attributes_list",
        tags=["attributes"],
        examples=[examples.page(examples.ATTRIBUTE)],
        responses={200: AttributeSerializer(many=True), **refusals("invalid_cursor", "invalid_page_size")},
    )
    def list(self, request: Request) -> Response:
        """List the active attributes with their values."""
        pages = CursorPages(("position", "pk"))
        page = pages.paginate_queryset(_attributes(), request)
        return pages.get_paginated_response(AttributeSerializer(page, many=True).data)

    @extend_schema(
        operation_id="attributes_read",
        tags=["attributes"],
        examples=[examples.answer(examples.ATTRIBUTE, "An attribute")],
        responses={200: AttributeSerializer, 304: OpenApiResponse(description="As If-None-Match knows it.")},
    )
    def retrieve(self, request: Request, code: str) -> Response:
        """Read one attribute with its values."""
        attribute = get_object_or_404(_attributes(), code=code)
        if attribute.code != code:  # MariaDB compares without case
            raise Http404
        return conditional(request, dict(AttributeSerializer(attribute).data))
