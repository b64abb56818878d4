"""The list of a merchant's products, what has changed in it since, and editing in its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.portal import PortalRequest, portal_view
from catalog import services
from catalog.listing import Cursor, Number, count_behind, numbers_of, page_of, with_cover
from catalog.models import Product
from catalog.product_filter import SORTS, SOURCES
from catalog.selection import Selection
from catalog.selectors import Taxonomy
from catalog.views.access import forbidden, product_or_404, turned_away
from catalog.views.list_address import (
    SHARES,
    ListAddress,
    all_columns,
    chips_of,
    chosen_columns,
    default_columns,
    sorts,
    sources,
    troubles,
)
from catalog.views.list_html import RowWriter, editor_options, filter_choices
from catalog.views.list_rows import rows_of
from catalog.views.product_fields import groups_of
from catalog.views.undo import saved_undo
from core.errors import Forbidden, Gone, Refused
from core.portal import posted_from

COLUMNS_KEY = "product_columns"
_MOST_FOLLOWED = 100
_COUNTED_NEW = 99


def _columns(request: PortalRequest, address: ListAddress, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The columns that the address names, else those that the person chose last."""
    if address.columns:
        return address.columns
    return chosen_columns(request.session.get(COLUMNS_KEY, ""), taxonomy) or default_columns(taxonomy)


def _posted_address(request: PortalRequest, taxonomy: Taxonomy) -> ListAddress:
    """The list that a form or script comes from, which it sends as `query`."""
    return ListAddress.parse(QueryDict(request.POST.get("query", "").lstrip("?")), taxonomy)


def _writer(request: PortalRequest, columns: tuple[str, ...]) -> RowWriter:
    merchant = request.actor.merchant
    return RowWriter(columns, editable=merchant is not None and request.actor.can_edit(merchant.pk))


def _tabs(address: ListAddress, by_status: Any, listed: Number) -> list[dict[str, Any]]:
    chosen = address.chosen.statuses
    tabs: list[dict[str, Any]] = [
        {"label": _("All"), "count": listed, "address": address.with_filter(statuses=()), "chosen": not chosen}
    ]
    tabs += [
        {
            "status": status.value,
            "label": status.label,
            "count": by_status[status],
            "address": address.with_filter(statuses=(status.value,)),
            "chosen": chosen == (status.value,),
        }
        for status in Product.Status
    ]
    return [tab for tab in tabs if tab["count"] or tab["chosen"]]


def _filters(address: ListAddress, taxonomy: Taxonomy) -> dict[str, Any]:
    """What the filter's controls offer and have selected."""
    chosen = address.chosen
    codes = {one.attribute: one.codes for one in chosen.values}
    groups = {code: groups_of(code, set(), taxonomy) for code in taxonomy.attributes}
    return {
        "statuses": [(status.value, status.label, status.value in chosen.statuses) for status in Product.Status],
        "attributes": [
            {
                "code": code,
                "name": attribute.name,
                "choices": filter_choices(code, groups[code], codes.get(code, ())),
                "options": editor_options(groups[code]),
            }
            for code, attribute in taxonomy.attributes.items()
        ],
        "sources": [pair for pair in sources() if pair[0] in SOURCES],
        "shares": [(f"{share:g}", f"{share * 100:g}%") for share in SHARES],
        "below": f"{chosen.below:g}" if chosen.below is not None else "",
        "sorts": sorts(),
    }


@require_safe
@portal_view
def product_list(request: PortalRequest) -> HttpResponseBase:
    """The merchant's products: searched, filtered, in an order, in pages; all of it in the address."""
    if request.actor.merchant is None:
        return render(request, "catalog/no_merchant.html")
    taxonomy = Taxonomy.load()
    address = ListAddress.parse(request.GET, taxonomy)
    columns = _columns(request, address, taxonomy)
    selection = Selection.of(request.actor, address.chosen)
    numbers = numbers_of(selection)
    page = page_of(selection, after=request.GET.get("after", ""), before=request.GET.get("before", ""))
    rows = rows_of(page.products, taxonomy, columns)
    context = {
        "address": address,
        "chosen": address.chosen,
        "query": address.query(),
        "rows": _writer(request, columns).rows(rows, address.layout),
        "page": page,
        "previous": address.query(before=page.previous) if page.previous else "",
        "next": address.query(after=page.next) if page.next else "",
        "first": str(Cursor.of(page.products[0], address.chosen.order)) if rows and not page.previous else "",
        "numbers": numbers,
        "tabs": _tabs(address, numbers.by_status, numbers.listed),
        "troubles": _troubles(address, numbers),
        "filters": _filters(address, taxonomy),
        "chips": chips_of(address, taxonomy),
        "columns": columns,
        "heads": all_columns(taxonomy),
        "sorted": {name: address.with_filter(sort=name) for name in SORTS},
        "as_table": address.as_layout("table"),
        "as_grid": address.as_layout("grid"),
        "editable": request.actor.can_edit(request.actor.merchant.pk),
    }
    return render(request, "catalog/products.html", context)


