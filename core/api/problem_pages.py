"""/api/v1/problems/CODE: what an error's `type` leads to."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.problem_types import ADDRESS, ProblemType, all_problem_types, problem_type, title_of

_EXAMPLE = OpenApiExample(
    "A code",
    value={
        "type": f"{ADDRESS}empty_body",
        "code": "empty_body",
        "status": 400,
        "title": "The request is wrong",
        "explanation": "The request has no body.",
        "pointer": "",
    },
    response_only=True,
)


class ProblemTypeSerializer(serializers.Serializer[Any]):
    """A code of errors, explained."""

    type = serializers.SerializerMethodField(help_text="The address of this explanation.")
    code = serializers.CharField(help_text="Stable, for programs.")
    status = serializers.IntegerField(help_text="The HTTP status that it comes with.")
    title = serializers.SerializerMethodField(help_text="What kind of problem it is.")
    explanation = serializers.CharField(help_text="What it means, and what helps.")
    pointer = serializers.CharField(help_text="The field that it is always about, as a JSON pointer; mostly empty.")

    def get_type(self, one: ProblemType) -> str:
        """Return the address."""
        return f"{ADDRESS}{one.code}"

    def get_title(self, one: ProblemType) -> str:
        """Return the title of the status."""
        return title_of(one.status)


class ProblemTypeView(APIView):
    """One code."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="problems_read", responses=ProblemTypeSerializer, examples=[_EXAMPLE], auth=[])
    def get(self, request: Request, code: str) -> Response:
        """Explain a code of errors. Needs no key."""
        known = problem_type(code)
        if known is None:
            raise Http404
        return Response(ProblemTypeSerializer(known).data)


class ProblemTypeListView(APIView):
    """All codes."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="problems_list", responses=ProblemTypeSerializer(many=True), examples=[_EXAMPLE], auth=[]
    )
    def get(self, request: Request) -> Response:
        """List every code of errors that the API has. Needs no key."""
        return Response(ProblemTypeSerializer(all_problem_types(), many=True).data)
