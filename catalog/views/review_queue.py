"""The review: doubtful products one after another, without page loads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from accounts.portal import PortalRequest, portal_view
from catalog.models import Product, ProductImage
from catalog.progress import last_jobs
from catalog.selectors import Taxonomy, products_for_review
from catalog.services import review_claims, review_queue
from catalog.services.review_order import ReviewOrder
from catalog.views.access import forbidden, product_or_404, turned_away
from catalog.views.forms import ReviewForm
from catalog.views.review_item import review_item, values_to_type
from catalog.views.review_places import places_of
from core.errors import Forbidden, Gone, Refused
from core.portal import posted_from

MOST_AHEAD = 10  # products that one request hands out
MOST_COUNTED = 1000
_MOST_HELD = 50


def _order(request: PortalRequest, taxonomy: Taxonomy) -> ReviewOrder:
    return ReviewOrder.parse(request.GET, taxonomy)


def _may_edit(request: PortalRequest) -> bool:
    if places_of(request).across:  # the administration has asked
        return True
    merchant = request.actor.merchant
    return merchant is not None and request.actor.can_edit(merchant.pk)


@require_safe
@portal_view
def review_page(request: PortalRequest) -> HttpResponseBase:
    """The page of the review; its script fetches the products, `?<filter of the list>` says which ones."""
    places = places_of(request)
    if request.actor.merchant is None and not places.across:
        return render(request, "catalog/no_merchant.html")
    taxonomy = Taxonomy.load()
    order = _order(request, taxonomy)
    products = order.products(request.actor)
    total = products.order_by()[: MOST_COUNTED + 1].count()
    context: dict[str, Any] = {
        "total": min(total, MOST_COUNTED),
        "more": total > MOST_COUNTED,
        "query": request.GET.urlencode(),
        "filtered": order.filtered,
        "values": values_to_type(taxonomy),
        "places": places,
    }
    if not _may_edit(request):
        return render(request, "catalog/review_only_looking.html", context)
    return render(request, "catalog/review.html", context)


def _items(request: PortalRequest, products: Iterable[Product], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """The products as the script puts them into the page."""
    products = list(products)
    images: list[ProductImage] = [image for product in products for image in product.current_images]  # type: ignore[attr-defined]
    jobs = last_jobs(images)
    return [
        {
            "id": product.public_id,
            "version": product.version,
            "html": render_to_string(
                "catalog/review_item.html",
                {"item": review_item(product, jobs, taxonomy), "places": places_of(request)},
                request=request,
            ),
        }
        for product in products
    ]


def _read(request: PortalRequest, pks: Collection[int], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    found = {product.pk: product for product in products_for_review(request.actor).filter(pk__in=pks)}
    return _items(request, [found[pk] for pk in pks if pk in found], taxonomy)


@posted_from("catalog:review_queue")
@portal_view
def batch(request: PortalRequest) -> HttpResponseBase:
    """Claim the next products and hand them out: as JSON with a part of a page for each, and where to go on after.

    `after` is where the last answer's `after` ended, so that nothing comes twice in one pass.
    """
    user = request.user
    if not _may_edit(request):
        return forbidden(request)
    taxonomy = Taxonomy.load()
    order = _order(request, taxonomy)
    after = request.POST.get("after", "")
    asked = request.POST.get("want", "")
    want = min(int(asked), MOST_AHEAD) if asked.isdecimal() else MOST_AHEAD
    mine = review_claims.claim_next(user=user, products=order.products(request.actor, after), want=want)
    # What somebody answered in this very moment does not belong to the queue any more.
    still = order.products(request.actor).in_bulk(mine)
    review_claims.release(user=user, products=set(mine) - set(still))
    items = _read(request, [pk for pk in mine if pk in still], taxonomy)
    last = next((still[pk] for pk in reversed(mine) if pk in still), None)
    return JsonResponse({"items": items, "after": order.place(last) if last else after, "ended": len(mine) < want})


def _again(request: PortalRequest, product: Product) -> dict[str, Any] | None:
    """The product as it is now, where there is still something to be said of it."""
    taxonomy = Taxonomy.load()
    items = _read(request, [product.pk], taxonomy)
    return items[0] if items and product.status != Product.Status.ARCHIVED else None


def _refused(request: PortalRequest, product: Product, refused: Refused) -> HttpResponse:
    if isinstance(refused, (Forbidden, Gone)):
        return turned_away(request, refused)
    product.refresh_from_db()
    answer = {"code": refused.code, "message": refused.message, "item": _again(request, product)}
    return JsonResponse(answer, status=409)


@posted_from("catalog:review_queue")
@portal_view
def answer(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Save an answer. What was changed since is left as it is: the refusal brings the product as it is now."""
    product = product_or_404(request, public_id)
    form = ReviewForm(request.POST, Taxonomy.load())
    form.is_valid()
    try:
        done = review_queue.answer(
            actor=request.actor,
            product=product,
            top_category=form.garment,
            values=form.answers,
            version=form.cleaned_data.get("version", 0),
        )
    except Refused as refused:
        return _refused(request, product, refused)
    return JsonResponse({"version": done.version, "undo": done.undo})


@posted_from("catalog:review_queue")
@portal_view
def undo(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Take an answer back and bring the product again."""
    product = product_or_404(request, public_id)
    try:
        product = review_queue.undo_answer(actor=request.actor, product=product, undo=request.POST.get("undo", ""))
    except Refused as refused:
        return _refused(request, product, refused)
    return JsonResponse({"item": _again(request, product)})


@posted_from("catalog:review_queue")
@portal_view
def claims(request: PortalRequest) -> HttpResponseBase:
    """Renew the claims that the page holds, or give them back: `leave=1`. Says which are still the person's."""
    if not _may_edit(request):
        return forbidden(request)
    held = Product.objects.visible_to(request.actor).filter(public_id__in=request.POST.getlist("id")[:_MOST_HELD])
    if request.POST.get("leave"):
        review_claims.release(user=request.user, products=list(held.values_list("pk", flat=True)))
        return JsonResponse({"kept": []})
    return JsonResponse({"kept": sorted(review_claims.keep(user=request.user, products=held))})
