"""The shapes of many products at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from catalog.services.review import NOT_APPLICABLE, TAKE_BACK
from catalog.services.upserts import MOST, Outcome
from core.api import StrictSerializer
from core.api.problems import FieldErrorSerializer

_MOST_ATTRIBUTES = 100


class SaidValuesField(serializers.DictField):
    """Codes of values by the attribute's code."""

    child = serializers.CharField(allow_null=True, max_length=100)

    def to_internal_value(self, data: Any) -> Any:
        """Look at the values, unless there are so many that looking would take long. Raises ValidationError."""
        if isinstance(data, Mapping) and len(data) > _MOST_ATTRIBUTES:
            sentence = _("There are too many of them, or one is too long.")
            raise serializers.ValidationError(sentence, code="max_length")
        return super().to_internal_value(data)


class BulkLineSerializer(StrictSerializer):
    """What is said of one product. What is not named stays as it is. Its limits are judged line by line."""

    sku = serializers.CharField(allow_blank=True, help_text="By which the product is found, in any spelling.")
    name = serializers.CharField(required=False, allow_blank=True, help_text="Another name.")
    attributes = SaidValuesField(
        required=False,
        help_text="Codes of values by the attribute's code, to be decided; null takes a decision back.",
    )
    not_applicable = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=_MOST_ATTRIBUTES,
        help_text="Codes of attributes that the product does not have.",
    )

    def validate_attributes(self, attributes: dict[str, str | None]) -> dict[str, str | None]:
        """Refuse what services read as something else than a value's code.

        Raises:
            ValidationError: `unknown_value`.
        """
        if {NOT_APPLICABLE, TAKE_BACK} & set(attributes.values()):
            raise serializers.ValidationError(_("There is no such value. Choose one of the list."), "unknown_value")
        return attributes


class BulkSerializer(StrictSerializer):
    """Products to create or change, by their SKUs."""

    products = serializers.ListField(
        child=BulkLineSerializer(), min_length=1, max_length=MOST, help_text="A line for each product."
    )
    atomic = serializers.BooleanField(
        required=False, default=False, help_text="true: store all, or nothing where one line is refused."
    )


class BulkResultSerializer(serializers.Serializer[Any]):
    """What became of one line."""

    index = serializers.IntegerField(help_text="Its place in `products`, from 0.")
    sku = serializers.CharField(help_text="As it was sent.")
    status = serializers.ChoiceField([(outcome.value, outcome.value) for outcome in Outcome])
    id = serializers.CharField(allow_null=True, help_text="The product's; null where the line was refused.")
    # The metaclass takes declared fields off the class, so they do not hide the framework's own attributes.
    errors = FieldErrorSerializer(many=True, help_text="Why it was refused.")  # type: ignore[assignment]  # serializers have one of their own


class BulkResultsSerializer(serializers.Serializer[Any]):
    """What became of each line, and how many of each outcome there are."""

    created = serializers.IntegerField(help_text="Lines that created a product.")
    updated = serializers.IntegerField(help_text="Lines that changed one.")
    unchanged = serializers.IntegerField(help_text="Lines that said what is so already.")
    refused = serializers.IntegerField(help_text="Lines of which nothing was stored.")
    results = BulkResultSerializer(many=True, help_text="One for each line, in their order.")
