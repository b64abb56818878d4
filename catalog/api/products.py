"""The API's endpoints for products, their images and values, and for the taxonomy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from accounts.models import Merchant
from catalog import selectors, services
from catalog.api.serializers import (
    AttributeSerializer,
    CreatedProductSerializer,
    CurrentValueSerializer,
    DecidedSerializer,
    ImageSerializer,
    NewImagesSerializer,
    NewProductFormSerializer,
    NewProductSerializer,
    ProductChangeSerializer,
    ProductQuerySerializer,
    ProductSerializer,
    ProductSummarySerializer,
    PublishSerializer,
    RefusedUploadsSerializer,
    UploadSerializer,
    UploadsSerializer,
    error_of_uploads,
)
from catalog.models import CATEGORY, Attribute, AttributeValue, Product, ProductImage
from catalog.progress import last_jobs
from catalog.services import uploads
from core.api import ErrorSerializer, Pages, SentenceJSONParser, body_of, error_body, status_of
from core.db import atomic
from core.errors import Forbidden
from core.multipart import FormParser
from core.text import lookup_key

REFUSALS: dict[int, Any] = {
    400: OpenApiResponse(ErrorSerializer, description="The request is wrong; the code says in what."),
    401: OpenApiResponse(ErrorSerializer, description="No key, or one that may not be used."),
    403: OpenApiResponse(ErrorSerializer, description="The key or person may look but not change."),
    404: OpenApiResponse(ErrorSerializer, description="There is no such thing in this merchant."),
    429: OpenApiResponse(ErrorSerializer, description="Too many requests; Retry-After says when to go on."),
}
CONFLICT: dict[int, Any] = {409: OpenApiResponse(ErrorSerializer, description="The product's state forbids it.")}
UPLOADS: dict[int, Any] = {
    400: OpenApiResponse(RefusedUploadsSerializer, description="No image was stored."),
    413: OpenApiResponse(RefusedUploadsSerializer, description="No image was stored: all are too large."),
}


def find_product(actor: Actor, public_id: str) -> Product:
    """Return a product that the actor may know of.

    Raises:
        Http404: there is none.
    """
    return get_object_or_404(Product.objects.visible_to(actor), public_id=public_id)


def _find_product_to_change(request: Request, public_id: str) -> tuple[Actor, Product]:
    """As `find_product`, and refuse readers before the body of the request is read."""
    actor = actor_of(request)
    product = find_product(actor, public_id)
    actor.require_edit(product.merchant_id)
    return actor, product


def _context(request: Request, images: list[ProductImage] | None = None) -> dict[str, Any]:
    """What the serializers need besides the rows: the active attributes, and the images' last jobs."""
    return {
        "request": request,
        "attributes": list(Attribute.objects.filter(active=True)),
        "jobs": last_jobs(images) if images else {},
    }


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
    return dict(ProductSerializer(product, context=_context(request, images)).data)


def _uploads(request: Request, received: Sequence[uploads.Received]) -> list[dict[str, Any]]:
    images = [entry.image for entry in received if entry.image is not None]
    return list(UploadSerializer(received, many=True, context=_context(request, images)).data)


def _upload_status(received: Sequence[uploads.Received]) -> int:
    complete = all(entry.image is not None for entry in received)
    return status.HTTP_201_CREATED if complete else status.HTTP_207_MULTI_STATUS


