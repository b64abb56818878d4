"""The shapes in which the API shows and takes products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute, ProductImage
from catalog.selectors import values_of
from core.api import ErrorBodySerializer, StrictSerializer


class FractionField(serializers.FloatField):
    """A number from 0 to 1 in four digits: the rest of a network's 32 bits says nothing."""

    def to_representation(self, value: Any) -> Any:
        """Round."""
        return round(float(value), 4)


class NamesSerializer(serializers.Serializer[Any]):
    """A name in both languages."""

    ko = serializers.CharField(source="name_ko")
    en = serializers.CharField(source="name_en")


class ValueSerializer(serializers.Serializer[AttributeValue]):
    """A value as products show it; `parent` is a category's top-level category."""

    code = serializers.CharField()
    name = NamesSerializer(source="*")
    # The metaclass takes declared fields off the class, so they do not hide the framework's own attributes.
    parent = serializers.CharField(source="parent.code", allow_null=True)  # type: ignore[assignment]


class TaxonomyValueSerializer(ValueSerializer):
    """A value as the taxonomy lists it. Only leaves can be decided: a top-level category is not one."""

    active = serializers.BooleanField(help_text="Whether it can still be chosen.")
    merged_into = serializers.CharField(source="merged_into.code", allow_null=True)


class AttributeSerializer(serializers.Serializer[Any]):
    """An attribute with all its values."""

    code = serializers.CharField()
    name = NamesSerializer(source="*")
    applies_to = serializers.SerializerMethodField(help_text="Top-level categories that have it; none named means all.")
    values = TaxonomyValueSerializer(many=True)

    def get_applies_to(self, attribute: Attribute) -> list[str]:
        """Return the codes."""
        return [level.code for level in attribute.applies_to.all()]


class DecisionSerializer(serializers.Serializer[Decision]):
    """Who decided a value, when, and through which door."""

    by = serializers.CharField(source="actor_name", help_text="The person's or the key's name.")
    source = serializers.ChoiceField(Decision.Source.choices)  # type: ignore[assignment]
    channel = serializers.CharField()
    at = serializers.DateTimeField(source="created_at")


class CurrentValueSerializer(serializers.Serializer[ProductAttribute]):
    """What holds for one attribute of a product now."""

    name = NamesSerializer(source="attribute")
    state = serializers.ChoiceField(ProductAttribute.State.choices)
    value = ValueSerializer(allow_null=True)
    confidence = FractionField(allow_null=True, help_text="Of the model, while no person has decided.")
    decision = DecisionSerializer(allow_null=True)


class CurrentValuesField(serializers.DictField):
    """The current value of every active attribute by code, also of those that nothing is known of yet."""

    child = CurrentValueSerializer()

    def get_attribute(self, instance: Product) -> dict[str, ProductAttribute]:
        """Return the rows; the view puts the active attributes into the context, to read them once a request."""
        known = values_of(instance)
        attributes: list[Attribute] = self.context["attributes"]
        return {
            attribute.code: known.get(attribute.code) or ProductAttribute(product=instance, attribute=attribute)
            for attribute in attributes
        }


class AlternativeSerializer(serializers.Serializer[Any]):
    """Another value that the model considered."""

    value = serializers.CharField()
    confidence = FractionField()


class ProposedSerializer(AlternativeSerializer):
    """A value's code as a model proposes it."""

    calibrated = serializers.BooleanField(help_text="Whether the confidence is a measured probability.")
    alternatives = AlternativeSerializer(many=True)
    model = serializers.CharField()


class ProposalSerializer(serializers.Serializer[Any]):
    """What the models say of one garment of the images, over all of them."""

    top_category = serializers.CharField()
    confidence = FractionField()
    images = serializers.IntegerField(help_text="How many images show it, …")
    total = serializers.IntegerField(help_text="… of how many.")
    attributes = serializers.DictField(child=ProposedSerializer())


class PredictionSerializer(ProposedSerializer):
    """What one model said of one garment."""

    value = serializers.CharField(source="value.code")
    model = serializers.CharField(source="model_version.name")


