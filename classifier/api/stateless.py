"""The API's endpoints for images that are looked at without being stored."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import actor_of
from accounts.idempotent_views import Forgotten
from catalog.api.serializers.images import images_field
from classifier import stateless
from classifier.api.waits import (
    COME_AGAIN,
    LOCATION,
    PREFER,
    RETRY_AFTER,
    WaitQuerySerializer,
    header_of,
    preferred_wait,
    wait_of,
)
from classifier.models import ClassifyRequest
from core.api import ErrorBodySerializer, ProblemType, StrictSerializer, body_of, refusals, register
from core.multipart import FormParser

register(
    ProblemType("too_many_waiting", 429, _("As many requests of the shop wait for a worker as may wait at a time.")),
)

STATES = ("queued", "running", "done", "failed")

_VALUE_AND_CONFIDENCE = {
    "type": "object",
    "required": ["value", "confidence"],
    "properties": {
        "value": {"type": "string", "description": "Code of the value."},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1, "description": "From 0 to 1."},
    },
}
_ATTRIBUTE = {
    "type": ["object", "null"],
    "description": "What was said of an attribute; null where it does not apply, cannot be seen, or nothing was said.",
    "required": ["value", "confidence", "alternatives"],
    "properties": {
        **_VALUE_AND_CONFIDENCE["properties"],  # type: ignore[dict-item]  # a literal
        "parent": {"type": "string", "description": "Code of the value's group, where it has one."},
        "alternatives": {
            "type": "array",
            "items": _VALUE_AND_CONFIDENCE,
            "description": "Other values, the most probable first.",
        },
        "calibrated": {"type": "boolean", "description": "Only there as false: the confidence was not measured."},
    },
}
_GARMENT = {
    "type": "object",
    "required": ["box"],
    "properties": {
        "box": {
            "type": "array",
            "items": {"type": "number"},
            "minItems": 4,
            "maxItems": 4,
            "description": "x1, y1, x2, y2 in fractions of the upright image.",
        },
        "top_category": _VALUE_AND_CONFIDENCE | {"description": "What kind of garment it is; with some models only."},
        "hidden": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Codes of attributes that the image does not show; only there if there are any.",
        },
    },
    "additionalProperties": _ATTRIBUTE,
    "description": "A garment. Beside these fields it has one for each attribute, by its code.",
}

FOUND = {
    "file": "front.jpg",
    "width": 1200,
    "height": 1600,
    "garments": [
        {
            "box": [0.0468, 0.2147, 0.9129, 0.7386],
            "top_category": {"value": "Outer", "confidence": 0.9712},
            "category": {
                "value": "Jacket",
                "parent": "Outer",
                "confidence": 0.9131,
                "alternatives": [{"value": "Zipup", "confidence": 0.0137}],
            },
            "material": {"value": "denim", "confidence": 0.9644, "alternatives": []},
            "sleeve_length": None,
            "hidden": ["sleeve_length"],
        }
    ],
    "models": {"garment": "garment-2026.11", "category": "category-2026.11"},
    "error": None,
}
_DONE = {
    "id": "70pf28xnx4hv0vm239at",
    "state": "done",
    "progress": {"done": 1, "total": 1},
    "error": None,
    "results": [FOUND],
    "created_at": "2026-11-27T16:20:11.361494+09:00",
    "expires_at": "2026-11-27T16:29:41.361494+09:00",
}
_WAITING = _DONE | {"state": "queued", "progress": {"done": 0, "total": 1}, "results": None}


class ProgressSerializer(serializers.Serializer[Any]):
    """How far it is."""

    done = serializers.IntegerField(help_text="Images that were dealt with.")
    total = serializers.IntegerField(help_text="All images.")


class FileErrorSerializer(serializers.Serializer[Any]):
    """Why a file could not be looked at."""

    code = serializers.CharField(help_text="Stable, for programs: those of refused uploads.")
    message = serializers.CharField(help_text="A sentence in the language of Accept-Language.")


@extend_schema_field({"type": "array", "items": _GARMENT})  # marks the class, so it must be one of its own
class FoundGarmentsField(serializers.ListField):
    """The garments of one image."""


class FoundSerializer(serializers.Serializer[Any]):
    """What was found in one image: what `manage.py classify --format jsonl` writes as a line."""

    file = serializers.CharField(help_text="The name that the file came with.")
    width = serializers.IntegerField(allow_null=True, help_text="Pixels of the upright image.")
    height = serializers.IntegerField(allow_null=True, help_text="Pixels of the upright image.")
    garments = FoundGarmentsField(help_text="By falling confidence; empty where none was found.")
    models = serializers.DictField(child=serializers.CharField(), help_text="Names of the models that looked, by role.")
    error = FileErrorSerializer(allow_null=True, help_text="Why it could not be looked at; null where it was.")


class ClassifyRequestSerializer(serializers.Serializer[ClassifyRequest]):
    """Some images that are looked at and forgotten."""

    id = serializers.CharField(source="public_id", help_text="Of the request.")
    state = serializers.SerializerMethodField(help_text="Until it is `done` or `failed`, ask again.")
    progress = serializers.SerializerMethodField(help_text="How far it is.")
    error = serializers.SerializerMethodField(help_text="Why it failed, or waits longer.")
    results = serializers.SerializerMethodField(help_text="An entry for each file, in their order; null until `done`.")
    created_at = serializers.DateTimeField(help_text="When it came in.")
    expires_at = serializers.DateTimeField(help_text="When it is forgotten with its result.")

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_state(self, request: ClassifyRequest) -> str:
        """Return the state; what is being received waits as well."""
        known = request.state != ClassifyRequest.State.RECEIVING
        # Between two parts of it the request waits for its next turn: for its caller it runs.
        began = request.state == ClassifyRequest.State.QUEUED and request.started_at is not None
        return "running" if began else str(request.state) if known else "queued"

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, request: ClassifyRequest) -> dict[str, int]:
        """Return how many images were dealt with, of how many."""
        return {"done": request.done, "total": len(request.names)}

    @extend_schema_field(ErrorBodySerializer(allow_null=True))
    def get_error(self, request: ClassifyRequest) -> dict[str, str] | None:
        """Return the reason with its sentence."""
        code = request.error_code
        return {"code": code, "detail": str(request.get_error_code_display())} if code else None

    @extend_schema_field(FoundSerializer(many=True, allow_null=True))
    def get_results(self, request: ClassifyRequest) -> list[dict[str, Any]] | None:
        """Return what was found."""
        return stateless.results_of(request)


class ClassifyFormSerializer(StrictSerializer):
    """The field `images`, repeated."""

    images = images_field("JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF; at most 32 files and 100 MB.")


_EXAMPLES = [
    OpenApiExample("done", _DONE, response_only=True, status_codes=["200"]),
    OpenApiExample("waits", _WAITING, response_only=True, status_codes=["202"]),
]
_TIMES = header_of("Retry-After", COME_AGAIN, 200, 202, kind=OpenApiTypes.INT)


def _answer(request: ClassifyRequest, http_status: int, headers: dict[str, str]) -> Response:
    """Answer with how far it is. For an Idempotency-Key only the address is kept: a result is forgotten in time."""
    body = ClassifyRequestSerializer(request).data
    times = {} if request.has_ended else RETRY_AFTER
    begun = body | {
        "state": "queued",
        "progress": {"done": 0, "total": len(request.names)},
        "error": None,
        "results": None,
    }
    return Forgotten(
        body,
        http_status,
        headers={"Cache-Control": "no-store", **times, **headers},
        kept_as=Response(begun, status.HTTP_202_ACCEPTED, headers=headers),
    )


class ClassifyView(APIView):
    """Images that are looked at and forgotten."""

    parser_classes = (FormParser,)

    @extend_schema(
        operation_id="classify_create",
        parameters=[
            PREFER,
            header_of("Location", LOCATION, 200, 202),
            header_of("Preference-Applied", "Which wish of `Prefer` was followed.", 200, 202),
            _TIMES,
        ],
        request={"multipart/form-data": ClassifyFormSerializer},
        responses={
            200: OpenApiResponse(ClassifyRequestSerializer, description="It has ended."),
            202: OpenApiResponse(ClassifyRequestSerializer, description="It waits or runs; ask at Location."),
            **refusals(
                "no_images",
                "too_many_images",
                "upload_expired",
                "too_many_waiting",
                "image_quota_exceeded",
                "byte_quota_exceeded",
            ),
        },
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Say what is in some images without storing anything.

        A worker looks at them, ahead of bulk work. A file that cannot be looked at has its `error` in the results, and
        holds up no other. Files are deleted as soon as they were looked at; the result is forgotten after ten minutes,
        or when you delete it.
        """
        seconds, headers = preferred_wait(request)
        data = ClassifyFormSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        asked = stateless.ask(actor=actor_of(request), files=data.validated_data["images"])
        headers["Location"] = reverse("api:classify-request", args=(asked.public_id,))
        waited = stateless.wait_for(asked, seconds)
        if waited is None:
            raise Http404
        return _answer(waited, status.HTTP_200_OK if waited.has_ended else status.HTTP_202_ACCEPTED, headers)


class ClassifyRequestView(APIView):
    """One such request."""

    @extend_schema(
        operation_id="classify_read",
        parameters=[WaitQuerySerializer, _TIMES],
        responses={200: ClassifyRequestSerializer},
        examples=_EXAMPLES[:1],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Read how far it is, and its result once it is done. It is not found any more after `expires_at`."""
        seconds = wait_of(request)
        known = stateless.find(actor=actor_of(request), public_id=public_id)
        known = stateless.wait_for(known, seconds) if known is not None else None
        if known is None:
            raise Http404
        return _answer(known, status.HTTP_200_OK, {})

    @extend_schema(operation_id="classify_delete", responses={204: None})
    def delete(self, request: Request, public_id: str) -> Response:
        """Forget it at once, with its images and its result, whether it has ended or not."""
        if not stateless.forget(actor=actor_of(request), public_id=public_id):
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)
