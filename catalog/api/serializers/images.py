"""The shapes in which the API shows and takes images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.serializers.base import FractionField
from catalog.api.serializers.proposals import PredictionsField
from catalog.models import ProductImage
from catalog.selectors import SameImages
from core.api import ErrorBodySerializer, StrictSerializer
from vision.engine import formats


class GarmentSerializer(serializers.Serializer[Any]):
    """A garment in an image. The box is [x1, y1, x2, y2] in fractions of the upright image."""

    box = serializers.SerializerMethodField()
    confidence = FractionField(allow_null=True)
    attributes = PredictionsField()
    hidden = serializers.SerializerMethodField()

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

    state = serializers.ChoiceField(["queued", "running", "done", "failed"])
    error = serializers.SerializerMethodField()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(ErrorBodySerializer(allow_null=True))
    def get_error(self, job: Any) -> dict[str, str] | None:
        """Return the reason with its sentence."""
        return {"code": job.error_code, "message": str(job.get_error_code_display())} if job.error_code else None


class ImageUrlsSerializer(serializers.Serializer[ProductImage]):
    """Where the image is; the same key or session is needed to get it."""

    original = serializers.SerializerMethodField()
    display = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    def _url(self, image: ProductImage, variant: str) -> str:
        path = reverse("catalog:media", args=(image.public_id, variant))
        return str(self.context["request"].build_absolute_uri(path))

    def get_original(self, image: ProductImage) -> str:
        """The file as it was uploaded."""
        return self._url(image, "original")

    def get_display(self, image: ProductImage) -> str:
        """An upright copy of at most 1600 pixels; of a tall or wide image 720 on the shorter side."""
        return self._url(image, "display")

    def get_thumbnail(self, image: ProductImage) -> str:
        """A copy of at most 400 pixels; of a tall or wide image its beginning."""
        return self._url(image, "thumbnail")


class ImageSerializer(serializers.Serializer[ProductImage]):
    """An image, how far it is classified, and the garments that were found in it."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField(source="original_name")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Bytes as uploaded.")
    position = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    urls = ImageUrlsSerializer(source="*")
    classification = serializers.SerializerMethodField()
    garments = GarmentSerializer(source="shown_garments", many=True, default=list)

    @extend_schema_field(ClassificationSerializer(allow_null=True))
    def get_classification(self, image: ProductImage) -> dict[str, Any] | None:
        """Return the last job; the view puts them into the context by the image's id."""
        job = self.context["jobs"].get(image.pk)
        return dict(ClassificationSerializer(job).data) if job is not None else None


class SameImagesSerializer(serializers.Serializer[Any]):
    """Another product of the merchant that has the same images, byte for byte."""

    id = serializers.CharField(source="product.public_id")
    name = serializers.CharField(source="product.name")
    sku = serializers.CharField(source="product.sku", allow_null=True)
    image_count = serializers.IntegerField(source="count", help_text="How many images both have.")


class UploadSerializer(serializers.Serializer[Any]):
    """What became of one file: the stored image, or why it was turned away."""

    name = serializers.CharField()
    image = ImageSerializer(allow_null=True)
    error = ErrorBodySerializer(source="refusal", allow_null=True)
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

    uploads = UploadSerializer(many=True)


class RefusedUploadsSerializer(UploadsSerializer):
    """No file was stored: `error` says why in one code if all share it, else `nothing_stored`."""

    error = ErrorBodySerializer()


def images_field(help_text: str) -> serializers.ListField:
    """Return the field that takes the files of a form under one name, repeated."""
    # Empty files are let through to upload validation for images, which refuses them by name and keeps the others.
    return serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, default=list, help_text=help_text
    )


class NewImagesSerializer(StrictSerializer):
    """The field `images`, repeated."""

    images = images_field(f"{formats.LISTED}.")


def error_of_uploads(refusals: Mapping[str, str]) -> tuple[str, str]:
    """Return code and sentence for an upload of which nothing was kept, from the refusals' sentences by code."""
    if len(refusals) == 1:
        return next(iter(refusals.items()))
    return "nothing_stored", str(_("None of the photos was stored. Each one says why."))
