"""The shapes in which the API shows what models say."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.serializers.base import FractionField
from catalog.proposal import ReasonCode


class AlternativeSerializer(serializers.Serializer[Any]):
    """Another value that the model considered."""

    value = serializers.CharField()
    confidence = FractionField()


class ProposedSerializer(AlternativeSerializer):
    """A value's code as a model proposes it."""

    calibrated = serializers.BooleanField(help_text="Whether the confidence is a measured probability.")
    alternatives = AlternativeSerializer(many=True)
    model = serializers.CharField()


class ReasonSerializer(serializers.Serializer[Any]):
    """Something that speaks for a garment being the product, or, as `name_differs`, against it."""

    code = serializers.ChoiceField([code.value for code in ReasonCode])
    images = serializers.IntegerField(help_text="How many images speak for it, …")
    total = serializers.IntegerField(help_text="… of how many that show a garment; both are 0 where it is the name.")
    word = serializers.CharField(allow_blank=True, help_text="The word in the name or SKU, where it is one.")


class ProposalSerializer(serializers.Serializer[Any]):
    """What the models say of one garment of the images, over all of them."""

    top_category = serializers.CharField()
    confidence = FractionField(help_text="How probable it is that the product is this garment.")
    images = serializers.IntegerField(help_text="How many images show it, …")
    total = serializers.IntegerField(help_text="… of how many.")
    reasons = ReasonSerializer(many=True, help_text="Why it is as probable as it is.")
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
