"""Products from files: sending them, the dry run, saying which column is what, the import and its report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Operation
from accounts.portal import PortalRequest, portal_view
from accounts.services import operations, result_files
from catalog.imports.refusals import sentence
from catalog.models import ImportLine, ProductImport
from catalog.product_columns import UPDATED, columns_of
from catalog.selectors import Taxonomy
from catalog.services.imports import report, sending
from catalog.services.imports.leased import IMPORT
from catalog.views.access import forbidden, refuse
from catalog.views.import_texts import LineTexts
from catalog.views.uploads import check_merchant
from core.errors import Conflict, Forbidden, Gone, Refused
from core.portal import posted_from, wants_json

FILES = "files"
_PAGE = 100
_RECENT = 20
_PATHS_BYTES = 1_000_000


def _import_or_404(request: PortalRequest, public_id: str) -> ProductImport:
    found = sending.of_merchant(request.actor).filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def import_products(request: PortalRequest) -> HttpResponseBase:
    """Choose files; posted, they become an import that is checked. Nothing else is written."""
    merchant = request.actor.merchant
    if merchant is None or not request.actor.can_edit(merchant.pk):
        return forbidden(request)
    if request.method != "POST":
        return _page(request)
    found = None
    try:
        check_merchant(request, merchant)
        found = sending.begin(actor=request.actor, merchant=merchant)
        files = request.FILES.getlist(FILES)
        _add(request, found, files)
        if files or not wants_json(request):
            sending.start_check(actor=request.actor, found=found)
    except Refused as refused:
        if found is not None:
            sending.drop(actor=request.actor, found=found)
        if isinstance(refused, Forbidden):
            return forbidden(request)
        return refuse(request, refused, "catalog:import_products") if wants_json(request) else _page(request, refused)
    if wants_json(request):
        return JsonResponse(_addresses(found))
    return redirect("catalog:import_page", found.public_id)


def _page(request: PortalRequest, refused: Refused | None = None) -> HttpResponse:
    shown = [
        one for one in sending.of_merchant(request.actor).order_by("-id")[:_RECENT] if not sending.was_dropped(one)
    ]
    context = {
        "merchant": request.actor.merchant,
        "refused": refused,
        "recent": shown,
        "columns": [column for column in columns_of(Taxonomy.load()) if column.code != UPDATED],
        "most_bytes": settings.OTJANG_IMPORT_MAX_BYTES,
        "most_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    }
    return render(request, "catalog/import.html", context, status=200 if refused is None else 400)


def _addresses(found: ProductImport) -> dict[str, str]:
    return {
        "page": reverse("catalog:import_page", args=[found.public_id]),
        "files": reverse("catalog:import_files", args=[found.public_id]),
        "check": reverse("catalog:import_move", args=[found.public_id, "check"]),
        "drop": reverse("catalog:import_move", args=[found.public_id, "drop"]),
    }


def _paths(request: PortalRequest, count: int) -> list[str]:
    """The files' names with their folders, as a script says them: browsers leave the folders out."""
    said = request.POST.get("paths", "")
    try:
        paths = json.loads(said) if said and len(said) < _PATHS_BYTES else []
    except (ValueError, RecursionError):
        paths = []
    fits = isinstance(paths, list) and len(paths) == count and all(isinstance(path, str) for path in paths)
    return paths if fits else [""] * count


def _add(request: PortalRequest, found: ProductImport, files: Iterable[UploadedFile[bytes]]) -> None:
    files = list(files)
    for file, path in zip(files, _paths(request, len(files)), strict=True):
        sending.add_file(actor=request.actor, found=found, file=file, path=path)


