"""The shapes in which the API shows what models say."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.serializers.base import FractionField
from catalog.api.serializers.values import ProposedValueSerializer, ShownProposal
from catalog.proposal import Candidate, ReasonCode


class ReasonSerializer(serializers.Serializer[Any]):
    """Something that speaks for a garment being the product, or, as `name_differs`, against it."""

    code = serializers.ChoiceField([code.value for code in ReasonCode], help_text="What it is.")
    images = serializers.IntegerField(help_text="How many images speak for it, …")
    total = serializers.IntegerField(help_text="… of how many that show a garment; both are 0 where it is the name.")
    word = serializers.CharField(allow_blank=True, help_text="The word in the name or SKU, where it is one.")


class ProposedValuesField(serializers.DictField):
    """What is proposed of one garment, by the attribute's code."""

    child = ProposedValueSerializer()

    def get_attribute(self, instance: Candidate) -> dict[str, ShownProposal]:
        """Return the values; the view puts `labels` into the context."""
        labels = self.context["labels"]
        return {code: ShownProposal.of(code, value, labels) for code, value in instance.attributes.items()}


class ProposalSerializer(serializers.Serializer[Any]):
    """What the models say of one garment of the images, over all of them."""

    top_category = serializers.CharField(help_text="Code of the garment's top-level category.")
    confidence = FractionField(help_text="How probable it is that the product is this garment.")
    images = serializers.IntegerField(help_text="How many images show it, …")
    total = serializers.IntegerField(help_text="… of how many.")
    reasons = ReasonSerializer(many=True, help_text="Why it is as probable as it is.")
    attributes = ProposedValuesField(help_text="What is proposed, by the attribute's code.")


class PredictionsField(serializers.DictField):
    """A garment's predictions by the attribute's code."""

    child = ProposedValueSerializer()

    def get_attribute(self, instance: Any) -> dict[str, ShownProposal]:
        """Return the garment's rows; the view puts `labels` into the context."""
        labels = self.context["labels"]
        return {
            prediction.attribute.code: ShownProposal.of_prediction(prediction, labels)
            for prediction in instance.predictions.all()
        }
