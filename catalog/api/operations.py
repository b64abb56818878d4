"""The API's endpoints for long jobs that were started: how far they are, stopping them, and what they came to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from accounts.models import Operation
from accounts.services import operations, result_files
from catalog.api import base as base  # registers the codes that `refusals` names
from catalog.api.bulk import NDJSON, AsItIs
from catalog.api.serializers.operations import (
    KINDS,
    OperationSerializer,
    has_result,
)
from catalog.models import BulkChange, ProductImport
from catalog.services import bulk, exports
from catalog.services.imports import report, sending
from catalog.services.imports.leased import CHECK, IMPORT
from core.api import CursorPages, StrictSerializer, refusals
from core.api.problem_types import ProblemType, register

_CHUNK = 500

register(
    ProblemType("nothing_chosen", 400, _("No product was chosen: unknown ids, or nothing matches the filter.")),
    ProblemType("nothing_sent", 400, _("The form has no file in its field `files`."), "/files"),
    ProblemType("too_many_imports", 409, _("Some imports wait to be started or cancelled. Do that first.")),
    ProblemType("not_checked", 409, _("The import's files have not been looked through yet.")),
    ProblemType("nothing_to_import", 409, _("No line of the files can be imported.")),
    ProblemType("import_started", 409, _("The import is under way or over.")),
    ProblemType("nothing_to_undo", 409, _("The operation has changed nothing that could be undone.")),
    ProblemType("not_over", 409, _("The operation is still under way. Cancel it first.")),
    ProblemType("undone_already", 409, _("The operation was undone already.")),
    ProblemType("too_late", 409, _("An operation can be undone for a day.")),
)

_RESULT = OpenApiExample(
    "one line",
    value='{"product": "70pf28xnx4hv0vm239at", "outcome": "done", "reason": null}\n',
    response_only=True,
    media_type=NDJSON,
)


def _visible(actor: Actor) -> QuerySet[Operation]:
    """Operations of products of the merchant that the actor works in; others are for the portal alone."""
    if actor.merchant is None:
        return Operation.objects.none()
    own = Q(kind__startswith=bulk.KIND) | Q(kind__in=KINDS)
    return Operation.objects.filter(own, merchant=actor.merchant).select_related("created_by", "api_key")


def find_operation(request: Request, public_id: str) -> tuple[Actor, Operation]:
    """Return who asks, and the operation of that id. Raises Http404."""
    actor = actor_of(request)
    return actor, get_object_or_404(_visible(actor), public_id=public_id)


def _context(request: Request, shown: Iterable[Operation]) -> dict[str, Any]:
    """What the serializer needs besides: the imports, in one query if there are any."""
    ids = {operation.parameters["import"] for operation in shown if "import" in operation.parameters}
    found = ProductImport.objects.filter(public_id__in=ids) if ids else ()
    return {"request": request, "imports": {one.public_id: one for one in found}}


def body_of_operation(request: Request, operation: Operation) -> dict[str, Any]:
    """Return an operation as the API shows it."""
    return dict(OperationSerializer(operation, context=_context(request, [operation])).data)


class OperationQuerySerializer(StrictSerializer):
    """Which operations."""

    state = serializers.ChoiceField(Operation.State.choices, required=False)
    kind = serializers.ChoiceField(["bulk", *KINDS.values()], required=False)


class OperationListView(APIView):
    """The merchant's operations."""

    pagination_class = CursorPages
    page_order = ("-pk",)

    @extend_schema(
        operation_id="operations_list",
        parameters=[OperationQuerySerializer],
        responses={200: OperationSerializer(many=True), **refusals("unknown_field", "invalid_choice")},
    )
    def get(self, request: Request) -> Response:
        """List bulk actions, exports and imports of products, the newest first, with those that others started."""
        pages = CursorPages()
        said = {name: value for name, value in request.query_params.items() if name not in pages.parameters}
        query = OperationQuerySerializer(data=said)
        query.is_valid(raise_exception=True)
        found = _visible(actor_of(request))
        if "state" in query.validated_data:
            found = found.filter(state=query.validated_data["state"])
        if kind := query.validated_data.get("kind"):
            stored = next((name for name, shown in KINDS.items() if shown == kind), None)
            found = found.filter(kind=stored) if stored else found.filter(kind__startswith=bulk.KIND)
        page: Any = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(OperationSerializer(page, many=True, context=_context(request, page)).data)


