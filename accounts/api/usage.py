"""The API's endpoint for what a caller may do, how often, and how much of the day's quota is used."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import api_rates
from accounts.api import problem_types as problem_types  # registers the codes that `refusals` names
from accounts.authentication import actor_of
from accounts.models import ApiKey, Scope, Usage
from accounts.services import usage
from core.api import refusals
from core.errors import Forbidden
from core.rates import Taken

_DAYS = 31


class UsedKeySerializer(serializers.Serializer[ApiKey]):
    """The key that the call was made with."""

    name = serializers.CharField(help_text="Shown beside everything that the key decides.")
    prefix = serializers.CharField(help_text="The part of the key that is not secret.")
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices), help_text="What the key may do.")
    expires_at = serializers.DateTimeField(help_text="From when on it opens nothing; null for never.", allow_null=True)
    old_secret_until = serializers.DateTimeField(
        help_text="Until when the secret from before the last rotation is good too; null if it is not.", allow_null=True
    )


class QuotaSerializer(serializers.Serializer[Any]):
    """How much of something came in today, and how much may."""

    used = serializers.IntegerField(help_text="What was stored since the day began.")
    limit = serializers.IntegerField(help_text="How much may come on one day; null for no limit.", allow_null=True)
    remaining = serializers.IntegerField(help_text="How much may still come today; null for no limit.", allow_null=True)


class RateSerializer(serializers.Serializer[Taken]):
    """How many calls may come; the headers RateLimit-Policy and RateLimit of every answer say the same."""

    name = serializers.CharField(source="rate.name", help_text="`caller` (this key or person) or `merchant` (all).")
    limit = serializers.IntegerField(source="rate.limit", help_text="Calls in every stretch of time.")
    seconds = serializers.IntegerField(source="rate.seconds", help_text="How long a stretch is.")
    remaining = serializers.IntegerField(help_text="How many may still come in this stretch.")
    reset = serializers.IntegerField(help_text="Seconds until the next stretch begins.")


class DaySerializer(serializers.Serializer[Usage]):
    """What came in on one day."""

    day = serializers.DateField(help_text="In the site's time zone.")
    images = serializers.IntegerField(help_text="Photos that were stored, or classified without storing.")
    bytes = serializers.IntegerField(help_text="Their bytes.")


class UsageSerializer(serializers.Serializer[Any]):
    """What a caller may do, how often, and how much of the day's quota is used."""

    key = UsedKeySerializer(allow_null=True, help_text="Null for a person who is logged in.")
    day = serializers.DateField(help_text="The day that counts now, in the site's time zone.")
    resets_at = serializers.DateTimeField(help_text="When the day is over, and the quota is whole again.")
    images = QuotaSerializer(help_text="Photos.")
    bytes = QuotaSerializer(help_text="Their bytes.")
    rates = RateSerializer(many=True, help_text="How often the API may be called.")
    days = DaySerializer(many=True, help_text="The last 31 days on which something came in, newest first.")


def _quota(used: int, limit: int | None) -> dict[str, int | None]:
    return {"used": used, "limit": limit, "remaining": None if limit is None else max(limit - used, 0)}


_EXAMPLE = OpenApiExample(
    "A key in the morning",
    value={
        "key": {
            "name": "till",
            "prefix": "otj_240bd6",
            "scopes": ["read", "write"],
            "expires_at": None,
            "old_secret_until": None,
        },
        "day": "2026-11-27",
        "resets_at": "2026-11-28T00:00:00+09:00",
        "images": {"used": 120, "limit": 100000, "remaining": 99880},
        "bytes": {"used": 84000000, "limit": 214748364800, "remaining": 214664364800},
        "rates": [
            {"name": "caller", "limit": 1200, "seconds": 60, "remaining": 1199, "reset": 42},
            {"name": "merchant", "limit": 6000, "seconds": 60, "remaining": 5999, "reset": 42},
        ],
        "days": [{"day": "2026-11-27", "images": 120, "bytes": 84000000}],
    },
    response_only=True,
    status_codes=["200"],
)


class UsageView(APIView):
    """The caller's limits."""

    @extend_schema(
        operation_id="usage_read",
        responses={200: UsageSerializer, **refusals("api_key_expired", "insufficient_scope", "no_merchant")},
        examples=[_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """Read what the key may do, how many calls may come, and how much of the merchant's day is used."""
        actor = actor_of(request)
        if actor.merchant is None:
            raise Forbidden("no_merchant", _("You belong to no shop."))
        day = usage.today()
        days = list(Usage.objects.filter(merchant=actor.merchant, day__gt=day - timedelta(days=_DAYS)))
        now = next((one for one in days if one.day == day), Usage(day=day))
        quota = usage.quota_of(actor.merchant)
        body = {
            "key": actor.api_key,
            "day": day,
            "resets_at": usage.ends_at(day),
            "images": _quota(now.images, quota.images),
            "bytes": _quota(now.bytes, quota.bytes),
            "rates": api_rates.taken_of(request._request),
            "days": days,
        }
        return Response(UsageSerializer(body).data)
