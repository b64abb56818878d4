"""The shapes in which the API shows and takes products."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.serializers.fetches import FetchSerializer, UrlsField
from catalog.api.serializers.images import (
    ImageSerializer,
    SameImagesSerializer,
    UploadSerializer,
    image_url,
    images_field,
)
from catalog.api.serializers.proposals import ProposalSerializer
from catalog.api.serializers.values import CurrentValuesField
from catalog.models import Product
from catalog.selectors import same_images_elsewhere
from core.api import SelectedFieldsSerializer, StrictSerializer
from vision.engine import formats


class ProductSummarySerializer(SelectedFieldsSerializer):
    """A product as lists show it; `proposal` and `images` only where `expand` names them."""

    expandable = frozenset(("proposal", "images"))

    id = serializers.CharField(source="public_id", help_text="Stable, in every address of the product.")
    name = serializers.CharField(help_text="What it is called; may be empty.")
    sku = serializers.CharField(allow_null=True, help_text="The merchant's own number; unique in any spelling.")
    status = serializers.ChoiceField(Product.Status.choices, help_text="Where it is on its way to the public.")
    top_category = serializers.CharField(
        source="top_category.code", allow_null=True, help_text="Top-level category of the chosen garment."
    )
    top_category_source = serializers.ChoiceField(
        Product.TopCategorySource.choices,
        allow_blank=True,
        help_text="Who chose it; `human` without a top-level category: somebody said that it is none of them.",
    )
    version = serializers.IntegerField(help_text="Rises with every change; the ETag has it.")
    created_at = serializers.DateTimeField(help_text="When it was created.")
    updated_at = serializers.DateTimeField(help_text="When it was last changed.")
    published_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is public.")
    archived_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is put away.")
    attributes = CurrentValuesField(help_text="What holds now, by the attribute's code.")
    image_count = serializers.SerializerMethodField(help_text="How many images it has.")
    failed_images = serializers.IntegerField(help_text="How many of them could not be classified.")
    thumbnail = serializers.SerializerMethodField(help_text="Where the first image's small copy is.")
    proposal = ProposalSerializer(
        source="proposal.candidates", many=True, help_text="What the models say, the most probable garment first."
    )
    images = ImageSerializer(source="current_images", many=True, help_text="Its images in their order.")

    def get_image_count(self, product: Any) -> int:
        """How many there are."""
        return len(product.current_images)

    def get_thumbnail(self, product: Any) -> str | None:
        """Return the first image's."""
        images = product.current_images
        return image_url(self.context["request"], images[0], "thumbnail") if images else None


class ProductSerializer(ProductSummarySerializer):
    """A product with all that is known of it."""

    expandable = frozenset()

    same_images_in = serializers.SerializerMethodField(help_text="Other products that have images of this one.")

    @extend_schema_field(SameImagesSerializer(many=True))
    def get_same_images_in(self, product: Any) -> list[dict[str, Any]]:
        """Return the first five, those with most in common first."""
        same = same_images_elsewhere(product, product.current_images)
        return [dict(SameImagesSerializer(other).data) for other in same]


class CreatedProductSerializer(ProductSerializer):
    """The new product, and what became of each image that was sent along."""

    uploads = UploadSerializer(many=True, help_text="One entry per file, in the order of the form.")
    fetches = FetchSerializer(many=True, help_text="What is fetched by URL: `image_urls` of the request.")


class NewProductSerializer(StrictSerializer):
    """A new product. Lengths and characters are judged where products are written."""

    name = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="At most 200 characters; may be empty."
    )
    sku = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        default=None,
        help_text="At most 64 characters.",
    )
    image_urls = UrlsField(required=False, default=list)


class NewProductFormSerializer(NewProductSerializer):
    """A new product with its images: the field `images`, repeated."""

    images = images_field(f"{formats.LISTED}.")
    image_urls = None  # type: ignore[assignment]  # in JSON only: a form has the images themselves


class ProductChangeSerializer(StrictSerializer):
    """What shall change; what is not named stays."""

    name = serializers.CharField(required=False, allow_blank=True, help_text="At most 200 characters.")
    sku = serializers.CharField(required=False, allow_blank=True, allow_null=True, help_text="null takes it away.")
    top_category = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Code of the top-level category of the garment that is the product; null: none of those found.",
    )


class PublishSerializer(StrictSerializer):
    """How to publish; the body may be left out."""

    while_classifying = serializers.BooleanField(
        default=False,
        help_text="Publish though images are still being looked at; what is found in them no longer counts.",
    )
