"""The one shape in which the API shows a value, and what it takes as a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.channels import Channel
from catalog.api.serializers.base import FractionField, NamesSerializer
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute
from catalog.proposal import ProposedValue
from catalog.selectors import values_of
from catalog.shown_values import SOURCES, ShownValue
from core.api import StrictSerializer


class ValueSerializer(serializers.Serializer[Any]):
    """A value, and who says it. Attributes of products, proposals and predictions all have this shape."""

    value = serializers.CharField(allow_null=True, help_text="The value's code; null where there is none.")
    # The metaclass takes declared fields off the class, so they do not hide the framework's own attributes.
    label = NamesSerializer(allow_null=True, help_text="What people call it.")  # type: ignore[assignment]  # fields have one of their own
    state = serializers.ChoiceField(
        ProductAttribute.State.choices,
        help_text="`proposed` by models, `auto`-accepted, `decided`, `not_applicable`, or `unset`.",
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]  # as above
        SOURCES,
        allow_null=True,
        help_text="Who says it; null where nobody does. A key's decision is not called a person's.",
    )
    channel = serializers.ChoiceField(
        Channel.choices, allow_null=True, help_text="Where it was decided; null where nobody has."
    )
    confidence = FractionField(allow_null=True, help_text="Of the model, from 0 to 1, while nobody has decided.")
    decided_by = serializers.CharField(allow_null=True, help_text="The person's or the key's name.")
    decided_at = serializers.DateTimeField(allow_null=True, help_text="When it was decided.")
    model = serializers.CharField(allow_null=True, help_text="The model version that says it, until somebody decides.")


class CurrentValuesField(serializers.DictField):
    """The current value of every active attribute by code, also of those that nothing is known of yet."""

    child = ValueSerializer()

    def get_attribute(self, instance: Product) -> dict[str, ShownValue]:
        """Return the values; the view puts the active attributes into the context, to read them once a request."""
        known = values_of(instance)
        attributes: list[Attribute] = self.context["attributes"]
        return {
            attribute.code: ShownValue.of_current(
                known.get(attribute.code) or ProductAttribute(product=instance, attribute=attribute)
            )
            for attribute in attributes
        }


class Labels:
    """What values are called, for those that are stored as codes; read once, when the first one is asked for."""

    @cached_property
    def _values(self) -> Mapping[tuple[str, str], AttributeValue]:
        values = AttributeValue.objects.select_related("attribute")
        return {(value.attribute.code, value.code): value for value in values}

    def of(self, attribute: str, code: str) -> AttributeValue | None:
        """Return the value of that code; None if it was deleted since."""
        return self._values.get((attribute, code))


@dataclass(frozen=True, slots=True)
class ShownAlternative:
    """Another value that a model considered."""

    value: str
    label: AttributeValue | None
    confidence: float


@dataclass(frozen=True, slots=True)
class ShownProposal:
    """What a model says, with how it was measured and what else it considered."""

    said: ShownValue
    calibrated: bool
    alternatives: list[ShownAlternative]

    @classmethod
    def of(cls, attribute: str, proposed: ProposedValue, labels: Labels) -> ShownProposal:
        """Return what is proposed for one attribute of a product."""
        label = labels.of(attribute, proposed.value)
        return cls(
            said=ShownValue.of_model(proposed.value, label, proposed.confidence, proposed.model),
            calibrated=proposed.calibrated,
            alternatives=[
                ShownAlternative(other.value, labels.of(attribute, other.value), other.confidence)
                for other in proposed.alternatives
            ],
        )

    @classmethod
    def of_prediction(cls, prediction: Any, labels: Labels) -> ShownProposal:
        """Return what one model said of one garment; `prediction` is the classifier's row."""
        attribute = prediction.attribute.code
        return cls(
            said=ShownValue.of_model(
                prediction.value.code, prediction.value, prediction.confidence, prediction.model_version.name
            ),
            calibrated=prediction.calibrated,
            alternatives=[
                ShownAlternative(other["value"], labels.of(attribute, other["value"]), other["confidence"])
                for other in prediction.alternatives
            ],
        )


class AlternativeSerializer(serializers.Serializer[Any]):
    """Another value that the model considered."""

    value = serializers.CharField(help_text="Its code.")
    label = NamesSerializer(allow_null=True, help_text="What people call it.")  # type: ignore[assignment]  # as above
    confidence = FractionField(help_text="From 0 to 1.")


class ProposedValueSerializer(ValueSerializer):
    """A value as a model says it, and what else it considered."""

    calibrated = serializers.BooleanField(help_text="Whether the confidence is a measured probability.")
    alternatives = AlternativeSerializer(many=True, help_text="Other values, the most probable first.")

    def to_representation(self, instance: ShownProposal) -> dict[str, Any]:
        """Show the value, and the rest beside it."""
        return {
            **ValueSerializer(instance.said).data,
            "calibrated": instance.calibrated,
            "alternatives": AlternativeSerializer(instance.alternatives, many=True).data,
        }


class DecisionSerializer(ValueSerializer):
    """One decision of a product's history: the value as it was decided, and why."""

    attribute = serializers.CharField(help_text="Code of the attribute.")
    kind = serializers.ChoiceField(
        Decision.Kind.choices,
        help_text="`open`: left open on purpose; `withdrawn`: the one before was taken back.",
    )
    reason = serializers.CharField(allow_blank=True, help_text="Why, in the words of who decided.")

    def to_representation(self, instance: Decision) -> dict[str, Any]:
        """Show the value in its one shape, and the rest beside it."""
        return {
            "attribute": instance.attribute.code,
            "kind": instance.kind,
            **ValueSerializer(ShownValue.of_decision(instance)).data,
            "reason": instance.reason,
        }


class DecidedSerializer(StrictSerializer):
    """Either a value's code, or that the product has no such attribute."""

    value = serializers.CharField(required=False, max_length=40, help_text="Code of the value.")
    not_applicable = serializers.BooleanField(required=False, help_text="true: the product has no such attribute.")
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=300, help_text="Why; the history keeps it."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Demand exactly one answer.

        Raises:
            ValidationError: `one_answer`.
        """
        if ("value" in attrs) == bool(attrs.get("not_applicable")):
            raise serializers.ValidationError(_("Send either a value or “not_applicable”: true."), code="one_answer")
        return attrs
