"""The API's endpoints for the images of a product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from catalog import selectors, services
from catalog.api.base import CONFLICT, REFUSALS, find_product, find_product_to_change, serializer_context
from catalog.api.serializers.images import (
    ImageSerializer,
    NewImagesSerializer,
    RefusedUploadsSerializer,
    UploadSerializer,
    UploadsSerializer,
    error_of_uploads,
)
from catalog.models import ProductImage
from catalog.services import uploads
from core.api import body_of, error_body, status_of
from core.multipart import FormParser

UPLOADS: dict[int, Any] = {
    400: OpenApiResponse(RefusedUploadsSerializer, description="No image was stored."),
    413: OpenApiResponse(RefusedUploadsSerializer, description="No image was stored: all are too large."),
}


def shown_uploads(request: Request, received: Sequence[uploads.Received]) -> list[dict[str, Any]]:
    """Return one entry per file, in the order of the form: the stored image, or why the file was refused."""
    images = [entry.image for entry in received if entry.image is not None]
    same = selectors.same_images_elsewhere(images[0].product, images) if images else []
    context = serializer_context(request, images) | {"same_images": same}
    return list(UploadSerializer(received, many=True, context=context).data)


def upload_status(received: Sequence[uploads.Received]) -> int:
    """Return 201 if every file was stored, 207 if some were refused."""
    complete = all(entry.image is not None for entry in received)
    return status.HTTP_201_CREATED if complete else status.HTTP_207_MULTI_STATUS


def nothing_stored(request: Request, received: Sequence[uploads.Received]) -> Response:
    """Answer an upload of which every file was refused: one code if all share it, else `nothing_stored`."""
    refusals = {entry.refusal.code: entry.refusal for entry in received if entry.refusal is not None}
    code, message = error_of_uploads({code: refusal.message for code, refusal in refusals.items()})
    http_status = status_of(next(iter(refusals.values()))) if len(refusals) == 1 else status.HTTP_400_BAD_REQUEST
    return Response({**error_body(code, message), "uploads": shown_uploads(request, received)}, http_status)


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
        actor, product = find_product_to_change(request, public_id)
        data = NewImagesSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        received = uploads.add_images(actor=actor, product=product, files=data.validated_data["images"])
        if not any(entry.image for entry in received):
            return nothing_stored(request, received)
        return Response({"uploads": shown_uploads(request, received)}, upload_status(received))


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
        return Response(ImageSerializer(image, context=serializer_context(request, [image])).data)

    @extend_schema(
        operation_id="products_images_archive",
        responses={204: None, **{code: REFUSALS[code] for code in (401, 403, 404, 429)}, **CONFLICT},
    )
    def delete(self, request: Request, public_id: str, image_id: str) -> Response:
        """Take an image away from its product. It is archived: nothing that was decided is lost."""
        actor = actor_of(request)
        services.archive_image(actor=actor, image=self._find(actor, public_id, image_id))
        return Response(status=status.HTTP_204_NO_CONTENT)
