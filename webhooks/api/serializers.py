"""What the API says of webhooks, and what it takes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api import StrictSerializer
from core.outgoing import MOST_CHARACTERS
from webhooks.api.examples import DELIVERY, ENDPOINT, SECRET, shown
from webhooks.delivery import body_of
from webhooks.models import SUBSCRIBABLE_CHOICES, Delivery, Endpoint, EventType
from webhooks.services import DESCRIPTION_LENGTH, MOST_OVERLAP_HOURS, OVERLAP_HOURS

_EVENTS_HELP = "What it is told of; an empty list means everything, also what is added later."


@extend_schema_serializer(examples=shown(ENDPOINT))
class EndpointSerializer(serializers.Serializer[Any]):
    """An address of yours that events are sent to."""

    id = serializers.CharField(source="public_id", help_text="Stable; part of the webhook's address.")
    url = serializers.CharField(help_text="Where events are sent to, by POST.")
    description = serializers.CharField(help_text="For people; empty if there is none.")
    events = serializers.ListField(
        child=serializers.ChoiceField(SUBSCRIBABLE_CHOICES), source="types", help_text=_EVENTS_HELP
    )
    active = serializers.BooleanField(source="is_active", help_text="Whether anything is sent to it.")
    off_reason = serializers.ChoiceField(
        Endpoint.OffReason.choices,
        help_text="Why it is off: `person`, `failing` for days, `gone` (it answered 410); empty while it is on.",
    )
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when it has taken nothing; null if the last call went well."
    )
    last_delivered_at = serializers.DateTimeField(allow_null=True, help_text="When it last took something.")
    previous_secret_until = serializers.DateTimeField(
        source="previous_until", allow_null=True, help_text="Until when the secret before the last rotation signs, too."
    )
    created_at = serializers.DateTimeField(help_text="When it was added.")


@extend_schema_serializer(examples=shown(ENDPOINT, secret=SECRET))
class EndpointWithSecretSerializer(EndpointSerializer):
    """A webhook with its secret, which is shown only now: those who receive events check their signatures with it."""

    secret = serializers.CharField(help_text="`whsec_…`, as libraries of Standard Webhooks take it. Keep it.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "published products",
            value={"url": "https://shop.example/otjang", "description": "till", "events": ["product.published"]},
            request_only=True,
        )
    ]
)
class NewEndpointSerializer(StrictSerializer):
    """A webhook to add."""

    url = serializers.CharField(
        max_length=MOST_CHARACTERS, help_text="https:// or http://, in a network that is public."
    )
    description = serializers.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, default="", allow_blank=True, help_text="For people."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(SUBSCRIBABLE_CHOICES),
        required=False,
        default=list,
        max_length=len(SUBSCRIBABLE_CHOICES),
        help_text=_EVENTS_HELP,
    )


@extend_schema_serializer(examples=[OpenApiExample("switch on again", value={"active": True}, request_only=True)])
class EndpointChangeSerializer(StrictSerializer):
    """What to change of a webhook; what is left out stays."""

    url = serializers.CharField(max_length=MOST_CHARACTERS, required=False, help_text="Another address.")
    description = serializers.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, allow_blank=True, help_text="Another description."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(SUBSCRIBABLE_CHOICES),
        required=False,
        max_length=len(SUBSCRIBABLE_CHOICES),
        help_text=_EVENTS_HELP,
    )
    active = serializers.BooleanField(
        required=False, help_text="False: nothing is sent any more, and what waits is given up. True: from now on."
    )


@extend_schema_serializer(examples=[OpenApiExample("two days", value={"overlap_hours": 48}, request_only=True)])
class RotationSerializer(StrictSerializer):
    """For how long both secrets sign."""

    overlap_hours = serializers.IntegerField(
        required=False,
        default=OVERLAP_HOURS,
        min_value=0,
        max_value=MOST_OVERLAP_HOURS,
        help_text="For how long the secret before signs, too; 0: no longer.",
    )


class EventSerializer(serializers.Serializer[Any]):
    """What happened."""

    id = serializers.CharField(source="message_id", help_text="The header `webhook-id`: the same for all attempts.")
    type = serializers.ChoiceField(EventType.choices, help_text="What happened.")
    created_at = serializers.DateTimeField(help_text="When it happened.")


class _WrittenTimeField(serializers.DateTimeField):
    """A time that is kept as text, shown in the time zone of all the others."""

    def to_representation(self, value: Any) -> str:
        """Return it as the API writes times."""
        return str(super().to_representation(datetime.fromisoformat(value)))


class AnswerSerializer(serializers.Serializer[Any]):
    """What came of one attempt."""

    at = _WrittenTimeField(help_text="When the answer came.")
    status = serializers.IntegerField(allow_null=True, help_text="The HTTP status; null if there was no answer.")
    error = serializers.CharField(help_text="Why there was no answer, such as `timed_out`; else empty.")
    milliseconds = serializers.IntegerField(help_text="How long the call took.")
    body = serializers.CharField(help_text="How the answer began.")


@extend_schema_serializer(examples=shown(DELIVERY))
class DeliverySerializer(serializers.Serializer[Any]):
    """That a webhook is told of an event."""

    id = serializers.CharField(source="public_id", help_text="Stable; part of the delivery's address.")
    event = EventSerializer(help_text="What it is told.")
    product = serializers.CharField(source="subject", help_text="Id of the product that it is about; empty for none.")
    state = serializers.ChoiceField(
        Delivery.State.choices, help_text="`pending`: it is or will be tried; `delivered`; `failed`: given up."
    )
    attempts = serializers.IntegerField(help_text="How often it was tried, since the last replay.")
    next_attempt_at = serializers.SerializerMethodField(help_text="When it is tried again; null if it is not.")
    answers = AnswerSerializer(many=True, help_text="The last answers, oldest first.")
    created_at = serializers.DateTimeField(help_text="When it was written.")
    finished_at = serializers.DateTimeField(allow_null=True, help_text="When it was delivered or given up.")

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: Delivery) -> Any:
        """The time, while it waits."""
        if delivery.state != Delivery.State.PENDING:
            return None
        return serializers.DateTimeField().to_representation(delivery.next_at)


@extend_schema_serializer(examples=shown(DELIVERY, body={"type": "product.published"}))
class DeliveryWithBodySerializer(DeliverySerializer):
    """A delivery with what is sent."""

    body = serializers.SerializerMethodField(help_text="The JSON that is sent.")

    @extend_schema_field(serializers.DictField())
    def get_body(self, delivery: Delivery) -> Any:
        """What is sent, read back."""
        return json.loads(body_of(delivery))


class DeliveryQuerySerializer(StrictSerializer):
    """Which deliveries."""

    state = serializers.ChoiceField(Delivery.State.choices, required=False, help_text="Only those in this state.")