def _nothing_stored(request: Request, received: Sequence[uploads.Received]) -> Response:
    refusals = {entry.refusal.code: entry.refusal for entry in received if entry.refusal is not None}
    code, message = error_of_uploads({code: refusal.message for code, refusal in refusals.items()})
    http_status = status_of(next(iter(refusals.values()))) if len(refusals) == 1 else status.HTTP_400_BAD_REQUEST
    return Response({**error_body(code, message), "uploads": _uploads(request, received)}, http_status)


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
        return pages.get_paginated_response(ProductSummarySerializer(page, many=True, context=_context(request)).data)

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
            return _nothing_stored(request, received)
        body = {**product_body(request, actor, product.public_id), "uploads": _uploads(request, received)}
        return Response(body, _upload_status(received))

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
        actor, product = _find_product_to_change(request, public_id)
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
        actor, product = _find_product_to_change(request, public_id)
        # The body may be left out, and clients then send all kinds of content types.
        said = request.data if (request.content_type or "").startswith("application/json") else {}
        data = PublishSerializer(data=said)
        data.is_valid(raise_exception=True)
        services.publish(actor=actor, product=product, **data.validated_data)
        return Response(product_body(request, actor, public_id))


class ProductAttributeView(APIView):
    """The value of one attribute of a product."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="products_attributes_decide",
        request=DecidedSerializer,
        responses={200: CurrentValueSerializer, **REFUSALS, **CONFLICT},
    )
    def put(self, request: Request, public_id: str, code: str) -> Response:
        """Decide a value, or that the product has no such attribute. No model changes it afterwards."""
        actor, product = _find_product_to_change(request, public_id)
        data = DecidedSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        if "value" in data.validated_data:
            services.decide(actor=actor, product=product, attribute=code, value=data.validated_data["value"])
        else:
            services.decide_not_applicable(actor=actor, product=product, attribute=code)
        return self._answer(product, code)

    @extend_schema(
        operation_id="products_attributes_withdraw",
        responses={200: CurrentValueSerializer, **REFUSALS, **CONFLICT},
    )
    def delete(self, request: Request, public_id: str, code: str) -> Response:
        """Take a decision back: what the model proposes shows again. Where nobody has decided, it stays open."""
        actor, product = _find_product_to_change(request, public_id)
        services.withdraw(actor=actor, product=product, attribute=code)
        return self._answer(product, code)

    def _answer(self, product: Product, code: str) -> Response:
        return Response(CurrentValueSerializer(selectors.current_value(product, code)).data)


class ProductImageListView(APIView):
    """A product's images."""

    parser_classes = (FormParser,)

    @extend_schema(
        operation_id="products_images_create",
        request={"multipart/form-data": NewImagesSerializer},
        responses={
            201: UploadsSerializer,
            207: OpenApiResponse(UploadsSerializer, description="Some images were stored, some refused."),
            **REFUSALS,
            **UPLOADS,
            **CONFLICT,
        },
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Add images. The good ones are stored and classified; each other one says what is wrong with it."""
        actor, product = _find_product_to_change(request, public_id)
        data = NewImagesSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        received = uploads.add_images(actor=actor, product=product, files=data.validated_data["images"])
        if not any(entry.image for entry in received):
            return _nothing_stored(request, received)
        return Response({"uploads": _uploads(request, received)}, _upload_status(received))


class ProductImageView(APIView):
    """One image of a product."""

    def _find(self, actor: Actor, public_id: str, image_id: str) -> ProductImage:
        images = selectors.images_for_page().filter(product=find_product(actor, public_id))
        return get_object_or_404(images, public_id=image_id)

    @extend_schema(
        operation_id="products_images_read",
        responses={200: ImageSerializer, **{code: REFUSALS[code] for code in (401, 404, 429)}},
    )
    def get(self, request: Request, public_id: str, image_id: str) -> Response:
        """Read how far an image is classified, and what was found in it."""
        image = self._find(actor_of(request), public_id, image_id)
        return Response(ImageSerializer(image, context=_context(request, [image])).data)

    @extend_schema(
        operation_id="products_images_archive",
        responses={204: None, **{code: REFUSALS[code] for code in (401, 403, 404, 429)}, **CONFLICT},
    )
    def delete(self, request: Request, public_id: str, image_id: str) -> Response:
        """Take an image away from its product. It is archived: nothing that was decided is lost."""
        actor = actor_of(request)
        services.archive_image(actor=actor, image=self._find(actor, public_id, image_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


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