class OperationView(APIView):
    """One operation."""

    @extend_schema(operation_id="operations_read", responses={200: OperationSerializer})
    def get(self, request: Request, public_id: str) -> Response:
        """Read how far an operation is. While it is under way, ask again after `Retry-After` seconds."""
        _actor, operation = find_operation(request, public_id)
        headers = {"Retry-After": "1"} if operation.finished_at is None else None
        return Response(body_of_operation(request, operation), headers=headers)


class _MoveView(APIView):
    """Something that is done to an operation that is under way."""

    move: ClassVar[Callable[..., None]]

    def _moved(self, request: Request, public_id: str) -> Response:
        actor, operation = find_operation(request, public_id)
        type(self).move(actor=actor, operation=operation)
        operation.refresh_from_db()
        return Response(body_of_operation(request, operation))


class PauseView(_MoveView):
    """Stopping for now."""

    move = operations.pause

    @extend_schema(
        operation_id="operations_pause", request=None, responses={200: OperationSerializer, **refusals("bad_move")}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Stop an operation until it is resumed. What it did stays."""
        return self._moved(request, public_id)


class ResumeView(_MoveView):
    """Going on."""

    move = operations.resume

    @extend_schema(
        operation_id="operations_resume", request=None, responses={200: OperationSerializer, **refusals("bad_move")}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Go on with an operation that is paused."""
        return self._moved(request, public_id)


class CancelView(_MoveView):
    """Ending it."""

    move = operations.cancel

    @extend_schema(
        operation_id="operations_cancel", request=None, responses={200: OperationSerializer, **refusals("bad_move")}
    )
    def post(self, request: Request, public_id: str) -> Response:
        """End an operation for good. What it did stays, and can be undone. A checked import is dropped by it, too."""
        actor, operation = find_operation(request, public_id)
        if operation.kind == CHECK and operation.finished_at is not None:
            sending.drop(actor=actor, found=import_of(operation))
            return Response(body_of_operation(request, operation))
        return self._moved(request, public_id)


def import_of(operation: Operation) -> ProductImport:
    """Return the import that an operation looks through or carries out. Raises Http404."""
    found = ProductImport.objects.filter(public_id=operation.parameters.get("import", "")).first()
    if found is None:
        raise Http404
    return found


class ResultView(APIView):
    """What an operation came to."""

    content_negotiation_class = AsItIs

    @extend_schema(
        operation_id="operations_result",
        examples=[_RESULT],
        responses={
            (200, NDJSON): OpenApiResponse(
                OpenApiTypes.STR,
                description="Of a bulk action: product, outcome and reason of each product, one a line.",
            ),
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.BINARY, description="Of an import the report, of an export the file."
            ),
            **{
                (200, kind): OpenApiResponse(OpenApiTypes.BINARY, description="Of an export.")
                for kind in (result_files.CONTENT_TYPES["xlsx"], result_files.CONTENT_TYPES["zip"])
            },
        },
        parameters=[OpenApiParameter("public_id", str, OpenApiParameter.PATH, description="The operation's id.")],
    )
    def get(self, request: Request, public_id: str) -> HttpResponseBase:
        """Download an operation's file or report; 404 while there is none, and a week after its end."""
        _actor, operation = find_operation(request, public_id)
        if not has_result(operation):
            raise Http404
        if operation.kind == exports.KIND or result_files.is_there(operation):
            return result_files.download_response(operation)
        if operation.kind in {CHECK, IMPORT}:
            found = import_of(operation)
            return _streamed(report.encoded(found), "text/csv; charset=utf-8")
        return _streamed(_changes(operation), NDJSON)


def _streamed(content: Iterator[bytes], content_type: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(content, content_type=content_type)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _changes(operation: Operation) -> Iterator[bytes]:
    """What became of each product, some hundred of them in memory."""
    rows = BulkChange.objects.filter(operation=operation).select_related("product").order_by("pk")
    last = 0
    while some := list(rows.filter(pk__gt=last)[:_CHUNK]):
        lines = (
            {
                "product": row.product.public_id if row.product is not None else None,
                "outcome": row.outcome,
                "reason": row.reason or None,
            }
            for row in some
        )
        yield "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        last = some[-1].pk
