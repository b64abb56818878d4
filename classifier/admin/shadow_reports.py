"""What candidates would change, side by side with what is proposed now and what people decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import MerchantData, ReadOnlyAdmin
from catalog.admin.image_html import drawn
from catalog.certainty import percent
from catalog.models import Attribute, AttributeValue, Product, ProductImage
from classifier.admin.advice import of_report
from classifier.models import ShadowReport
from classifier.registry import shadow
from core.admin.base import link_to
from core.admin.theme import display


class _Names:
    """What the codes in a report are called today."""

    def __init__(self) -> None:
        self._attributes = {attribute.code: attribute.name for attribute in Attribute.objects.all()}
        values = AttributeValue.objects.select_related("attribute")
        self._values = {(value.attribute.code, value.code): value.name for value in values}

    def attribute(self, code: str) -> str:
        return str(_("Chosen garment")) if code == shadow.CHOSEN_GARMENT else self._attributes.get(code, code)

    def value(self, attribute: str, code: str | None) -> str:
        if not code:
            return str(_("open"))
        return self._values.get(("category" if attribute == shadow.CHOSEN_GARMENT else attribute, code), code)


@admin.register(ShadowReport)
class ShadowReportAdmin(ReadOnlyAdmin[ShadowReport], MerchantData[ShadowReport]):
    """Written by the worker when a candidate has seen its last image."""

    list_display = ("candidate", "images", "products", "changed", "created_at")
    list_select_related = ("candidate",)
    fields = ("candidate", "operation", "created_at", "images", "products", "changed")
    change_form_after_template = "admin/classifier/shadow_report.html"

    class Media:
        css = {"all": ("admin/images.css", "css/chart.css", "admin/quality.css")}

    @display(description=_("photos"))
    def images(self, report: ShadowReport) -> int:
        """How many it looked at."""
        return int(report.figures["images"])

    @display(description=_("products"))
    def products(self, report: ShadowReport) -> int:
        """Whose images those are."""
        return int(report.figures["products"])

    @display(description=_("would change"))
    def changed(self, report: ShadowReport) -> str:
        """For how many of the products anything would be proposed otherwise."""
        products = report.figures["products"]
        share = percent(report.figures["changed"] / products) if products else ""
        return f"{report.figures['changed']} ({share})" if share else "0"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the report below the fields, which the theme asks for several times."""
        report = self.get_object(request, object_id)
        shown = _tables(report) if report and self.has_view_permission(request, report) else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})


def _tables(report: ShadowReport) -> dict[str, Any]:
    """The report by attribute, by change, and product by product with images."""
    names = _Names()
    products = Product.objects.in_bulk({entry["product"] for entry in report.changes})
    images = ProductImage.objects.in_bulk({entry["image"] for entry in report.changes})
    return {
        "verdict": of_report(report),
        "attributes": [
            {
                "name": names.attribute(code),
                "changed": found["changed"],
                "decided": found["decided"],
                "now": _share(found["now"], found["decided"]),
                "then": _share(found["then"], found["decided"]),
            }
            for code, found in report.figures["attributes"].items()
        ],
        "moves": [_named(entry, names) | {"products": entry["products"]} for entry in report.figures["moves"]],
        "products": [
            {
                "product": link_to(products[product]),
                "image": drawn(images[changes[0]["image"]], garments=()),
                "changes": [
                    _named(entry, names)
                    | {"decided": names.value(entry["attribute"], entry["decided"]) if entry["decided"] else ""}
                    for entry in changes
                ],
            }
            for product, changes in _by_product(report.changes)
            if product in products and changes[0]["image"] in images
        ],
    }


def _by_product(changes: Iterable[dict[str, Any]]) -> Iterable[tuple[int, list[dict[str, Any]]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for entry in changes:
        found[entry["product"]].append(entry)
    return found.items()


def _share(count: int, total: int) -> str:
    return f"{count} ({percent(count / total)})" if total else ""


def _named(entry: dict[str, Any], names: _Names) -> dict[str, str]:
    code = entry["attribute"]
    return {
        "attribute": names.attribute(code),
        "before": names.value(code, entry["from"]),
        "after": names.value(code, entry["to"]),
    }
