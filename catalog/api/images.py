"""The API's endpoints for the images of a product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.actors import Actor
from accounts.authentication import actor_of
from catalog import selectors, services
from catalog.api import examples
from catalog.api.base import find_product, find_product_to_change, serializer_context, unless_changed
from catalog.api.fetches import OF_URLS, ask_for_images
from catalog.api.serializers.fetches import FetchesSerializer, ImageUrlListSerializer
from catalog.api.serializers.images import (
    PRESENT,
    REFUSED,
    STORED,
    ImageSerializer,
    NewImagesSerializer,
    OrderSerializer,
    RefusedUploadsSerializer,
    UploadSerializer,
    UploadsSerializer,
    error_of_uploads,
)
from catalog.models import Product, ProductImage
from catalog.services import uploads
from core.api import (
    MEDIA_TYPE,
    CursorPages,
    SentenceJSONParser,
    body_of,
    conditional,
    problem,
    refusal_of,
    refusals,
    status_of,
    unknown_fields,
)
from core.errors import Refused

_OF_FILES = (
    "no_images",
    "empty",
    "not_an_image",
    "unsupported_format",
    "damaged",
    "too_many_pixels",
    "too_many_pixels_for_format",
    "too_long",
    "too_many_images",
    "nothing_stored",
    *OF_URLS,
)
UPLOADS: dict[tuple[int, str], Any] = {
    (400, MEDIA_TYPE): refusal_of(400, _OF_FILES, RefusedUploadsSerializer),
    (413, MEDIA_TYPE): refusal_of(413, ["too_large"], RefusedUploadsSerializer),
}


def _is_there(refusal: Refused | None) -> bool:
    """Whether a file was turned away because the product has the same bytes."""
    return refusal is not None and refusal.code == "duplicate"


@dataclass(frozen=True, slots=True)
class ShownUpload:
    """What became of one file: the image that is stored, now or before, or why there is none."""

    name: str
    outcome: str
    image: ProductImage | None
    refusal: Refused | None


def outcomes(product: Product | None, received: Sequence[uploads.Received]) -> list[ShownUpload]:
    """Say of each file what became of it. One query where the product had the same bytes already."""
    there = [str(entry.refusal.params["sha256"]) for entry in received if entry.refusal and _is_there(entry.refusal)]
    images = selectors.images_for_page().filter(product=product, sha256__in=there) if there else []
    present = {image.sha256: image for image in images}
    found = []
    for entry in received:
        image, refusal = entry.image, entry.refusal
        if refusal is not None and _is_there(refusal):
            image = present.get(str(refusal.params["sha256"]))
        outcome = STORED if entry.image is not None else PRESENT if image is not None else REFUSED
        found.append(ShownUpload(entry.name, outcome, image, None if image is not None else refusal))
    return found


def shown_uploads(
    request: Request, product: Product | None, received: Sequence[uploads.Received]
) -> list[dict[str, Any]]:
    """Return one entry per file, in the order of the form: the stored image, or why the file was refused."""
    entries = outcomes(product, received)
    images = [entry.image for entry in entries if entry.image is not None]
    same = selectors.same_images_elsewhere(images[0].product, images) if images else []
    context = serializer_context(request, images) | {"same_images": same}
    return list(UploadSerializer(entries, many=True, context=context).data)


def upload_status(product: Product | None, received: Sequence[uploads.Received]) -> int:
    """Return 201 if a file was stored and none refused, 200 if all were there already, 207 if some were refused."""
    if any(entry.refusal is not None and not _is_there(entry.refusal) for entry in received):
        return status.HTTP_207_MULTI_STATUS
    return status.HTTP_201_CREATED if any(entry.image for entry in received) else status.HTTP_200_OK


def nothing_stored(request: Request, product: Product | None, received: Sequence[uploads.Received]) -> Response:
    """Answer an upload of which every file was refused: one code if all share it, else `nothing_stored`."""
    refusals_by_code = {entry.refusal.code: entry.refusal for entry in received if entry.refusal is not None}
    code, message = error_of_uploads({code: refusal.message for code, refusal in refusals_by_code.items()})
    only = next(iter(refusals_by_code.values())) if len(refusals_by_code) == 1 else None
    http_status = status_of(only) if only is not None else status.HTTP_400_BAD_REQUEST
    return problem(request, code, message, http_status, uploads=shown_uploads(request, product, received))


def _flag(request: Request, name: str) -> bool:
    unknown = [one for one in request.query_params if one != name and one not in CursorPages.parameters]
    if unknown:
        raise unknown_fields(unknown)
    said = request.query_params.get(name, "false")
    if said not in {"true", "false"}:
        sentence = ErrorDetail(str(_("This filter does not know such a value.")), code="unknown_value")
        raise ValidationError({name: [sentence]})
    return said == "true"


class ProductImageViewSet(ViewSet):
    """A product's images."""

    pagination_class = CursorPages

    def _images(self, actor: Actor, public_id: str) -> QuerySet[ProductImage]:
        """Return the product's images that the actor may see, archived ones too, with what was found in each."""
        product = find_product(actor, public_id)
        visible = ProductImage.objects.visible_to(actor).filter(product=product)
        return visible.select_related("product", "current_classification__model_set", "uploaded_by").prefetch_related(
            selectors.shown_garments()
        )

    def _find(self, actor: Actor, public_id: str, image_id: str) -> ProductImage:
        return get_object_or_404(self._images(actor, public_id), public_id=image_id)

    def _shown(self, request: Request, image: ProductImage) -> dict[str, Any]:
        return dict(ImageSerializer(image, context=serializer_context(request, [image])).data)

    @extend_schema(
        operation_id="products_images_list",
        tags=["images"],
        parameters=[
            OpenApiParameter(
                "archived",
                {"type": "string", "enum": ["true", "false"], "default": "false"},
                description="`true`: those that were removed, instead of those that the product shows.",
            )
        ],
        examples=[examples.page(examples.SHOWN_IMAGE)],
        responses={200: ImageSerializer(many=True), **refusals("unknown_field", "invalid_cursor", "invalid_page_size")},
    )
    def list(self, request: Request, public_id: str) -> Response:
        """List a product's images in their order, or those that were removed from it."""
        archived = _flag(request, "archived")
        images = self._images(actor_of(request), public_id).filter(archived_at__isnull=not archived)
        pages = CursorPages(("position", "pk"))
        page: Any = pages.paginate_queryset(images, request)
        data = ImageSerializer(page, many=True, context=serializer_context(request, page)).data
        return pages.get_paginated_response(data)

    @extend_schema(
        operation_id="products_images_create",
        tags=["images"],
        request={"multipart/form-data": NewImagesSerializer, "application/json": ImageUrlListSerializer},
        examples=[
            examples.form({"images": ["front.jpg", "back.jpg"]}),
            examples.said({"urls": ["https://shop.example/front.jpg"]}, "By URL"),
            examples.answer({"fetches": [examples.FETCH]}, "Fetched now", 202),
            examples.answer({"uploads": [examples.UPLOAD | {"outcome": "present"}]}, "All there already", 200),
            examples.answer({"uploads": [examples.UPLOAD]}, "Stored", 201),
            examples.answer({"uploads": [examples.UPLOAD, examples.NOT_AN_IMAGE]}, "Some refused", 207),
        ],
        responses={
            200: OpenApiResponse(UploadsSerializer, description="The product has all of these images already."),
            201: OpenApiResponse(UploadsSerializer, description="All images are stored."),
            202: OpenApiResponse(FetchesSerializer, description="By URL: they are fetched now; Location lists them."),
            207: OpenApiResponse(UploadsSerializer, description="Some images are stored, some were refused."),
            **UPLOADS,
            **refusals("archived", "upload_expired"),
        },
    )
    def create(self, request: Request, public_id: str) -> Response:
        """Add images. The good ones are stored and classified; each other one says what is wrong with it.

        Sending the same bytes again is fine: the answer has the image that is there. In JSON images are named by URL,
        and the site fetches them.
        """
        actor, product = find_product_to_change(request, public_id)
        if (request.content_type or "").startswith(SentenceJSONParser.media_type):
            return ask_for_images(request, actor, product)
        data = NewImagesSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        received = uploads.add_images(actor=actor, product=product, files=data.validated_data["images"])
        if not any(entry.image or _is_there(entry.refusal) for entry in received):
            return nothing_stored(request, product, received)
        return Response({"uploads": shown_uploads(request, product, received)}, upload_status(product, received))

    @extend_schema(
        operation_id="products_images_read",
        tags=["images"],
        examples=[examples.answer(examples.SHOWN_IMAGE, "An image")],
        responses={200: ImageSerializer, 304: OpenApiResponse(description="As If-None-Match knows it.")},
    )
    def retrieve(self, request: Request, public_id: str, image_id: str) -> Response:
        """Read how far an image is classified, and what was found in it."""
        return conditional(request, self._shown(request, self._find(actor_of(request), public_id, image_id)))

    @extend_schema(
        operation_id="products_images_delete",
        tags=["images"],
        responses={204: OpenApiResponse(description="It is gone."), **refusals("not_archived")},
    )
    def destroy(self, request: Request, public_id: str, image_id: str) -> Response:
        """Delete an archived image for good, with whatever models saw in it. Decisions stay."""
        actor = actor_of(request)
        services.delete_image(actor=actor, image=self._find(actor, public_id, image_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="products_images_archive",
        tags=["images"],
        request=None,
        responses={204: OpenApiResponse(description="The product no longer shows it."), **refusals("archived")},
    )
    def archive(self, request: Request, public_id: str, image_id: str) -> Response:
        """Take an image away from its product. It can be restored: nothing that was decided is lost."""
        actor = actor_of(request)
        services.archive_image(actor=actor, image=self._find(actor, public_id, image_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="products_images_restore",
        tags=["images"],
        request=None,
        examples=[examples.answer(examples.SHOWN_IMAGE, "Restored")],
        responses={200: ImageSerializer, **refusals("duplicate", "too_many_images", "archived")},
    )
    def restore(self, request: Request, public_id: str, image_id: str) -> Response:
        """Put an image back to its product that was taken away, where it was."""
        actor = actor_of(request)
        uploads.put_back(actor=actor, image=self._find(actor, public_id, image_id))
        return Response(self._shown(request, self._find(actor, public_id, image_id)))

    @extend_schema(
        operation_id="products_images_reorder",
        tags=["images"],
        request=OrderSerializer,
        examples=[examples.said({"images": [examples.IMAGE]})],
        responses={
            204: OpenApiResponse(description="They are in this order."),
            **refusals("other_images", "archived", 412),
        },
    )
    def reorder(self, request: Request, public_id: str) -> Response:
        """Put the product's images in another order. The first one stands for the product in lists."""
        actor, product = find_product_to_change(request, public_id)
        data = OrderSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        order = data.validated_data["images"]
        unless_changed(request, product, lambda: services.reorder_images(actor=actor, product=product, order=order))
        return Response(status=status.HTTP_204_NO_CONTENT)
