"""The shapes in which the API shows attributes and all their values."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.serializers.base import NamesSerializer
from catalog.models import Attribute


class TaxonomyValueSerializer(serializers.Serializer[Any]):
    """A value as the taxonomy lists it. Only leaves can be decided: a top-level category is not one."""

    code = serializers.CharField(help_text="Stable, for programs.")
    # The metaclass takes declared fields off the class, so they do not hide the framework's own attributes.
    label = NamesSerializer(source="*", help_text="What people call it.")  # type: ignore[assignment]  # fields have one of their own
    parent = serializers.CharField(  # type: ignore[assignment]  # as above
        source="parent.code", allow_null=True, help_text="A category's top-level category."
    )
    active = serializers.BooleanField(help_text="Whether it can still be chosen.")
    merged_into = serializers.CharField(
        source="merged_into.code", allow_null=True, help_text="The value that it stands for today, where it was merged."
    )


class AttributeSerializer(serializers.Serializer[Any]):
    """An attribute with all its values."""

    code = serializers.CharField(help_text="Stable, for programs.")
    label = NamesSerializer(source="*", help_text="What people call it.")  # type: ignore[assignment]  # as above
    applies_to = serializers.SerializerMethodField(help_text="Top-level categories that have it; none named means all.")
    values = TaxonomyValueSerializer(many=True, help_text="In the order in which people choose from them.")

    def get_applies_to(self, attribute: Attribute) -> list[str]:
        """Return the codes of those top-level categories."""
        return [level.code for level in attribute.applies_to.all()]
