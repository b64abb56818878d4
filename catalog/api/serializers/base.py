"""What the shapes of several resources share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class FractionField(serializers.FloatField):
    """A number from 0 to 1 in four digits: the rest of a network's 32 bits says nothing."""

    def to_representation(self, value: Any) -> Any:
        """Return the number with four digits."""
        return round(float(value), 4)


class NamesSerializer(serializers.Serializer[Any]):
    """A name in both languages."""

    ko = serializers.CharField(source="name_ko", help_text="Korean.")
    en = serializers.CharField(source="name_en", help_text="English.")
