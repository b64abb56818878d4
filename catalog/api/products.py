"""The API's endpoints for products."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.actors import Actor
from accounts.authentication import actor_of
from accounts.models import Merchant
from catalog import selectors, services
from catalog.api import examples
from catalog.api.base import find_product, find_product_to_change, serializer_context, unless_changed
from catalog.api.filters import PARAMETERS, ProductFilterSet
from catalog.api.images import UPLOADS, nothing_stored, shown_uploads, upload_status
from catalog.api.serializers.fetches import FetchSerializer
from catalog.api.serializers.products import (
    CreatedProductSerializer,
    NewProductFormSerializer,
    NewProductSerializer,
    ProductChangeSerializer,
    ProductSerializer,
    ProductSummarySerializer,
)
from catalog.models import FetchedImage, Product, ProductImage
from catalog.services import fetching, uploads
from core.api import (
    SELECTION_PARAMETERS,
    CursorPages,
    Selection,
    SentenceJSONParser,
    body_of,
    conditional,
    refusals,
    selection_of,
    selection_parameters,
    tag_of,
)
from core.errors import Forbidden
from core.multipart import FormParser

NAMES = (
    "name_too_long",
    "name_control_characters",
    "name_looks_empty",
    "sku_too_long",
    "sku_control_characters",
    "sku_looks_empty",
)


def product_body(
    request: Request, actor: Actor, public_id: str, selection: Selection | None = None
) -> tuple[dict[str, Any], int]:
    """Return the product with all that is known of it, or what was selected of that; and its version.

    Raises:
        Http404: there is none that the actor may know of.
    """
    try:
        product = selectors.product_for_page(actor, public_id)
    except Product.DoesNotExist as error:
        raise Http404 from error
    images: list[ProductImage] = product.current_images  # type: ignore[attr-defined]  # prefetched to this attribute
    context = serializer_context(request, images) | {"selection": selection}
    return dict(ProductSerializer(product, context=context).data), product.version


def product_answer(request: Request, actor: Actor, public_id: str) -> Response:
    """Answer a change with the product as it is now."""
    body, version = product_body(request, actor, public_id)
    return Response(body, headers={"ETag": tag_of(body, version)})


class ProductViewSet(ViewSet):
    """Products: one for each garment that the merchant sells."""

    parser_classes = (SentenceJSONParser,)
    pagination_class = CursorPages

    @extend_schema(
        operation_id="products_list",
        tags=["products"],
        parameters=[*PARAMETERS, *selection_parameters(ProductSummarySerializer)],
        examples=[examples.page(examples.SUMMARY)],
        responses={
            200: ProductSummarySerializer(many=True),
            **refusals("unknown_field", "unknown_attribute", "unknown_value", "invalid_cursor", "invalid_page_size"),
        },
    )
    def list(self, request: Request) -> Response:
        """List the merchant's products, newest first.

        Search, filters and orders are those of the portal's list. A parameter that does not exist is refused.
        """
        actor = actor_of(request)
        filters = ProductFilterSet(request.query_params, queryset=Product.objects.none())
        chosen = filters.chosen(CursorPages.parameters | SELECTION_PARAMETERS)
        selection = selection_of(request, ProductSummarySerializer)
        with_images = selection.wants("images", ProductSummarySerializer.expandable)
        products = selectors.products_for_review(actor) if with_images else selectors.products_for_list(actor)
        pages = CursorPages(chosen.order)
        page: list[Any] = pages.paginate_queryset(products, request, parts=filters.parts(actor, chosen))
        images = [image for product in page for image in product.current_images] if with_images else []
        context = serializer_context(request, images) | {"selection": selection}
        return pages.get_paginated_response(ProductSummarySerializer(page, many=True, context=context).data)

    @extend_schema(
        operation_id="products_create",
        tags=["products"],
        request={"application/json": NewProductSerializer, "multipart/form-data": NewProductFormSerializer},
        examples=[
            examples.said({"name": "Oversized denim jacket", "sku": "AJ-1043"}),
            examples.form({"name": "Oversized denim jacket", "sku": "AJ-1043", "images": ["front.jpg"]}),
            examples.answer(examples.DETAIL | {"uploads": [examples.UPLOAD], "fetches": []}, "Created", 201),
            examples.answer(
                examples.DETAIL | {"uploads": [examples.UPLOAD, examples.NOT_AN_IMAGE], "fetches": []}, "Some", 207
            ),
        ],
        responses={
            201: CreatedProductSerializer,
            207: OpenApiResponse(CreatedProductSerializer, description="Created, but some images were refused."),
            **refusals("sku_taken", "upload_expired", 400),
            **UPLOADS,
        },
    )
    def create(self, request: Request) -> Response:
        """Create a product, in a form also with its images.

        With images, but no good one among them, there is no product. In JSON, `image_urls` names images that the site
        is to fetch.
        """
        actor = actor_of(request)
        merchant = self._merchant(actor)
        # Images come in forms only; JSON that names them is told that there is no such field.
        is_form = request.content_type.startswith(FormParser.media_type)
        data = (NewProductFormSerializer if is_form else NewProductSerializer)(data=body_of(request))
        data.is_valid(raise_exception=True)
        name, sku = data.validated_data["name"], data.validated_data["sku"]
        files = data.validated_data.get("images") or []
        received: list[uploads.Received] = []
        fetches: list[FetchedImage] = []
        product: Product | None
        if files:
            product, received = uploads.create_product_with_images(
                actor=actor, merchant=merchant, files=files, name=name, sku=sku
            )
        else:
            product, fetches = fetching.create_product(
                actor=actor, merchant=merchant, name=name, sku=sku, urls=data.validated_data.get("image_urls") or []
            )
        if product is None:
            return nothing_stored(request, None, received)
        body, version = product_body(request, actor, product.public_id)
        body["uploads"] = shown_uploads(request, product, received)
        body["fetches"] = FetchSerializer(fetches, many=True).data
        headers = {"Location": f"{request.path}/{product.public_id}", "ETag": tag_of(body, version)}
        refused = upload_status(product, received) == status.HTTP_207_MULTI_STATUS
        created = status.HTTP_207_MULTI_STATUS if refused else status.HTTP_201_CREATED
        return Response(body, created, headers=headers)

    def _merchant(self, actor: Actor) -> Merchant:
        if actor.merchant is None:
            raise Forbidden("no_merchant", _("You belong to no shop."))
        actor.require_edit(actor.merchant.pk)
        return actor.merchant

    @extend_schema(
        operation_id="products_read",
        tags=["products"],
        parameters=selection_parameters(ProductSerializer),
        examples=[examples.answer(examples.DETAIL, "A product")],
        responses={200: ProductSerializer, 304: OpenApiResponse(description="As If-None-Match knows it.")},
    )
    def retrieve(self, request: Request, public_id: str) -> Response:
        """Read a product with its values, the proposal, its images and what was found in each.

        The answer has an ETag: send it as If-None-Match to be told that nothing changed, or as If-Match with a change
        that must not overwrite somebody else's.
        """
        selection = selection_of(request, ProductSerializer)
        return conditional(request, *product_body(request, actor_of(request), public_id, selection))

    @extend_schema(
        operation_id="products_update",
        tags=["products"],
        request=ProductChangeSerializer,
        examples=[
            examples.said({"name": "Denim jacket", "top_category": "Outer"}),
            examples.answer(examples.DETAIL | {"name": "Denim jacket", "top_category_source": "human"}),
        ],
        responses={
            200: ProductSerializer,
            **refusals(*NAMES, "unknown_top_category", "sku_taken", "archived", "published", 412),
        },
    )
    def partial_update(self, request: Request, public_id: str) -> Response:
        """Change the name, the SKU, or which garment of the images is the product; all of it or nothing.

        `"top_category": null` says that it is none of the garments that were found.
        """
        actor, product = find_product_to_change(request, public_id)
        data = ProductChangeSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        unless_changed(request, product, lambda: self._change(actor, product, data.validated_data))
        return product_answer(request, actor, public_id)

    def _change(self, actor: Actor, product: Product, change: dict[str, Any]) -> None:
        if "sku" in change or "name" in change:
            sku = change["sku"] or "" if "sku" in change else None
            services.update_product(actor=actor, product=product, name=change.get("name"), sku=sku)
        if "top_category" in change:
            services.choose_top_category(actor=actor, product=product, top_category=change["top_category"])

    @extend_schema(
        operation_id="products_delete",
        tags=["products"],
        responses={204: OpenApiResponse(description="It is gone."), **refusals("not_archived", 412)},
    )
    def destroy(self, request: Request, public_id: str) -> Response:
        """Delete an archived product for good, with its images, its decisions and whatever models said."""
        actor = actor_of(request)
        product = find_product(actor, public_id)
        unless_changed(request, product, lambda: services.delete_product(actor=actor, product=product))
        return Response(status=status.HTTP_204_NO_CONTENT)
