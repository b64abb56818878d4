"""The API's endpoints for the garments in an image: what models found there, and what people and programs draw."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import actor_of
from catalog.api.base import find_product, find_product_to_change
from catalog.api.examples import VALUE
from catalog.api.serializers.base import FractionField
from catalog.api.serializers.values import Labels, ProposedValueSerializer, ShownProposal
from catalog.models import Product, ProductImage
from classifier import garments
from classifier.api.waits import LOCATION, header_of
from classifier.garments import ShownGarment
from core.api import (
    CursorPages,
    ErrorBodySerializer,
    ProblemType,
    StrictSerializer,
    body_of,
    refusals,
    register,
    unknown_fields,
)

register(
    ProblemType("bad_box", 400, _("The box is too small, or not in the photo."), "/box"),
    ProblemType("too_many_boxes", 409, _("A photo has as many drawn boxes as it may have.")),
)
STATES = ("done", "waiting", "failed")
_CHANGES = refusals("bad_box", "unknown_value", "archived", "stale")

_FOUND = {
    "id": 5121,
    "box": [0.0468, 0.2147, 0.9129, 0.7386],
    "confidence": 0.969,
    "drawn": False,
    "state": "done",
    "error": None,
    "top_category": None,
    "attributes": {
        "category": {
            **VALUE,
            "calibrated": True,
            "alternatives": [{"value": "Zipup", "label": {"ko": "집업", "en": "Zip-up"}, "confidence": 0.0137}],
        }
    },
    "hidden": ["sleeve_length"],
}
_DRAWN = _FOUND | {
    "id": 5122,
    "box": [0.1, 0.1, 0.4, 0.5],
    "confidence": None,
    "drawn": True,
    "state": "waiting",
    "top_category": "Bottom",
    "attributes": {},
    "hidden": [],
}


def _box_field(**options: Any) -> serializers.ListField:
    """Return the field of x1, y1, x2, y2, in fractions of the upright image."""
    return serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4, **options)


class ImageGarmentSerializer(serializers.Serializer[Any]):
    """A garment of an image. What was just drawn is `waiting` for a worker, which then says what it is."""

    id = serializers.IntegerField(help_text="Of the garment. Who changes it gives it another one.")
    box = serializers.ListField(
        child=FractionField(), min_length=4, max_length=4, help_text="x1, y1, x2, y2 in fractions of the upright image."
    )
    confidence = FractionField(
        source="row.confidence", allow_null=True, help_text="Of the model that found it; null if it was drawn."
    )
    drawn = serializers.BooleanField(source="by_person", help_text="Whether somebody drew, moved or resized it.")
    state = serializers.ChoiceField(STATES, help_text="Whether it is known what it is.")
    error = serializers.SerializerMethodField(help_text="Why it waits longer, or failed.")
    top_category = serializers.SerializerMethodField(
        help_text="Code of what it was said to be when it was drawn; null if nothing was said."
    )
    attributes = serializers.SerializerMethodField(help_text="What models say of it, by the attribute's code.")
    hidden = serializers.SerializerMethodField(help_text="Codes of attributes that cannot be seen here.")

    @extend_schema_field(ErrorBodySerializer(allow_null=True))
    def get_error(self, garment: ShownGarment) -> dict[str, str] | None:
        """Return the reason with its sentence."""
        return {"code": garment.problem_code, "detail": garment.problem} if garment.problem_code else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_top_category(self, garment: ShownGarment) -> str | None:
        """Return the code."""
        return garment.top_category or None

    @extend_schema_field(serializers.DictField(child=ProposedValueSerializer()))
    def get_attributes(self, garment: ShownGarment) -> dict[str, Any]:
        """Return what models say; the view puts `labels` into the context."""
        labels = self.context["labels"]
        return {
            said.attribute: ProposedValueSerializer(ShownProposal.of_prediction(said.prediction, labels)).data
            for said in garment.values
        }

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_hidden(self, garment: ShownGarment) -> list[str]:
        """Return the codes of attributes that a model says cannot be seen."""
        return list(garment.row.hidden or ())


class NewGarmentSerializer(StrictSerializer):
    """A garment that the models missed. Without a top-level category they say what it is."""

    box = _box_field(help_text="x1, y1, x2, y2 in fractions of the upright image.")
    top_category = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Code of what it is, if you know."
    )


class ChangedGarmentSerializer(StrictSerializer):
    """Where the garment is, or what it is. What is not named stays."""

    box = _box_field(required=False, help_text="x1, y1, x2, y2 in fractions of the upright image.")
    top_category = serializers.CharField(
        required=False, allow_blank=True, help_text="Code of what it is; empty: the models shall say."
    )


def _image(product: Product, image_id: str) -> ProductImage:
    return get_object_or_404(product.images.filter(archived_at=None).select_related("product"), public_id=image_id)


def _bodies(shown: list[ShownGarment]) -> list[dict[str, Any]]:
    return list(ImageGarmentSerializer(shown, many=True, context={"labels": Labels()}).data)


def _body(image: ProductImage, pk: int) -> dict[str, Any]:
    """Return one garment that the image shows.

    Raises:
        Http404: it shows none with that id.
    """
    found = _bodies(garments.shown(image, list(garments.shown_rows(image).filter(pk=pk))))
    if not found:
        raise Http404
    return found[0]


class ImageGarmentListView(APIView):
    """The garments of one image."""

    pagination_class = CursorPages
    page_order = ("pk",)

    @extend_schema(
        operation_id="products_images_garments_list",
        responses={200: ImageGarmentSerializer(many=True), **refusals("unknown_field")},
        examples=[OpenApiExample("found", _FOUND, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, public_id: str, image_id: str) -> Response:
        """List what an image shows: what people drew, and what models found beside that."""
        image = _image(find_product(actor_of(request), public_id), image_id)
        pages = CursorPages()
        unknown = [name for name in request.query_params if name not in pages.parameters]
        if unknown:
            raise unknown_fields(unknown)
        page = pages.paginate_queryset(garments.shown_rows(image), request, view=self)
        return pages.get_paginated_response(_bodies(garments.shown(image, page)))

    @extend_schema(
        operation_id="products_images_garments_create",
        parameters=[header_of("Location", LOCATION, 201)],
        request=NewGarmentSerializer,
        responses={201: ImageGarmentSerializer, **_CHANGES, **refusals("archived", "too_many_boxes")},
        examples=[
            OpenApiExample("trousers", {"box": [0.1, 0.1, 0.4, 0.5], "top_category": "Bottom"}, request_only=True),
            OpenApiExample("drawn", _DRAWN, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, public_id: str, image_id: str) -> Response:
        """Draw a garment. It stays in every later run, and a worker says what it is."""
        actor, product = find_product_to_change(request, public_id)
        image = _image(product, image_id)
        data = NewGarmentSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said = data.validated_data
        drawn = garments.draw(actor=actor, image=image, box=tuple(said["box"]), top_category=said["top_category"])
        address = reverse("api:garment", args=(public_id, image_id, drawn.pk))
        return Response(_body(image, drawn.pk), status.HTTP_201_CREATED, headers={"Location": address})


class ImageGarmentView(APIView):
    """One garment of an image."""

    @extend_schema(
        operation_id="products_images_garments_read",
        responses={200: ImageGarmentSerializer},
        examples=[OpenApiExample("found", _FOUND, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, public_id: str, image_id: str, garment: int) -> Response:
        """Read a garment that an image shows, with what models say of it."""
        return Response(_body(_image(find_product(actor_of(request), public_id), image_id), garment))

    @extend_schema(
        operation_id="products_images_garments_change",
        parameters=[header_of("Location", "The address of the garment that replaces it.", 200)],
        request=ChangedGarmentSerializer,
        responses={200: ImageGarmentSerializer, **_CHANGES},
        examples=[
            OpenApiExample("moved", {"box": [0.2, 0.2, 0.9, 0.9]}, request_only=True),
            OpenApiExample("changed", _DRAWN, response_only=True, status_codes=["200"]),
        ],
    )
    def patch(self, request: Request, public_id: str, image_id: str, garment: int) -> Response:
        """Move or resize a garment's box, or say what it is. The answer has another id: the one before is history."""
        actor, product = find_product_to_change(request, public_id)
        image = _image(product, image_id)
        data = ChangedGarmentSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said = data.validated_data
        box = tuple(said["box"]) if "box" in said else None
        changed = garments.change(
            actor=actor, image=image, garment=garment, box=box, top_category=said.get("top_category")
        )
        address = reverse("api:garment", args=(public_id, image_id, changed.pk))
        return Response(_body(image, changed.pk), headers={"Location": address})

    @extend_schema(
        operation_id="products_images_garments_remove",
        responses={204: None, **refusals("archived", "stale")},
    )
    def delete(self, request: Request, public_id: str, image_id: str, garment: int) -> Response:
        """Say that a box shows no garment. Later runs that find it again do not count."""
        actor, product = find_product_to_change(request, public_id)
        garments.remove(actor=actor, image=_image(product, image_id), garment=garment)
        return Response(status=status.HTTP_204_NO_CONTENT)
