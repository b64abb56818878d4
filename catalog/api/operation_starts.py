"""The API's endpoints that start long jobs: bulk actions and undoing them, exports and imports of products."""

from __future__ import annotations

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.authentication import actor_of
from accounts.models import Operation
from catalog.api.bulk import merchant_of
from catalog.api.choosing import chosen_products, chosen_query
from catalog.api.operations import body_of_operation, find_operation, import_of
from catalog.api.serializers.operations import (
    UNDER_WAY,
    BulkActionSerializer,
    ExportSerializer,
    ImportFilesSerializer,
    OperationSerializer,
)
from catalog.models import TaxonomyMapping
from catalog.product_columns import Wording
from catalog.selectors import Taxonomy
from catalog.services import bulk, exports
from catalog.services.exports import ExportChoice, Format
from catalog.services.imports import sending
from catalog.services.imports.leased import CHECK, IMPORT
from catalog.services.review import NOT_APPLICABLE
from core.api import SentenceJSONParser, body_of, refusals
from core.errors import Conflict, Refused
from core.multipart import FormParser

_BULK = OpenApiExample(
    "publish what is ready",
    value={"action": "publish", "products": {"filter": "status=ready"}},
    request_only=True,
)
_SET = OpenApiExample(
    "set a value",
    value={
        "action": "set",
        "attribute": "material",
        "value": "woven",
        "products": {"ids": ["70pf28xnx4hv0vm239at"]},
    },
    request_only=True,
)
_EXPORT = OpenApiExample(
    "all coats as a spreadsheet",
    value={"format": "xlsx", "words": "en", "products": {"filter": "category=Coat"}},
    request_only=True,
)


def _started(request: Request, operation: Operation) -> Response:
    address = request.build_absolute_uri(reverse("api:operation", args=[operation.public_id]))
    headers = {"Location": address, "Retry-After": "1"}
    return Response(body_of_operation(request, operation), status.HTTP_202_ACCEPTED, headers=headers)


_STARTED = OpenApiResponse(OperationSerializer, description="A worker does it; Location is the operation's address.")


class BulkActionView(APIView):
    """The same thing done to many products."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="operations_start_bulk",
        request=BulkActionSerializer,
        examples=[_BULK, _SET, UNDER_WAY],
        responses={
            202: _STARTED,
            **refusals("nothing_chosen", "unknown_attribute", "unknown_value", "not_a_leaf", "category_needed"),
        },
    )
    def post(self, request: Request) -> Response:
        """Do the same to many products: publish, archive, set a value and so on.

        The products are those that are chosen now; what comes to match the filter later is not among them. What became
        of each one is in the operation's `result`.
        """
        actor = actor_of(request)
        actor.require_edit(merchant_of(actor).pk)
        data = BulkActionSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said = data.validated_data
        value = NOT_APPLICABLE if said.get("not_applicable") else said.get("value", "")
        taxonomy = Taxonomy.load()
        if value == NOT_APPLICABLE and "value" in said:
            raise ValidationError({"value": [_("There is no such value. Choose one of the list.")]}, "unknown_value")
        operation = bulk.start(
            actor=actor,
            action=said["action"],
            products=chosen_products(actor, said["products"], taxonomy),
            parameters={"attribute": said.get("attribute", ""), "value": value},
            at_once=False,
        )
        return _started(request, operation)


class ExportView(APIView):
    """Products as a file."""

    parser_classes = (SentenceJSONParser,)

    @extend_schema(
        operation_id="operations_start_export",
        request=ExportSerializer,
        examples=[_EXPORT, UNDER_WAY],
        responses={202: _STARTED, **refusals("nothing_chosen", "unknown_value")},
    )
    def post(self, request: Request) -> Response:
        """Write products into a CSV, XLSX or ZIP file, which is the operation's `result` for a week."""
        actor = actor_of(request)
        merchant_of(actor)
        data = ExportSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said = data.validated_data
        mapping = TaxonomyMapping.objects.offered().filter(code=said["mapping"]).first() if "mapping" in said else None
        if "mapping" in said and mapping is None:
            raise ValidationError({"mapping": [_("There is no such mapping.")]}, "unknown_value")
        if said["images"] and said["format"] != Format.ZIP:
            raise ValidationError({"images": [_("Only a ZIP file has photos.")]}, "invalid")
        choice = ExportChoice(
            format=Format(said["format"]),
            wording=Wording(said["words"]),
            query=chosen_query(said["products"], Taxonomy.load()),
            ids=tuple(said["products"].get("ids", ())),
            mapping=mapping.pk if mapping is not None else None,
            images=said["images"],
        )
        return _started(request, exports.start(actor=actor, choice=choice))


class ImportView(APIView):
    """Products from files."""

    parser_classes = (FormParser,)

    @extend_schema(
        operation_id="operations_start_import",
        request={"multipart/form-data": ImportFilesSerializer},
        responses={202: _STARTED, **refusals("nothing_sent", "too_many_imports")},
    )
    def post(self, request: Request) -> Response:
        """Send files to import: a table, photos, or ZIP files of both.

        A worker looks through them and changes nothing. When that operation is done, its `check` says what would become
        of the lines and its `result` has each of them; `POST …/import` then imports them. Columns are recognised by
        their heads, as in a file that was exported.
        """
        actor = actor_of(request)
        merchant = merchant_of(actor)
        actor.require_edit(merchant.pk)
        data = ImportFilesSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        found = sending.begin(actor=actor, merchant=merchant)
        try:
            for file in data.validated_data["files"]:
                sending.add_file(actor=actor, found=found, file=file)
            operation = sending.start_check(actor=actor, found=found)
        except Refused:
            sending.drop(actor=actor, found=found)
            raise
        return _started(request, operation)


class StartImportView(APIView):
    """Importing what was looked through."""

    @extend_schema(
        operation_id="operations_import",
        request=None,
        responses={202: _STARTED, **refusals("not_checked", "nothing_to_import", "import_started")},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Import the files that the operation `import_check` has looked through, by another operation."""
        actor, operation = find_operation(request, public_id)
        if operation.kind not in {CHECK, IMPORT}:
            raise Http404
        return _started(request, sending.start(actor=actor, found=import_of(operation)))


class UndoView(APIView):
    """Undoing what a bulk action did."""

    @extend_schema(
        operation_id="operations_undo",
        request=None,
        responses={202: _STARTED, **refusals("nothing_to_undo", "not_over", "undone_already", "too_late")},
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Undo a bulk action, within a day, by another operation. Products that were changed since stay as they are."""
        actor, operation = find_operation(request, public_id)
        if not operation.kind.startswith(bulk.KIND):
            raise Conflict("nothing_to_undo", _("There is nothing that could be undone."))
        return _started(request, bulk.start_undo(actor=actor, operation=operation, at_once=False))