class PredictionsField(serializers.DictField):
    """A garment's predictions by the attribute's code."""

    child = PredictionSerializer()

    def get_attribute(self, instance: Any) -> dict[str, Any]:
        """Return the garment's rows."""
        return {prediction.attribute.code: prediction for prediction in instance.predictions.all()}


class GarmentSerializer(serializers.Serializer[Any]):
    """A garment in an image. The box is [x1, y1, x2, y2] in fractions of the upright image."""

    box = serializers.SerializerMethodField()
    confidence = FractionField(allow_null=True)
    attributes = PredictionsField()

    @extend_schema_field(serializers.ListField(child=FractionField(), min_length=4, max_length=4))
    def get_box(self, garment: Any) -> list[float]:
        """Return the corners."""
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
        """An upright copy of at most 1600 pixels."""
        return self._url(image, "display")

    def get_thumbnail(self, image: ProductImage) -> str:
        """A copy of at most 400 pixels."""
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
    garments = GarmentSerializer(source="current_classification.garments.all", many=True, default=list)

    @extend_schema_field(ClassificationSerializer(allow_null=True))
    def get_classification(self, image: ProductImage) -> dict[str, Any] | None:
        """Return the last job; the view puts them into the context by the image's id."""
        job = self.context["jobs"].get(image.pk)
        return dict(ClassificationSerializer(job).data) if job is not None else None


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


class UploadSerializer(serializers.Serializer[Any]):
    """What became of one file: the stored image, or why it was turned away."""

    name = serializers.CharField()
    image = ImageSerializer(allow_null=True)
    error = ErrorBodySerializer(source="refusal", allow_null=True)


class UploadsSerializer(serializers.Serializer[Any]):
    """One entry a file, in the order of the form."""

    uploads = UploadSerializer(many=True)


class RefusedUploadsSerializer(UploadsSerializer):
    """No file was stored: `error` says why in one code if all share it, else `nothing_stored`."""

    error = ErrorBodySerializer()


class CreatedProductSerializer(ProductSerializer):
    """The new product, and what became of each image that was sent along."""

    uploads = UploadSerializer(many=True)


def _images(help_text: str) -> serializers.ListField:
    # Empty files are let through to upload validation for images, which refuses them by name and keeps the others.
    return serializers.ListField(
        child=serializers.FileField(allow_empty_file=True), required=False, default=list, help_text=help_text
    )


class NewProductSerializer(StrictSerializer):
    """A new product. Lengths and characters are judged where products are written."""

    name = serializers.CharField(required=False, allow_blank=True, default="")
    sku = serializers.CharField(required=False, allow_blank=True, allow_null=True, default=None)


class NewProductFormSerializer(NewProductSerializer):
    """A new product with its images: the field `images`, repeated."""

    images = _images("JPEG, PNG or WebP.")


class ProductChangeSerializer(StrictSerializer):
    """What shall change; what is not named stays."""

    name = serializers.CharField(required=False, allow_blank=True)
    sku = serializers.CharField(required=False, allow_blank=True, allow_null=True, help_text="null takes it away.")
    top_category = serializers.CharField(
        required=False, help_text="Code of the top-level category of the garment that is the product."
    )


class NewImagesSerializer(StrictSerializer):
    """The field `images`, repeated."""

    images = _images("JPEG, PNG or WebP.")


class DecidedSerializer(StrictSerializer):
    """Either a value's code, or that the product has no such attribute."""

    value = serializers.CharField(required=False)
    not_applicable = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Demand exactly one answer.

        Raises:
            ValidationError: `one_answer`.
        """
        if ("value" in attrs) == bool(attrs.get("not_applicable")):
            raise serializers.ValidationError(_("Send either a value or “not_applicable”: true."), code="one_answer")
        return attrs


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


def error_of_uploads(refusals: Mapping[str, str]) -> tuple[str, str]:
    """Return code and sentence for an upload of which nothing was kept, from the refusals' sentences by code."""
    if len(refusals) == 1:
        return next(iter(refusals.items()))
    return "nothing_stored", str(_("None of the photos was stored. Each one says why."))
