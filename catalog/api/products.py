"""The API's endpoints for products."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from accounts.models import Merchant
from catalog import selectors, services
from catalog.api.base import CONFLICT, REFUSALS, find_product_to_change, serializer_context
from catalog.api.images import UPLOADS, nothing_stored, shown_uploads, upload_status
from catalog.api.serializers.products import (
    CreatedProductSerializer,
    NewProductFormSerializer,
    NewProductSerializer,
    ProductChangeSerializer,
    ProductQuerySerializer,
    ProductSerializer,
    ProductSummarySerializer,
    PublishSerializer,
)
from catalog.models import CATEGORY, Product, ProductImage
from catalog.services import uploads
from core.api import Pages, SentenceJSONParser, body_of
from core.db import atomic
from core.errors import Forbidden
from core.multipart import FormParser
from core.text import lookup_key


def product_body(request: Request, actor: Actor, public_id: str) -> dict[str, Any]:
    """Return the product with all that is known of it.

    Raises:
        Http404: there is none that the actor may know of.
    """
    try:
        product = selectors.product_for_page(actor, public_id)
    except Product.DoesNotExist as error:
        raise Http404 from error
    images: list[ProductImage] = product.current_images  # type: ignore[attr-defined]  # prefetched to this attribute
    return dict(ProductSerializer(product, context=serializer_context(request, images)).data)


class ProductListView(APIView):
    """The merchant's products."""

    parser_classes = (SentenceJSONParser, FormParser)
    pagination_class = Pages

    @extend_schema(
        operation_id="products_list",
        parameters=[ProductQuerySerializer],
        responses={200: ProductSummarySerializer(many=True), **{code: REFUSALS[code] for code in (400, 401, 429)}},
    )
    def get(self, request: Request) -> Response:
        """List the merchant's products, newest first."""
        pages = Pages()
        own = {pages.page_query_param, pages.page_size_query_param}
        query = ProductQuerySerializer(data={name: v for name, v in request.query_params.items() if name not in own})
        query.is_valid(raise_exception=True)
        products = self._filtered(selectors.products_for_list(actor_of(request)), query.validated_data)
        page = pages.paginate_queryset(products, request, view=self)
        return pages.get_paginated_response(
            ProductSummarySerializer(page, many=True, context=serializer_context(request)).data
        )

    def _filtered(self, products: QuerySet[Product], query: dict[str, str]) -> QuerySet[Product]:
        if "status" in query:
            products = products.filter(status=query["status"])
        if "sku" in query:
            products = products.filter(sku_key=lookup_key(query["sku"]))
        if "category" in query:
            ids = selectors.values_called(CATEGORY, query["category"])
            if not ids:
                raise ValidationError({"category": [_("There is no such category.")]}, code="unknown_value")
            products = products.filter(attributes__value__in=ids)
        return products

    @extend_schema(
        operation_id="products_create",
        request={"application/json": NewProductSerializer, "multipart/form-data": NewProductFormSerializer},
        responses={
            201: CreatedProductSerializer,
            207: OpenApiResponse(CreatedProductSerializer, description="Created, but some images were refused."),
            **REFUSALS,
            **UPLOADS,
            **CONFLICT,
        },
    )
    def post(self, request: Request) -> Response:
        """Create a product, in a form also with its images: without one good image there is no product."""
        actor = actor_of(request)
        merchant = self._merchant(actor)
        # Images come in forms only; JSON that names them is told that there is no such field.
        is_form = request.content_type.startswith(FormParser.media_type)
        data = (NewProductFormSerializer if is_form else NewProductSerializer)(data=body_of(request))
        data.is_valid(raise_exception=True)
        name, sku = data.validated_data["name"], data.validated_data["sku"]
        files = data.validated_data.get("images") or []
        received: list[uploads.Received] = []
        product: Product | None
        if files:
            product, received = uploads.create_product_with_images(
                actor=actor, merchant=merchant, files=files, name=name, sku=sku
            )
        else:
            product = services.create_product(actor=actor, merchant=merchant, name=name, sku=sku)
        if product is None:
            return nothing_stored(request, received)
        body = {**product_body(request, actor, product.public_id), "uploads": shown_uploads(request, received)}
        return Response(body, upload_status(received))

    def _merchant(self, actor: Actor) -> Merchant:
        if actor.merchant is None:
            raise Forbidden("no_merchant", _("You belong to no shop."))
        actor.require_edit(actor.merchant.pk)
        return actor.merchant


class ProductView(APIView):
    """One product."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="products_read",
        responses={200: ProductSerializer, **{code: REFUSALS[code] for code in (401, 404, 429)}},
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Read a product with its values, the proposal, its images and what was found in each."""
        return Response(product_body(request, actor_of(request), public_id))

    @extend_schema(
        operation_id="products_update",
        request=ProductChangeSerializer,
        responses={200: ProductSerializer, **REFUSALS, **CONFLICT},
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Change the name, the SKU, or which garment of the images is the product; all of it or nothing."""
        actor, product = find_product_to_change(request, public_id)
        data = ProductChangeSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        self._change(actor, product, data.validated_data)
        return Response(product_body(request, actor, public_id))

    @atomic
    def _change(self, actor: Actor, product: Product, change: dict[str, Any]) -> None:
        if "sku" in change or "name" in change:
            sku = change["sku"] or "" if "sku" in change else None
            services.update_product(actor=actor, product=product, name=change.get("name"), sku=sku)
        if "top_category" in change:
            services.choose_top_category(actor=actor, product=product, top_category=change["top_category"])


class ProductPublishView(APIView):
    """The move to published."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="products_publish",
        request=PublishSerializer,
        responses={200: ProductSerializer, **REFUSALS, **CONFLICT},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Publish a product: every value that it shows counts as decided from then on."""
        actor, product = find_product_to_change(request, public_id)
        # The body may be left out, and clients then send all kinds of content types.
        said = request.data if (request.content_type or "").startswith("application/json") else {}
        data = PublishSerializer(data=said)
        data.is_valid(raise_exception=True)
        services.publish(actor=actor, product=product, **data.validated_data)
        return Response(product_body(request, actor, public_id))
