"""Many products in one call: created or changed by their SKUs, or read as one stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.db.models import Max
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import APIView

from accounts.actors import Actor
from accounts.authentication import actor_of
from accounts.models import Merchant
from catalog import selectors
from catalog.api.base import serializer_context
from catalog.api.choosing import read_filter
from catalog.api.filters import OF_OPERATIONS
from catalog.api.serializers.bulk import BulkResultsSerializer, BulkSerializer
from catalog.api.serializers.products import ProductSummarySerializer
from catalog.models import Product
from catalog.progress import last_jobs
from catalog.selectors import Taxonomy
from catalog.services.exports import ExportChoice, ExportLines
from catalog.services.review import NOT_APPLICABLE, TAKE_BACK
from catalog.services.upserts import Line, Outcome, Result, upsert_products
from core.api import (
    MEDIA_TYPE,
    SELECTION_PARAMETERS,
    FieldError,
    Selection,
    SentenceJSONParser,
    body_of,
    problem_body,
    problem_type,
    refusals,
    selection_of,
    selection_parameters,
)
from core.api.problem_types import ProblemType, register
from core.api.problems import escaped
from core.errors import Forbidden

NDJSON = "application/x-ndjson"
_READ_AT_ONCE = 200  # products of the stream that are in memory

register(
    ProblemType("bulk_refused", 400, _("`atomic` was asked for, and some lines were refused: nothing was stored.")),
    ProblemType("sku_missing", 400, _("Every line needs the SKU of its product."), "/sku"),
    ProblemType("sku_repeated", 400, _("Another line before has the same SKU."), "/sku"),
)

_EXAMPLE = OpenApiExample(
    "two products",
    value={
        "products": [
            {"sku": "AJ-1043", "name": "Denim jacket", "attributes": {"category": "Jacket", "material": "woven"}},
            {"sku": "AJ-1044", "not_applicable": ["sleeve_length"]},
        ],
        "atomic": False,
    },
    request_only=True,
)
_ANSWER = OpenApiExample(
    "one created, one refused",
    value={
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "refused": 1,
        "results": [
            {"index": 0, "sku": "AJ-1043", "status": "created", "id": "70pf28xnx4hv0vm239at", "errors": []},
            {
                "index": 1,
                "sku": "AJ-1044",
                "status": "refused",
                "id": None,
                "errors": [
                    {"pointer": "/products/1", "code": "archived", "detail": "This product is archived. Restore it…"}
                ],
            },
        ],
    },
    response_only=True,
    status_codes=["200", "207"],
)


_LINE = OpenApiExample(
    "one line",
    value='{"id": "70pf28xnx4hv0vm239at", "name": "Oversized denim jacket", "sku": "AJ-1043", …}\n',
    response_only=True,
    media_type=NDJSON,
)


def merchant_of(actor: Actor) -> Merchant:
    """Return the merchant that the actor works in. Raises Forbidden `no_merchant`."""
    if actor.merchant is None:
        raise Forbidden("no_merchant", _("You belong to no shop."))
    return actor.merchant


class AsItIs(BaseContentNegotiation):
    """The address has one format alone, whatever Accept says; its refusals are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Read no bodies."""
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the first one."""
        return renderers[0], renderers[0].media_type


class ProductBulkView(APIView):
    """Many products by their SKUs."""

    parser_classes = (SentenceJSONParser,)
    one_transaction = False  # a thousand products would be locked at once; by their SKUs none comes twice

    @extend_schema(
        operation_id="products_bulk",
        request=BulkSerializer,
        examples=[_EXAMPLE, _ANSWER],
        responses={
            200: OpenApiResponse(BulkResultsSerializer, description="Every line was stored, or was so already."),
            207: OpenApiResponse(BulkResultsSerializer, description="Some lines were refused, the others stored."),
            **refusals("bulk_refused"),
        },
    )
    def post(self, request: Request) -> Response:
        """Create or change up to 1,000 products by their SKUs.

        A line whose SKU no product has creates one, any other changes what it names. A refused line says why and does
        not hold up the others; with `atomic` nothing is stored then. What is decided so already stays as it is: sent
        again, the same lines are `unchanged`.
        """
        actor = actor_of(request)
        merchant = merchant_of(actor)
        actor.require_edit(merchant.pk)
        data = BulkSerializer(data=body_of(request))
        data.is_valid(raise_exception=True)
        said: list[dict[str, Any]] = data.validated_data["products"]
        together: bool = data.validated_data["atomic"]
        results = upsert_products(
            actor=actor, merchant=merchant, lines=[_line(one) for one in said], all_or_nothing=together
        )
        refused = [error for number, result in enumerate(results) for error in _errors(number, said[number], result)]
        if together and refused:
            sentence = _("%(count)d of %(total)d lines were refused, so nothing was stored.")
            detail = sentence % {"count": len(refused), "total": len(results)}
            body = problem_body(request._request, "bulk_refused", detail, status.HTTP_400_BAD_REQUEST, refused)
            return Response(body, status.HTTP_400_BAD_REQUEST, content_type=MEDIA_TYPE)
        return Response(_shown(said, results), status.HTTP_207_MULTI_STATUS if refused else status.HTTP_200_OK)


