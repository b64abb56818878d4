"""The API's endpoints for models: which networks say what is in an image."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from classifier.models import ModelVersion
from core.api import (
    SELECTION_PARAMETERS,
    CursorPages,
    SelectedFieldsSerializer,
    StrictSerializer,
    refusals,
    selection_of,
    selection_parameters,
)

STATES = ("active", "retired")

_MODEL = {
    "id": 12,
    "role": "category",
    "name": "category-2026.11",
    "state": "active",
    "task": "classify",
    "calibrated": True,
    "values": ["Jacket", "Jeans", "Tshirt"],
    "metrics": {"accuracy": 0.913},
    "licence": "AGPL-3.0",
    "registered_at": "2026-11-20T09:12:44.120311+09:00",
}


class ModelSerializer(SelectedFieldsSerializer):
    """A model version: one network, and what it says. Predictions name it in `model`."""

    id = serializers.IntegerField(source="pk", help_text="Of the model version.")
    role = serializers.CharField(help_text="What it is for: `garment`, which finds garments, or an attribute's code.")
    name = serializers.CharField(help_text="As predictions name it.")
    state = serializers.ChoiceField(STATES, help_text="Whether it serves now, or has served.")
    task = serializers.ChoiceField(
        ModelVersion.Task.choices, help_text="`detect`: finds boxes; `classify`: looks at one garment."
    )
    calibrated = serializers.BooleanField(help_text="Whether its confidences are measured probabilities.")
    values = serializers.SerializerMethodField(help_text="Codes of the values that it can say.")
    metrics = serializers.SerializerMethodField(help_text="What was measured of it, by name.")
    licence = serializers.CharField(allow_blank=True, help_text="Of its weights.")
    registered_at = serializers.DateTimeField(source="created_at", help_text="When it came in.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_values(self, version: ModelVersion) -> list[str]:
        """Return what its classes stand for."""
        return sorted(set(version.mapping.values()))

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_metrics(self, version: ModelVersion) -> dict[str, Any]:
        """Return what was measured."""
        return dict(version.metrics)


class ModelQuerySerializer(StrictSerializer):
    """Which models to list."""

    role = serializers.CharField(required=False, help_text="Only those for this role.")
    state = serializers.ChoiceField(STATES, required=False, help_text="Only those in this state.")


def _models() -> QuerySet[ModelVersion]:
    """Those that serve or have served; candidates are the administrators' own."""
    return ModelVersion.objects.with_state().filter(state__in=STATES)  # type: ignore[misc]  # annotated


class ModelListView(APIView):
    """The models."""

    pagination_class = CursorPages
    page_order = ("-pk",)

    @extend_schema(
        operation_id="models_list",
        parameters=[ModelQuerySerializer, *selection_parameters(ModelSerializer)],
        responses={200: ModelSerializer(many=True), **refusals("unknown_field")},
        examples=[OpenApiExample("active", _MODEL, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request) -> Response:
        """List the models that serve or have served, the newest first."""
        pages = CursorPages()
        apart = pages.parameters | SELECTION_PARAMETERS
        said = {name: value for name, value in request.query_params.items() if name not in apart}
        query = ModelQuerySerializer(data=said)
        query.is_valid(raise_exception=True)
        page = pages.paginate_queryset(_models().filter(**query.validated_data), request, view=self)
        context = {"selection": selection_of(request, ModelSerializer)}
        return pages.get_paginated_response(ModelSerializer(page, many=True, context=context).data)


class ModelView(APIView):
    """One model."""

    @extend_schema(
        operation_id="models_read",
        parameters=selection_parameters(ModelSerializer),
        responses={200: ModelSerializer, **refusals("unknown_field")},
        examples=[OpenApiExample("active", _MODEL, response_only=True, status_codes=["200"])],
    )
    def get(self, request: Request, model_id: int) -> Response:
        """Read what a model is, and how good it was measured to be."""
        context = {"selection": selection_of(request, ModelSerializer)}
        return Response(ModelSerializer(get_object_or_404(_models(), pk=model_id), context=context).data)