@posted_from("catalog:import_page", "public_id")
@portal_view
def import_files(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Add some files to an import that is being sent."""
    found = _import_or_404(request, public_id)
    try:
        _add(request, found, request.FILES.getlist(FILES))
    except Refused as refused:
        return refuse(request, refused, "catalog:import_page", public_id)
    return JsonResponse(_addresses(found)) if wants_json(request) else redirect("catalog:import_page", public_id)


def _columns(request: PortalRequest, found: ProductImport) -> dict[int, str] | None:
    """Which column is what, if the form says it."""
    if "column-0" not in request.POST:
        return None
    return {place: request.POST.get(f"column-{place}", "") for place in range(len(found.columns))}


def _check(request: PortalRequest, found: ProductImport) -> None:
    sending.start_check(actor=request.actor, found=found, columns=_columns(request, found))


def _moved(move: Callable[..., None]) -> Callable[[PortalRequest, ProductImport], None]:
    def act(request: PortalRequest, found: ProductImport) -> None:
        if found.operation is None:
            raise Conflict("bad_move", _("The operation is not in a state that allows this."))
        move(actor=request.actor, operation=found.operation)

    return act


_MOVES: dict[str, Callable[[PortalRequest, ProductImport], object]] = {
    "check": _check,
    "import": lambda request, found: sending.start(actor=request.actor, found=found),
    "drop": lambda request, found: sending.drop(actor=request.actor, found=found),
    "pause": _moved(operations.pause),
    "resume": _moved(operations.resume),
    "cancel": _moved(operations.cancel),
}


@posted_from("catalog:import_page", "public_id")
@portal_view
def import_move(request: PortalRequest, public_id: str, action: str) -> HttpResponseBase:
    """Check, start, pause, resume, cancel or drop an import."""
    found = _import_or_404(request, public_id)
    if action not in _MOVES:
        raise Http404
    try:
        _MOVES[action](request, found)
    except Gone as refused:
        return refuse(request, refused, "catalog:import_products")
    except Refused as refused:
        return refuse(request, refused, "catalog:import_page", public_id)
    if wants_json(request):
        return JsonResponse(_addresses(found))
    return redirect("catalog:import_products") if action == "drop" else redirect("catalog:import_page", public_id)


def _context(request: PortalRequest, found: ProductImport) -> dict[str, Any]:
    """How far an import is: what it would do, what it did, and a hundred of its lines."""
    operation = found.operation
    goes_on = operation is not None and operation.finished_at is None
    imports = operation is not None and operation.kind == IMPORT
    may_edit = request.actor.can_edit(found.merchant_id)
    texts = LineTexts(Taxonomy.load())
    checked = found.phase != ProductImport.Phase.OPEN
    return {
        "found": found,
        "operation": operation,
        "goes_on": goes_on,
        "imports": imports,
        "over": imports and not goes_on,
        "dealt_with": operation.done + operation.failed if operation is not None else 0,
        "late": operation is not None and operations.waits_long(operation),
        "may_edit": may_edit,
        "stopped": not imports and operation is not None and operation.state == Operation.State.CANCELLED,
        "refusal": sentence(found.refusal, texts.columns) if found.refusal else "",
        "may_start": may_edit and checked and not goes_on and not imports and _possible(found) > 0,
        "possible": _possible(found),
        "texts": texts,
        **(_lines(request, found, texts, imports) if checked and not goes_on else {}),
    }


def _possible(found: ProductImport) -> int:
    return sum(count for action, count in found.counts.items() if action in {"new", "change"})


def _lines(request: PortalRequest, found: ProductImport, texts: LineTexts, imports: bool) -> dict[str, Any]:
    """The counts, and the lines that were asked for: of an action before the import, of an outcome after it."""
    field = "outcome" if imports else "action"
    choices = ImportLine.Outcome if imports else ImportLine.Action
    counts = sending.counts_of(found) if imports else found.counts
    chosen, after = request.GET.get("only", ""), request.GET.get("after", "")
    rows = ImportLine.objects.filter(of=found).select_related("product").order_by("number")
    if chosen in choices.values:
        rows = rows.filter(**{field: chosen})
    if after.isdecimal() and len(after) < 10:
        rows = rows.filter(number__gt=int(after))
    some = list(rows[: _PAGE + 1])
    return {
        "counts": [(one.value, one.label, counts[one.value]) for one in choices if counts.get(one.value)],
        "total": sum(counts.values()),
        "only": chosen,
        "lines": [texts.shown(line) for line in some[:_PAGE]],
        "more": some[_PAGE - 1].number if len(some) > _PAGE else None,
    }


@require_safe
@portal_view
def import_page(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """What an import would do, which column is what, how far it is, and what it came to."""
    found = _import_or_404(request, public_id)
    if sending.was_dropped(found):
        raise Http404
    context = _context(request, found)
    texts = context["texts"]
    names = [(code, name) for code, name in texts.columns.items() if code != UPDATED]
    open_to_map = found.columns and not context["goes_on"] and not context["imports"] and context["may_edit"]
    more = {
        "files": list(found.files.all()[:10]),
        "file_count": found.files.count(),
        "columns": list(enumerate(found.columns)) if open_to_map else [],
        "column_names": names,
        "has_report": context["over"] or found.phase == ProductImport.Phase.CHECKED,
    }
    return render(request, "catalog/import_page.html", {**context, **more})


@require_safe
@portal_view
def import_live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The part of the page that follows the operation; when that has ended, the page is loaded again."""
    found = _import_or_404(request, public_id)
    answer = render(request, "catalog/import_live.html", _context(request, found))
    if found.operation is None or found.operation.finished_at is not None:
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_safe
@portal_view
def import_report(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """A line for each line: the stored file, or from the lines where the import was stopped."""
    found = _import_or_404(request, public_id)
    if found.operation is not None and found.operation.kind == IMPORT and result_files.is_there(found.operation):
        return result_files.download_response(found.operation)
    if not found.lines.exists():
        raise Http404
    answer = StreamingHttpResponse(report.encoded(found), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{report.FILE_NAME}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