def _line(said: dict[str, Any]) -> Line:
    values = {code: TAKE_BACK if value is None else value for code, value in said.get("attributes", {}).items()}
    values |= dict.fromkeys(said.get("not_applicable", ()), NOT_APPLICABLE)
    return Line(sku=said["sku"], name=said.get("name"), values=values)


def _errors(number: int, said: dict[str, Any], result: Result) -> list[FieldError]:
    if result.refusal is None:
        return []
    known = problem_type(result.refusal.code)
    field = known.pointer if known is not None and known.pointer in {"/sku", "/name"} else ""
    if attribute := result.refusal.attribute:
        missing: Sequence[str] = said.get("not_applicable", ())
        listed = attribute in missing
        field = f"/not_applicable/{missing.index(attribute)}" if listed else f"/attributes/{escaped(attribute)}"
    return [FieldError(f"/products/{number}{field}", result.refusal.code, result.refusal.message)]


def _shown(said: Sequence[dict[str, Any]], results: Sequence[Result]) -> dict[str, Any]:
    counts = Counter(result.outcome for result in results)
    return {
        **{outcome.value: counts[outcome] for outcome in Outcome},
        "results": [
            {
                "index": number,
                "sku": line["sku"],
                "status": result.outcome.value,
                "id": result.product,
                "errors": [asdict(error) for error in _errors(number, line, result)],
            }
            for number, (line, result) in enumerate(zip(said, results, strict=True))
        ],
    }


class ProductExportView(APIView):
    """All products as one stream."""

    content_negotiation_class = AsItIs

    @extend_schema(
        operation_id="products_export",
        parameters=[*OF_OPERATIONS, *selection_parameters(ProductSummarySerializer)],
        examples=[_LINE],
        responses={
            (200, NDJSON): OpenApiResponse(OpenApiTypes.STR, description="A product a line, as in the list."),
            **refusals("unknown_field", "unknown_value"),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Read all products that a filter matches, a line each, in one answer of whatever length.

        The filter is that of the list. Products that are created meanwhile are not among them, and none comes twice or
        is left out, whatever is changed. An answer that was cut off ends without the last chunk: read it again.
        """
        actor = actor_of(request)
        merchant_of(actor)
        taxonomy = Taxonomy.load()
        chosen = read_filter(request.query_params.copy(), taxonomy, SELECTION_PARAMETERS)
        selection = selection_of(request, ProductSummarySerializer)
        last = Product.objects.visible_to(actor).aggregate(last=Max("pk"))["last"] or 0
        lines = ExportLines(actor, ExportChoice(query=chosen.query(), last=last))
        response = StreamingHttpResponse(_stream(request, lines, selection) if last else iter(()), content_type=NDJSON)
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["X-Accel-Buffering"] = "no"  # a proxy would keep a large answer on its disk first
        return response


def _stream(request: Request, lines: ExportLines, selection: Selection) -> Iterator[bytes]:
    with_images = selection.wants("images", ProductSummarySerializer.expandable)
    read = selectors.products_for_review if with_images else selectors.products_for_list
    common = serializer_context(request) | {"selection": selection}
    encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for rows in lines.rows(_READ_AT_ONCE):
        ids = [row.pk for row in rows]
        found: dict[int, Any] = {product.pk: product for product in read(lines.actor).filter(pk__in=ids)}
        products = [found[pk] for pk in ids if pk in found]  # without those that were deleted just now
        images = [image for product in products for image in product.current_images] if with_images else []
        context = common | {"jobs": last_jobs(images) if images else {}}
        shown = ProductSummarySerializer(products, many=True, context=context).data
        yield b"".join(f"{encode(one)}\n".encode(errors="replace") for one in shown)
