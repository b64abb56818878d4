"""The shapes in which the API shows and takes images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from catalog.api.serializers.base import FractionField
from catalog.api.serializers.proposals import PredictionsField
from catalog.models import ProductImage
from catalog.selectors import SameImages
from core.api import BinaryFileField, ErrorBodySerializer, ProblemSerializer, StrictSerializer
from vision.engine import formats

STORED, PRESENT, REFUSED = OUTCOMES = ("stored", "present", "refused")
JOB_STATES = ("queued", "running", "done", "failed", "cancelled")


class GarmentSerializer(serializers.Serializer[Any]):
    """A garment in an image. The box is [x1, y1, x2, y2] in fractions of the upright image."""

    box = serializers.SerializerMethodField(help_text="x1, y1, x2, y2 in fractions of the upright image.")
    confidence = FractionField(allow_null=True, help_text="Of the detector; null for a box that somebody drew.")
    attributes = PredictionsField(help_text="What models say of it, by the attribute's code.")
    hidden = serializers.SerializerMethodField(help_text="Codes of attributes that cannot be seen here.")

    @extend_schema_field(
        serializers.ListField(child=serializers.CharField(), help_text="Codes of attributes that cannot be seen here.")
    )
    def get_hidden(self, garment: Any) -> list[str]:
        """Return the codes of attributes that a model says cannot be seen."""
        return list(garment.hidden or ())

    @extend_schema_field(serializers.ListField(child=FractionField(), min_length=4, max_length=4))
    def get_box(self, garment: Any) -> list[float]:
        """Return x1, y1, x2, y2."""
        return [round(corner, 4) for corner in (garment.x1, garment.y1, garment.x2, garment.y2)]


class ClassificationSerializer(serializers.Serializer[Any]):
    """The last job of an image. A waiting job may have an error too: the reason why it waits."""

    state = serializers.ChoiceField(JOB_STATES, help_text="How far it is.")
    error = serializers.SerializerMethodField(help_text="Why it failed, or why it still waits.")
    queued_at = serializers.DateTimeField(help_text="When it was asked for.")
    started_at = serializers.DateTimeField(allow_null=True, help_text="When a worker began.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it ended.")

    @extend_schema_field(ErrorBodySerializer(allow_null=True))
    def get_error(self, job: Any) -> dict[str, str] | None:
        """Return the reason with its sentence."""
        return {"code": job.error_code, "detail": str(job.get_error_code_display())} if job.error_code else None


def image_url(request: Request, image: ProductImage, variant: str) -> str:
    """Return where one of an image's files is."""
    return str(request.build_absolute_uri(reverse("catalog:media", args=(image.public_id, variant))))


class ImageUrlsSerializer(serializers.Serializer[ProductImage]):
    """Where the image is; the same key or session is needed to get it."""

    original = serializers.SerializerMethodField(help_text="The file as it was uploaded.")
    display = serializers.SerializerMethodField(
        help_text="An upright copy of at most 1600 pixels; of a tall or wide image 720 on the shorter side."
    )
    thumbnail = serializers.SerializerMethodField(
        help_text="A copy of at most 400 pixels; of a tall or wide image its beginning."
    )

    def get_original(self, image: ProductImage) -> str:
        """The file as it was uploaded."""
        return image_url(self.context["request"], image, "original")

    def get_display(self, image: ProductImage) -> str:
        """An upright copy of at most 1600 pixels; of a tall or wide image 720 on the shorter side."""
        return image_url(self.context["request"], image, "display")

    def get_thumbnail(self, image: ProductImage) -> str:
        """A copy of at most 400 pixels; of a tall or wide image its beginning."""
        return image_url(self.context["request"], image, "thumbnail")


