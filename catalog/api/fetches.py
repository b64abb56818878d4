"""The API's endpoints for images that are fetched from an address."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from catalog.api import examples
from catalog.api.base import find_product
from catalog.api.serializers.fetches import FetchesSerializer, FetchSerializer, ImageUrlListSerializer
from catalog.models import FetchedImage, Product
from catalog.services import fetching
from core.api import CursorPages, body_of

OF_URLS = ("url_invalid", "url_credentials", "url_forbidden")
"""Codes of URLs that are refused before anything is fetched."""


def ask_for_images(request: Request, actor: Actor, product: Product) -> Response:
    """Answer a request in JSON for images by URL: 202, with where to see what becomes of them."""
    data = ImageUrlListSerializer(data=body_of(request))
    data.is_valid(raise_exception=True)
    asked = fetching.request_images(actor=actor, product=product, urls=data.validated_data["urls"])
    location = request.build_absolute_uri(reverse("api:fetches", args=[product.public_id]))
    headers = {"Location": location, "Retry-After": "2"}
    return Response(FetchesSerializer({"fetches": asked}).data, status.HTTP_202_ACCEPTED, headers=headers)


class ProductFetchListView(APIView):
    """Images by URL of a product."""

    pagination_class = CursorPages

    @extend_schema(
        operation_id="products_fetches_list",
        responses={200: FetchSerializer(many=True)},
        examples=[examples.page(examples.FETCH)],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """List the images by URL that were asked for in the last week, newest first, and what became of each."""
        pages = CursorPages()
        fetches = find_product(actor_of(request), public_id).fetches.select_related("image")
        page = pages.paginate_queryset(fetches, request, view=self)
        return pages.get_paginated_response(FetchSerializer(page, many=True).data)


class ProductFetchView(APIView):
    """One image by URL."""

    @extend_schema(
        operation_id="products_fetches_read",
        responses={200: FetchSerializer},
        examples=[examples.answer(examples.FETCH)],
    )
    def get(self, request: Request, public_id: str, fetch_id: str) -> Response:
        """Read what became of one image by URL."""
        product = find_product(actor_of(request), public_id)
        fetch = get_object_or_404(FetchedImage.objects.select_related("image"), product=product, public_id=fetch_id)
        return Response(FetchSerializer(fetch).data)
