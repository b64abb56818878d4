"""How callers say how long they are willing to wait, and are told when to come again."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from core.api import StrictSerializer
from core.waiting import LONGEST

DEFAULT_WAIT = 10
"""Seconds that somebody waits who says nothing, where an answer is expected."""

RETRY_AFTER = {"Retry-After": "1"}
"""For answers about what has not ended yet."""

_PREFERENCE = re.compile(r'\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?', re.I)


class WaitQuerySerializer(StrictSerializer):
    """What an address may say about waiting."""

    wait = serializers.IntegerField(
        required=False,
        default=0,
        min_value=0,
        max_value=LONGEST,
        help_text=(
            "Seconds to wait until it has ended. If it has not ended then, or too many callers wait already, the "
            "answer says how far it is."
        ),
    )


def wait_of(request: Request, apart: Collection[str] = ()) -> int:
    """Return for how many seconds the address asks to wait; parameters that are named `apart` are others' to read.

    Raises:
        ValidationError: it says something else, too.
    """
    if request.query_params.get("wait") == "":  # which the framework takes for left out
        sentence = serializers.IntegerField.default_error_messages["invalid"]
        raise serializers.ValidationError({"wait": [sentence]}, "invalid")
    said = request.query_params.copy()
    for name in apart:
        said.pop(name, None)
    query = WaitQuerySerializer(data=said)
    query.is_valid(raise_exception=True)
    return int(query.validated_data["wait"])


def preferred_wait(request: Request) -> tuple[int, dict[str, str]]:
    """Return for how many seconds the header Prefer asks to wait, and the headers that say what became of it.

    What cannot be understood is left aside (RFC 7240), and so is what comes after the first wish.
    """
    for preference in request.META.get("HTTP_PREFER", "").split(","):
        if preference.partition(";")[0].strip().lower() == "respond-async":
            return 0, {"Preference-Applied": "respond-async"}
        if found := _PREFERENCE.fullmatch(preference):
            seconds = min(int(found[1]), LONGEST)
            return seconds, {"Preference-Applied": f"wait={seconds}"}
    return DEFAULT_WAIT, {}


PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description=(
        f"`wait=N`: how many seconds to wait for the result, at most {LONGEST}; {DEFAULT_WAIT} unless said otherwise. "
        "`respond-async`: do not wait."
    ),
)


def header_of(name: str, description: str, *statuses: int, kind: Any = OpenApiTypes.STR) -> OpenApiParameter:
    """Describe a header of answers."""
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, response=list(statuses), description=description)


LOCATION = "The address of what was begun."
COME_AGAIN = "Seconds after which to ask again; only while it has not ended."