class ImageSerializer(serializers.Serializer[ProductImage]):
    """An image, how far it is classified, and the garments that were found in it."""

    id = serializers.CharField(source="public_id", help_text="Stable, in every address of the image.")
    name = serializers.CharField(source="original_name", help_text="What the file was called.")
    width = serializers.IntegerField(help_text="Pixels of the upright image.")
    height = serializers.IntegerField(help_text="Pixels of the upright image.")
    size = serializers.IntegerField(help_text="Bytes as uploaded.")
    position = serializers.IntegerField(help_text="Its place among the product's images, from 0.")
    created_at = serializers.DateTimeField(help_text="When it was uploaded.")
    archived_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is removed from its product.")
    urls = ImageUrlsSerializer(source="*", help_text="Where its files are; the same key or session gets them.")
    classification = serializers.SerializerMethodField(help_text="Its last job; null before the first.")
    garments = GarmentSerializer(
        source="shown_garments", many=True, default=list, help_text="What was found in it, or drawn."
    )

    @extend_schema_field(ClassificationSerializer(allow_null=True))
    def get_classification(self, image: ProductImage) -> dict[str, Any] | None:
        """Return the last job; the view puts them into the context by the image's id."""
        job = self.context["jobs"].get(image.pk)
        return dict(ClassificationSerializer(job).data) if job is not None else None


class SameImagesSerializer(serializers.Serializer[Any]):
    """Another product of the merchant that has the same images, byte for byte."""

    id = serializers.CharField(source="product.public_id", help_text="The other product's id.")
    name = serializers.CharField(source="product.name", help_text="Its name.")
    sku = serializers.CharField(source="product.sku", allow_null=True, help_text="Its SKU.")
    image_count = serializers.IntegerField(source="count", help_text="How many images both have.")


class UploadSerializer(serializers.Serializer[Any]):
    """What became of one file: the image that is stored, or why it was turned away."""

    name = serializers.CharField(help_text="What the file is called.")
    outcome = serializers.ChoiceField(
        OUTCOMES, help_text="`present`: the product has the same bytes already; `image` is the one that is there."
    )
    image = ImageSerializer(allow_null=True, help_text="The image; null where the file was refused.")
    error = ErrorBodySerializer(source="refusal", allow_null=True, help_text="Why the file was refused.")
    same_image_in = serializers.SerializerMethodField(
        help_text="Products that have the same image; it is stored anyway."
    )

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_same_image_in(self, entry: Any) -> list[str]:
        """Return the products' ids; the view puts them into the context."""
        if entry.image is None:
            return []
        same: list[SameImages] = self.context["same_images"]
        return [other.product.public_id for other in same if entry.image.sha256 in other.checksums]


class UploadsSerializer(serializers.Serializer[Any]):
    """One entry per file, in the order of the form."""

    uploads = UploadSerializer(many=True, help_text="What became of each file.")


class OrderSerializer(StrictSerializer):
    """The order of a product's images."""

    images = serializers.ListField(
        child=serializers.CharField(max_length=40),
        max_length=1000,
        help_text="The ids of all images of the product, each of them once.",
    )


class RefusedUploadsSerializer(ProblemSerializer):
    """No file was stored: one code if all share it, else `nothing_stored`. A wrong form has no `uploads`."""

    uploads = UploadSerializer(many=True, required=False, help_text="What became of each file.")


def images_field(help_text: str) -> serializers.ListField:
    """Return the field that takes the files of a form under one name, repeated."""
    # Empty files are let through to upload validation for images, which refuses them by name and keeps the others.
    return serializers.ListField(
        child=BinaryFileField(allow_empty_file=True), required=False, default=list, help_text=help_text
    )


class NewImagesSerializer(StrictSerializer):
    """The field `images`, repeated."""

    images = images_field(f"{formats.LISTED}.")


def error_of_uploads(refusals: Mapping[str, str]) -> tuple[str, str]:
    """Return code and sentence for an upload of which nothing was kept, from the refusals' sentences by code."""
    if len(refusals) == 1:
        return next(iter(refusals.items()))
    return "nothing_stored", str(_("None of the photos was stored. Each one says why."))
