"""The list of a merchant's products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.portal import PortalRequest, portal_view
from catalog.models import CATEGORY, AttributeValue, Product, ProductAttribute, ProductImage
from catalog.progress import last_jobs
from catalog.selectors import products_for_list, values_of
from catalog.views.forms import ProductFilterForm

PAGE_SIZE = 50


@dataclass(frozen=True)
class Line:
    """One product of the list."""

    product: Product
    images: list[ProductImage]
    values: list[ProductAttribute]
    garments: list[str]

    @property
    def undecided_garment(self) -> bool:
        """Whether a person has to say which of the garments found the product is."""
        return self.product.top_category_source == Product.TopCategorySource.NONE and bool(self.garments)

    @property
    def nothing_found(self) -> bool:
        """Whether the images were looked at, but there is nothing to propose and nobody has decided yet."""
        waits = self.product.status in {Product.Status.DRAFT, Product.Status.CLASSIFYING}
        return not waits and not self.product.proposal.candidates and not any(value.value_id for value in self.values)


def _categories() -> list[AttributeValue]:
    return list(
        AttributeValue.objects.filter(attribute__code=CATEGORY, active=True, merged_into=None)
        .select_related("parent")
        .order_by("position", "id")
    )


def _choices(categories: list[AttributeValue]) -> dict[str, list[tuple[str, str]]]:
    """Categories by the name of their top-level category; one without values below it can be chosen itself."""
    groups: dict[str, list[tuple[str, str]]] = {}
    parents = {value.parent_id for value in categories}
    for value in categories:
        if value.pk not in parents:
            groups.setdefault((value.parent or value).name, []).append((value.code, value.name))
    return groups


def _lines(page: Page[Product], categories: list[AttributeValue]) -> list[Line]:
    top_categories = {value.code: value.name for value in categories if value.parent_id is None}
    return [
        Line(
            product=product,
            images=product.current_images,  # type: ignore[attr-defined]  # prefetched to this attribute
            values=[value for value in values_of(product).values() if value.attribute.active],
            garments=[
                top_categories[candidate.top_category]
                for candidate in product.proposal.candidates
                if candidate.top_category in top_categories
            ],
        )
        for product in page.object_list
    ]


def _failed(lines: list[Line]) -> set[int]:
    """Ids of products that show nothing because an image of theirs could not be classified; one query at most."""
    images = [image for line in lines if line.nothing_found for image in line.images]
    jobs = last_jobs(images)
    return {image.product_id for image in images if image.pk in jobs and jobs[image.pk].state == "failed"}


def _status_counts(request: PortalRequest) -> dict[str, int]:
    rows = Product.objects.visible_to(request.actor).order_by().values_list("status").annotate(Count("id"))
    return dict(rows)


@require_safe
@portal_view
def product_list(request: PortalRequest) -> HttpResponseBase:
    """The merchant's products, newest first, with what is known of them; searched, filtered and in pages."""
    if request.actor.merchant is None:
        return render(request, "catalog/no_merchant.html")
    categories = _categories()
    form = ProductFilterForm(request.GET, _choices(categories))
    paginator = Paginator(form.apply(products_for_list(request.actor)), PAGE_SIZE)
    page = paginator.get_page(request.GET.get("page"))
    counts = _status_counts(request)
    chosen = request.GET.get("status", "")
    tabs: list[dict[str, Any]] = [
        {"value": "", "label": _("All"), "count": sum(counts.values()) - counts.get(Product.Status.ARCHIVED, 0)}
    ]
    tabs += [
        {"value": status, "label": label, "count": counts.get(status, 0)} for status, label in Product.Status.choices
    ]
    lines = _lines(page, categories)
    context = {
        "form": form,
        "page": page,
        "lines": lines,
        "failed": _failed(lines),
        "tabs": tabs,
        "chosen": chosen,
        "total": sum(counts.values()),
        "filtered": bool(request.GET.get("q") or chosen or request.GET.get("category")),
    }
    return render(request, "catalog/products.html", context)