def _troubles(address: ListAddress, numbers: Any) -> list[dict[str, Any]]:
    """What asks for a person, with its number; what there is none of only where it is filtered by."""
    found = [
        {
            "name": name,
            "label": label,
            "count": getattr(numbers, name),
            "chosen": getattr(address.chosen, name),
            "address": address.with_filter(**{name: not getattr(address.chosen, name)}),
        }
        for name, label in troubles().items()
    ]
    return [trouble for trouble in found if trouble["count"] or trouble["chosen"]]


@require_safe
@portal_view
def changed_rows(request: PortalRequest) -> HttpResponseBase:
    """What has changed in a page that is open: its rows that differ, and how many products would come before it.

    Parameters beyond the list's own: `row` for each row as `number.mark`, `first` for the place of the first one.
    """
    taxonomy = Taxonomy.load()
    address = ListAddress.parse(request.GET, taxonomy)
    columns = _columns(request, address, taxonomy)
    marks = dict(known.partition(".")[::2] for known in request.GET.getlist("row")[:_MOST_FOLLOWED])
    visible = Product.objects.visible_to(request.actor)
    found = rows_of(list(with_cover(visible.filter(public_id__in=marks))), taxonomy, columns)
    writer = _writer(request, columns)
    changed = {
        row.product.public_id: writer.rows([row], address.layout)
        for row in found
        if row.mark != marks[row.product.public_id]
    }
    first = Cursor.parse(request.GET.get("first", ""), address.chosen.order)
    return JsonResponse(
        {
            "rows": changed,
            "gone": sorted(set(marks) - {row.product.public_id for row in found}),
            "new": count_behind(Selection.of(request.actor, address.chosen), first, _COUNTED_NEW) if first else 0,
        }
    )


@posted_from("catalog:product", "public_id")
@portal_view
def edit_cell(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Change one thing in a row: `field` is `name`, `sku` or an attribute's code, `value` what it becomes.

    Answers with the row as it is then, a sentence and what undoes it; a refusal says why, and which version there is.
    """
    product = product_or_404(request, public_id)
    if not request.actor.can_edit(product.merchant_id):
        return forbidden(request)
    taxonomy = Taxonomy.load()
    address = _posted_address(request, taxonomy)
    before = services.state_of(product)
    try:
        saved = _edit(request, product)
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        version = Product.objects.values_list("version", flat=True).get(pk=product.pk)
        body = {"code": refused.code, "message": refused.message, "version": version}
        return JsonResponse(body, status=409 if refused.code == "stale" else 400)
    columns = _columns(request, address, taxonomy)
    [row] = rows_of(list(with_cover(Product.objects.filter(pk=product.pk))), taxonomy, columns)
    return JsonResponse(
        {
            "message": _("Saved."),
            "undo": saved_undo(saved, before),
            "row": _writer(request, columns).rows([row], address.layout),
        }
    )


def _edit(request: PortalRequest, product: Product) -> Product:
    field, value = request.POST.get("field", ""), request.POST.get("value", "")
    text = request.POST.get("version", "")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if field in ("name", "sku"):
        return services.update_product(actor=request.actor, product=product, version=version, **{field: value})
    return services.save_review(
        actor=request.actor, product=product, top_category=None, values={field: value}, version=version
    )


@posted_from("catalog:products")
@portal_view
def choose_columns(request: PortalRequest) -> HttpResponseBase:
    """Remember the columns that the person chose, and show the list with them."""
    taxonomy = Taxonomy.load()
    asked = ",".join(request.POST.getlist("column"))
    request.session[COLUMNS_KEY] = ",".join(chosen_columns(asked, taxonomy))
    address = replace(_posted_address(request, taxonomy), columns=())
    return redirect(f"{reverse('catalog:products')}{address.query()}")
