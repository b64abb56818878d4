"""The shapes in which the API shows and takes the values of a product."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from catalog.api.serializers.base import FractionField, NamesSerializer
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute
from catalog.selectors import values_of
from core.api import StrictSerializer


class ValueSerializer(serializers.Serializer[AttributeValue]):
    """A value as products show it; `parent` is a category's top-level category."""

    code = serializers.CharField()
    name = NamesSerializer(source="*")
    # The metaclass takes declared fields off the class, so they do not hide the framework's own attributes.
    parent = serializers.CharField(source="parent.code", allow_null=True)  # type: ignore[assignment]  # a base attribute


class DecisionSerializer(serializers.Serializer[Decision]):
    """Who decided a value, when, and by which channel."""

    by = serializers.CharField(source="actor_name", help_text="The person's or the key's name.")
    source = serializers.ChoiceField(Decision.Source.choices)  # type: ignore[assignment]  # a base attribute
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
