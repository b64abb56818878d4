"""Doing the same to many products: asking first, starting, watching, stopping and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from accounts.models import Operation
from accounts.portal import PortalRequest, portal_view
from accounts.services import operations
from catalog.models import CATEGORY, Attribute, BulkChange, Product
from catalog.product_filter import ProductFilter
from catalog.selectors import Taxonomy
from catalog.services import bulk
from catalog.views import bulk_texts
from catalog.views.access import forbidden, refuse
from catalog.views.product_fields import Group, Option
from core.errors import Refused
from core.ids import public_id
from core.portal import posted_from, wants_json

_PAGE = 100  # products of a report on one page
_RECENT = 50


@dataclass(frozen=True)
class Selection:
    """Which products a person chose: some of a page by their public ids, or all that a filter matches.

    `last` is the newest product's id when they were asked: what was added since is not among them.
    """

    ids: list[str]
    query: str
    everything: bool
    last: int

    @classmethod
    def of(cls, data: QueryDict) -> Selection:
        """Read what the bar or the dialog sent."""
        last = data.get("last", "")
        return cls(
            ids=data.getlist("product"),
            query=data.get("query", ""),
            everything=data.get("all") == "1",
            last=int(last) if last.isdecimal() and len(last) < 19 else 0,
        )

    def products(self, request: PortalRequest, taxonomy: Taxonomy) -> QuerySet[Product]:
        """Return the products, of those that the person may see."""
        visible = Product.objects.visible_to(request.actor)
        if not self.everything:
            return visible.filter(public_id__in=self.ids)
        found = ProductFilter.parse(QueryDict(self.query), taxonomy).narrowed(visible)
        return found.filter(pk__lte=self.last) if self.last else found


@dataclass(frozen=True)
class Choice:
    """An attribute with the values that can be set."""

    attribute: Attribute
    groups: list[Group]
    may_not_apply: bool


def _choices(taxonomy: Taxonomy) -> list[Choice]:
    choices = []
    for code, attribute in taxonomy.attributes.items():
        groups: dict[str, list[Option]] = {}
        for value in taxonomy.leaves(code):
            groups.setdefault(value.parent.name if value.parent else "", []).append(Option(value))
        listed = [Group(label or attribute.name, options) for label, options in groups.items()]
        choices.append(Choice(attribute, listed, may_not_apply=code != CATEGORY))
    return choices


def _back(request: PortalRequest) -> str:
    """The page that the person came from, or the list."""
    came_from = request.headers.get("referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, request.is_secure()):
        return came_from
    return reverse("catalog:products")


@posted_from("catalog:products")
@portal_view
def ask(request: PortalRequest) -> HttpResponseBase:
    """Say how many products were chosen and which of them cannot be changed, before anything is."""
    merchant, action = request.actor.merchant, request.POST.get("action", "")
    if merchant is None or not request.actor.can_edit(merchant.pk):
        return forbidden(request)
    if action not in bulk.ACTIONS:
        raise Http404
    taxonomy = Taxonomy.load()
    selection = Selection.of(request.POST)
    preview = bulk.look_ahead(action, selection.products(request, taxonomy))
    context = {
        "action": action,
        "label": bulk.ACTIONS[action].label,
        "undoable": bulk.ACTIONS[action].undoable,
        "selection": selection,
        "preview": preview,
        "cannot": [(bulk_texts.reason_text(reason), count) for reason, count in preview.cannot.items()],
        "choices": _choices(taxonomy) if action == "set" else [],
        "in_background": preview.total > bulk.AT_ONCE,
        "back": _back(request),
        "once": public_id(),
    }
    part = request.POST.get("part") == "1"
    return render(request, "catalog/bulk_ask.html" if part else "catalog/bulk_ask_page.html", context)


@posted_from("catalog:products")
@portal_view
def start(request: PortalRequest) -> HttpResponseBase:
    """Do it: a few products at once, more by an operation whose page shows how far it is."""
    selection, data = Selection.of(request.POST), request.POST
    attribute, _colon, value = data.get("set", "").partition(":")
    try:
        operation = bulk.start(
            actor=request.actor,
            action=data.get("action", ""),
            products=selection.products(request, Taxonomy.load()),
            parameters={"attribute": attribute, "value": value},
            number=data.get("once", ""),
        )
    except Refused as refused:
        return refuse(request, refused, _back(request))
    return _answer(request, bulk.run_at_once(operation), back=data.get("back", ""))


def _answer(request: PortalRequest, operation: Operation, back: str) -> HttpResponse:
    """Say what an operation came to, or lead to its page while it goes on."""
    page = reverse("catalog:bulk_operation", args=[operation.public_id])
    undo = reverse("catalog:bulk_move", args=[operation.public_id, "undo"]) if bulk.can_undo(operation) else ""
    over = operation.finished_at is not None
    text = bulk_texts.summary(operation, bulk.counts_of(operation)) if over else ""
    if wants_json(request):
        return JsonResponse({"page": page, "over": over, "message": text, "undo": undo, "failed": operation.failed})
    if not over or operation.failed:
        return redirect(page)
    messages.success(request, text, extra_tags=undo)
    return redirect(back if url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()) else page)


def _operation(request: PortalRequest, public_id: str) -> Operation:
    found = bulk.of_merchant(request.actor).select_related("created_by", "api_key").filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def _context(request: PortalRequest, operation: Operation) -> dict[str, Any]:
    """How far an operation is and, at its end, its report: 100 products at a time that it could not change."""
    over = operation.finished_at is not None
    may_edit = operation.merchant_id is not None and request.actor.can_edit(operation.merchant_id)
    context = {
        "operation": operation,
        "dealt_with": operation.done + operation.failed,
        "over": over,
        "late": operations.waits_long(operation),
        "may_move": may_edit and not over,
        "may_undo": may_edit and bulk.can_undo(operation),
        "undone_by": operation.parameters.get("undone_by"),
    }
    return {**context, **_report(request, operation)} if over else context


def _report(request: PortalRequest, operation: Operation) -> dict[str, Any]:
    counts = bulk.counts_of(operation)
    reason, after = request.GET.get("reason", ""), request.GET.get("after", "")
    outcomes = (BulkChange.Outcome.REFUSED, BulkChange.Outcome.FAILED)
    rows = BulkChange.objects.filter(operation=operation, outcome__in=outcomes).select_related("product")
    if reason:
        rows = rows.filter(reason=reason)
    if after.isdecimal() and len(after) < 19:
        rows = rows.filter(pk__gt=int(after))
    listed = list(rows.order_by("pk")[: _PAGE + 1]) if counts.reasons else []
    return {
        "summary": bulk_texts.summary(operation, counts),
        "reasons": [(code, bulk_texts.reason_text(code), count) for code, count in counts.reasons.items()],
        "reason": reason,
        "rows": [(row, bulk_texts.reason_text(row.reason)) for row in listed[:_PAGE]],
        "more": listed[_PAGE - 1].pk if len(listed) > _PAGE else None,
    }


@require_safe
@portal_view
def operation_page(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """How far an operation is, what it came to, and the products that it could not change."""
    operation = _operation(request, public_id)
    context = _context(request, operation)
    more = {"value": bulk_texts.value_text(operation), "undoes": operation.parameters.get("undoes")}
    return render(request, "catalog/bulk_operation.html", {**context, **more})


@require_safe
@portal_view
def live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The part of the page that follows the operation. It carries the trigger to ask again until the operation ends."""
    return render(request, "catalog/bulk_live.html", _context(request, _operation(request, public_id)))


@posted_from("catalog:bulk_operation", "public_id")
@portal_view
def move(request: PortalRequest, public_id: str, action: str) -> HttpResponseBase:
    """Pause, resume, cancel or undo an operation."""
    operation = _operation(request, public_id)
    try:
        if action == "undo":
            undo = bulk.run_at_once(bulk.start_undo(actor=request.actor, operation=operation))
            return _answer(request, undo, back=_back(request))
        if action not in operations.MOVES:
            raise Http404
        operations.MOVES[action](actor=request.actor, operation=operation)
    except Refused as refused:
        return refuse(request, refused, _back(request))
    return redirect("catalog:bulk_operation", public_id)


@require_safe
@portal_view
def recent(request: PortalRequest) -> HttpResponseBase:
    """The merchant's last operations, anybody's."""
    operations = list(bulk.of_merchant(request.actor).select_related("created_by", "api_key").order_by("-id")[:_RECENT])
    may_edit = request.actor.merchant is not None and request.actor.can_edit(request.actor.merchant.pk)
    context = {"operations": [(one, may_edit and bulk.can_undo(one)) for one in operations]}
    return render(request, "catalog/bulk_recent.html", context)
