"""The shapes in which the API shows and takes products."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.serializers.images import (
    ImageSerializer,
    ImageUrlsSerializer,
    SameImagesSerializer,
    UploadSerializer,
    images_field,
)
from catalog.api.serializers.proposals import ProposalSerializer
from catalog.api.serializers.values import CurrentValuesField
from catalog.models import Product
from catalog.selectors import same_images_elsewhere
from core.api import StrictSerializer
from vision.engine import formats


class ProductSummarySerializer(serializers.Serializer[Any]):
    """A product as lists show it."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    sku = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(Product.Status.choices)
    top_category = serializers.CharField(
        source="top_category.code", allow_null=True, help_text="Top-level category of the chosen garment."
    )
    top_category_source = serializers.ChoiceField(Product.TopCategorySource.choices, allow_blank=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)
    attributes = CurrentValuesField()
    image_count = serializers.SerializerMethodField()
    thumbnail = serializers.SerializerMethodField()

    def get_image_count(self, product: Any) -> int:
        """How many there are."""
        return len(product.current_images)

    def get_thumbnail(self, product: Any) -> str | None:
        """Return the first image's."""
        if not product.current_images:
            return None
        urls = ImageUrlsSerializer(product.current_images[0], context=self.context)
        return str(urls.data["thumbnail"])


class ProductSerializer(ProductSummarySerializer):
    """A product with all that is known of it."""

    proposal = ProposalSerializer(source="proposal.candidates", many=True)
    images = ImageSerializer(source="current_images", many=True)
    same_images_in = serializers.SerializerMethodField(help_text="Other products that have images of this one.")

    @extend_schema_field(SameImagesSerializer(many=True))
    def get_same_images_in(self, product: Any) -> list[dict[str, Any]]:
        """Return the first five, those with most in common first."""
        same = same_images_elsewhere(product, product.current_images)
        return [dict(SameImagesSerializer(other).data) for other in same]


class CreatedProductSerializer(ProductSerializer):
    """The new product, and what became of each image that was sent along."""

    uploads = UploadSerializer(many=True)


class NewProductSerializer(StrictSerializer):
    """A new product. Lengths and characters are judged where products are written."""

    name = serializers.CharField(required=False, allow_blank=True, default="")
    sku = serializers.CharField(required=False, allow_blank=True, allow_null=True, default=None)


class NewProductFormSerializer(NewProductSerializer):
    """A new product with its images: the field `images`, repeated."""

    images = images_field(f"{formats.LISTED}.")


class ProductChangeSerializer(StrictSerializer):
    """What shall change; what is not named stays."""

    name = serializers.CharField(required=False, allow_blank=True)
    sku = serializers.CharField(required=False, allow_blank=True, allow_null=True, help_text="null takes it away.")
    top_category = serializers.CharField(
        required=False, help_text="Code of the top-level category of the garment that is the product."
    )


class PublishSerializer(StrictSerializer):
    """How to publish; the body may be left out."""

    while_classifying = serializers.BooleanField(
        default=False,
        help_text="Publish though images are still being looked at; what is found in them no longer counts.",
    )


class ProductQuerySerializer(StrictSerializer):
    """The filters of the list."""

    status = serializers.ChoiceField(Product.Status.choices, required=False)
    category = serializers.CharField(required=False, help_text="Code of a category or of a top-level category.")
    sku = serializers.CharField(required=False, help_text="The SKU in any spelling.")
