"""Exporting products: choosing how, the file itself, and the page of one that a worker writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import Http404, HttpRequest, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Operation
from accounts.portal import PortalRequest, portal_view
from accounts.services import operations, result_files
from catalog.models import AttributeValue, TaxonomyMapping
from catalog.product_columns import Wording
from catalog.selectors import Taxonomy
from catalog.services import exports
from catalog.services.exports import ExportChoice, Format
from catalog.views.access import refuse
from core.errors import Refused
from core.ids import public_id as new_number
from core.portal import posted_from

_RECENT = 10


def _asked(request: HttpRequest) -> QueryDict:
    """What the page was asked for: an address, the list's bar, or a form of the page itself."""
    if request.method != "POST":
        return request.GET
    data = request.POST.copy()
    for name, value in parse_qsl(data.pop("query", [""])[-1].lstrip("?")):  # the bar sends the list's filter whole
        data.appendlist(name, value)
    return data


def _format(text: str) -> Format:
    try:
        return Format(text)
    except ValueError as error:
        raise Http404 from error


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def export_page(request: PortalRequest) -> HttpResponseBase:
    """How many products it would be, in which words and with which mapping; and what that mapping says of them."""
    if request.actor.merchant is None:
        return render(request, "catalog/no_merchant.html")
    taxonomy = Taxonomy.load()
    data = _asked(request)
    choice = ExportChoice.parse(data, Format.CSV, taxonomy)
    limit = exports.at_once_limit(choice)
    count = exports.count_up_to(request.actor, choice, limit + 1)
    chosen = TaxonomyMapping.objects.filter(pk=choice.mapping).first() if choice.mapping else None
    recent = exports.of_merchant(request.actor).select_related("created_by", "api_key").order_by("-id")[:_RECENT]
    context = {
        "choice": choice,
        "filter": parse_qsl(choice.query),
        "count": min(count, limit),
        "more": count > limit,
        "limit": limit,
        "wordings": [(Wording.KOREAN, "한국어"), (Wording.ENGLISH, "English"), (Wording.CODES, _("codes"))],
        "mappings": list(TaxonomyMapping.objects.offered()),
        "mapping": chosen,
        "images": data.get("images") == "1",
        "preview": exports.preview_mapping(request.actor, choice) if count else None,
        "once": new_number(),
        "recent": list(recent),
    }
    return render(request, "catalog/export.html", context)


@require_safe
@portal_view
def export_file(request: PortalRequest, kind: str) -> HttpResponseBase:
    """The file, as its address says; what takes a worker leads to the page where that is started."""
    if request.actor.merchant is None:
        return render(request, "catalog/no_merchant.html")
    choice = ExportChoice.parse(request.GET, _format(kind), Taxonomy.load())
    limit = exports.at_once_limit(choice)
    if exports.count_up_to(request.actor, choice, limit + 1) <= limit:
        return _file(request, choice)
    messages.info(request, _("These are so many products that the file is written in the background. Start it here."))
    return redirect(f"{reverse('catalog:export')}?{request.GET.urlencode()}")


def _file(request: PortalRequest, choice: ExportChoice) -> HttpResponseBase:
    """Send the file as it is written. A HEAD request gets what comes before it."""
    lines = exports.ExportLines(request.actor, choice)
    content = exports.file_chunks(lines) if request.method != "HEAD" else iter(())
    response = StreamingHttpResponse(content, content_type=result_files.CONTENT_TYPES[choice.format])
    response.headers["Content-Disposition"] = content_disposition_header(True, choice.file_name) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Accel-Buffering"] = "no"  # a proxy would keep a large file on its disk first
    return response


@posted_from("catalog:export")
@portal_view
def start(request: PortalRequest) -> HttpResponseBase:
    """Answer with the file, or start writing one that is large and lead to its page."""
    choice = ExportChoice.parse(request.POST, _format(request.POST.get("format", "")), Taxonomy.load())
    limit = exports.at_once_limit(choice)
    try:
        if request.actor.merchant is not None and exports.count_up_to(request.actor, choice, limit + 1) <= limit:
            return _file(request, choice)
        operation = exports.start(actor=request.actor, choice=choice, number=request.POST.get("once", ""))
    except Refused as refused:
        return refuse(request, refused, "catalog:export")
    return redirect("catalog:export_operation", operation.public_id)


def _operation(request: PortalRequest, public_id: str) -> Operation:
    found = (
        exports.of_merchant(request.actor).select_related("created_by", "api_key").filter(public_id=public_id).first()
    )
    if found is None:
        raise Http404
    return found


def _context(request: PortalRequest, operation: Operation) -> dict[str, Any]:
    over = operation.finished_at is not None
    may_edit = operation.merchant_id is not None and request.actor.can_edit(operation.merchant_id)
    mapping = operation.parameters.get("mapping")
    return {
        "operation": operation,
        "over": over,
        "late": operations.waits_long(operation),
        "may_move": may_edit and not over,
        "there": result_files.is_there(operation) and operation.state == Operation.State.DONE,
        "mapping": TaxonomyMapping.objects.filter(pk=mapping).first() if mapping else None,
        "unmapped": _unmapped(operation),
    }


def _unmapped(operation: Operation) -> list[tuple[AttributeValue | None, int]]:
    """The values that the mapping said nothing of, with the number of products."""
    counts: list[tuple[int | None, int]] = operation.parameters.get("unmapped") or []
    values = AttributeValue.objects.in_bulk([pk for pk, _count in counts if pk is not None]) if counts else {}
    return [(values.get(pk) if pk is not None else None, count) for pk, count in counts]


@require_safe
@portal_view
def operation_page(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """How far an export is, and its file."""
    return render(request, "catalog/export_operation.html", _context(request, _operation(request, public_id)))


@require_safe
@portal_view
def live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The part of that page that follows the export; it asks for itself again until the end."""
    return render(request, "catalog/export_live.html", _context(request, _operation(request, public_id)))


@require_safe
@portal_view
def download(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The file of an export that is over, for members of the merchant."""
    operation = _operation(request, public_id)
    if operation.state != Operation.State.DONE:
        raise Http404
    return result_files.download_response(operation)


@posted_from("catalog:export_operation", "public_id")
@portal_view
def move(request: PortalRequest, public_id: str, action: str) -> HttpResponseBase:
    """Pause, resume or cancel an export."""
    if action not in operations.MOVES:
        raise Http404
    operation = _operation(request, public_id)
    try:
        operations.MOVES[action](actor=request.actor, operation=operation)
    except Refused as refused:
        return refuse(request, refused, "catalog:export_operation", public_id)
    return redirect("catalog:export_operation", public_id)
