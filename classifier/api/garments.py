"""The API's endpoints for the garments in an image: what models found there, and what people and programs draw."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import actor_of
from catalog.api.base import CONFLICT, REFUSALS, find_product, find_product_to_change
from catalog.api.serializers.base import FractionField
from catalog.models import Product, ProductImage
from classifier import garments
from classifier.garments import SaidValue, ShownGarment
from core.api import StrictSerializer, body_of

_CHANGES = {**REFUSALS, **CONFLICT}


def _box_field(**options: Any) -> serializers.ListField:
    """Return the field of x1, y1, x2, y2, in fractions of the upright image."""
    return serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4, **options)


class SaidValueSerializer(serializers.Serializer[SaidValue]):
    """A value's code, and how sure the model is."""

    value = serializers.CharField()
    confidence = FractionField()


class ImageGarmentSerializer(serializers.Serializer[ShownGarment]):
    """A garment of an image. What was just drawn is `waiting` for a worker, which then says what it is."""

    id = serializers.IntegerField()
    box = serializers.ListField(child=FractionField(), min_length=4, max_length=4)
    drawn = serializers.BooleanField(source="by_person", help_text="Whether somebody drew, moved or resized it.")
    state = serializers.ChoiceField(["done", "waiting", "failed"])
    top_category = serializers.CharField(help_text="What it was said to be when it was drawn; empty if nothing.")
    attributes = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=SaidValueSerializer()))
    def get_attributes(self, garment: ShownGarment) -> dict[str, Any]:
        """Return what models say, by the attribute's code."""
        return {said.attribute: SaidValueSerializer(said).data for said in garment.values}


class ImageGarmentsSerializer(serializers.Serializer[Any]):
    """All garments of an image, from top to bottom."""

    garments = ImageGarmentSerializer(many=True)


class NewGarmentSerializer(StrictSerializer):
    """A garment that the models missed. Without a top-level category they say what it is."""

    box = _box_field(help_text="x1, y1, x2, y2 in fractions of the upright image.")
    top_category = serializers.CharField(required=False, allow_blank=True, default="")


class ChangedGarmentSerializer(StrictSerializer):
    """Where the garment is, or what it is. What is not named stays."""

    box = _box_field(required=False)
    top_category = serializers.CharField(required=False, allow_blank=True)


def _image(product: Product, image_id: str) -> ProductImage:
    return get_object_or_404(product.images.filter(archived_at=None).select_related("product"), public_id=image_id)


def _shown(image: ProductImage, pk: int) -> dict[str, Any]:
    shown = next(garment for garment in garments.shown_garments(image) if garment.id == pk)
    return dict(ImageGarmentSerializer(shown).data)


class ImageGarmentListView(APIView):
    """The garments of one image."""

    @extend_schema(
        operation_id="products_images_garments_list",
        responses={200: ImageGarmentsSerializer, **{code: REFUSALS[code] for code in (401, 404, 429)}},
    )
    def get(self, request: Request, public_id: str, image_id: str) -> Response:
        """List what an image shows."""
        image = _image(find_product(actor_of(request), public_id), image_id)
        return Response(ImageGarmentsSerializer({"garments": garments.shown_garments(image)}).data)

    @extend_schema(
        operation_id="products_images_garments_create",
        request=NewGarmentSerializer,
        responses={201: ImageGarmentSerializer, **_CHANGES},
    )
    def post(self, request: Request, public_id: str, image_id: str) -> Response:
        """Draw a garment. It stays in every later run, and a worker says what it is."""
        actor, product = find_product_to_change(request, public_id)
        image = _image(product, image_id)
        data = NewGarmentSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said = data.validated_data
        drawn = garments.draw(actor=actor, image=image, box=tuple(said["box"]), top_category=said["top_category"])
        return Response(_shown(image, drawn.pk), status.HTTP_201_CREATED)


class ImageGarmentView(APIView):
    """One garment of an image."""

    @extend_schema(
        operation_id="products_images_garments_change",
        request=ChangedGarmentSerializer,
        responses={200: ImageGarmentSerializer, **_CHANGES},
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
        return Response(_shown(image, changed.pk))

    @extend_schema(
        operation_id="products_images_garments_remove",
        responses={204: None, **{code: REFUSALS[code] for code in (401, 403, 404, 429)}, **CONFLICT},
    )
    def delete(self, request: Request, public_id: str, image_id: str, garment: int) -> Response:
        """Say that a box shows no garment. Later runs that find it again do not count."""
        actor, product = find_product_to_change(request, public_id)
        garments.remove(actor=actor, image=_image(product, image_id), garment=garment)
        return Response(status=status.HTTP_204_NO_CONTENT)
