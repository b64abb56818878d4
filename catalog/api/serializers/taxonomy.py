"""The shapes in which the API shows attributes and all their values."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.serializers.base import NamesSerializer
from catalog.api.serializers.values import ValueSerializer
from catalog.models import Attribute


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
        """Return the codes of those top-level categories."""
        return [level.code for level in attribute.applies_to.all()]
