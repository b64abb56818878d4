"""The shapes in which the API shows what models say."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.serializers.base import FractionField


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
