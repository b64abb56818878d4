"""A product's page: what was found, what is decided, and the ways to change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.portal import PortalRequest, portal_view
from catalog import services
from catalog.models import Attribute, Product, ProductImage
from catalog.progress import jobs_of
from catalog.queue_place import queue_around
from catalog.selectors import Taxonomy, product_for_page
from catalog.views.access import carry_out, forbidden, product_or_404, turned_away
from catalog.views.forms import ReviewForm
from catalog.views.history import history_of
from catalog.views.product_page import ProductPage, build_page
from catalog.views.undo import saved_undo
from core.errors import Conflict, Forbidden, Gone, Refused
from core.portal import posted_from, wants_json

MOVES: dict[str, tuple[Callable[..., Product], Callable[[], str]]] = {
    "publish": (services.publish, lambda: _("Published.")),
    "unpublish": (services.unpublish, lambda: _("The product is no longer published.")),
    "archive": (services.archive, lambda: _("Archived. Nothing was deleted.")),
    "restore": (services.restore, lambda: _("The product is back.")),
}

_NOT_NOW = {"stale", "still_classifying", "unconfirmed"}  # refusals that are right the moment after

SESSION_KEY = "products_query"


def _list_address(request: PortalRequest) -> str:
    """The list as the person left it, with its search, filters and page.

    Only its query is remembered, so whatever the browser says of where it comes from, this leads to the list.
    """
    address, came_from = reverse("catalog:products"), request.headers.get("referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}) and urlsplit(came_from).path == address:
        request.session[SESSION_KEY] = urlsplit(came_from).query
    query = request.session.get(SESSION_KEY)
    return f"{address}?{query}" if query else address


def _page(
    request: PortalRequest, public_id: str, *, garment: str | None = None, wanted: dict[str, str] | None = None
) -> ProductPage:
    jobs = jobs_of(public_id)
    try:
        product = product_for_page(request.actor, public_id)
    except Product.DoesNotExist as error:
        raise Http404 from error
    may_edit = request.actor.can_edit(product.merchant_id)
    removed = ProductImage.objects.visible_to(request.actor).filter(product=product).exclude(archived_at=None)
    return build_page(
        product,
        jobs,
        may_edit=may_edit,
        may_delete=request.actor.can_manage(product.merchant_id, "catalog.delete_product"),
        removed=list(removed) if may_edit else [],
        garment=garment,
        wanted=wanted,
    )


def _context(request: PortalRequest, page: ProductPage, **more: Any) -> dict[str, Any]:
    shown = request.GET.get("photo", "")
    if not any(image.image.public_id == shown for image in page.images):
        shown = page.images[0].image.public_id if page.images else ""
    return {"page": page, "product": page.product, "shown": shown, "history": history_of(page), **more}


def _render(request: PortalRequest, page: ProductPage, *, status: int = 200, **more: Any) -> HttpResponse:
    queue = queue_around(request.actor, page.product)
    context = _context(request, page, queue=queue, list_address=_list_address(request), **more)
    return render(request, "catalog/product.html", context, status=status)


@require_safe
@never_cache
@portal_view
def product_page(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The page of one product. No browser keeps it: going back would mix what it showed with what was typed since."""
    return _render(request, _page(request, public_id, garment=request.GET.get("top_category")))


@require_safe
@portal_view
def live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """What changed since the page was made: 204 for nothing, else its parts for htmx to put in their places.

    The answer carries the trigger to ask again only as long as an image waits, so the polling ends with the last.
    Images are replaced only if their number changed (`images` is the page's); otherwise their boxes are.
    """
    page = _page(request, public_id, garment=request.GET.get("top_category"))
    if page.progress.polling and request.GET.get("seen") == page.seen:
        return HttpResponse(status=204)
    same_images = request.GET.get("images") == str(len(page.images))
    return render(request, "catalog/product_live.html", _context(request, page, same_images=same_images))


@require_safe
@portal_view
def values(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """The fields as they look with another garment chosen; nothing is saved."""
    page = _page(request, public_id, garment=request.GET.get("top_category", ""))
    return render(request, "catalog/product_values.html", _context(request, page))


def _unconfirmed(attributes: Sequence[Attribute]) -> Conflict:
    return Conflict(
        "unconfirmed",
        gettext_lazy("Not certain yet: %(attributes)s. Confirm the value, choose another, or leave it open."),
        {"attributes": ", ".join(attribute.name for attribute in attributes)},
    )


def _field_of(refused: Refused, form: ReviewForm) -> str:
    """The id of the control that a refusal is about; '' where it is about none in particular."""
    if refused.code.startswith(("name_", "sku_")):
        return refused.code.partition("_")[0]
    if refused.code in {"category_open", "category_needed"}:
        return "value-category"
    return f"looked-{form.unconfirmed[0].code}" if refused.code == "unconfirmed" else ""


def _refuse_review(request: PortalRequest, public_id: str, form: ReviewForm, refused: Refused) -> HttpResponseBase:
    """Say why nothing was saved; everything that was typed and chosen stays as it is."""
    status = 409 if refused.code in _NOT_NOW else 400
    field = _field_of(refused, form)
    if wants_json(request):
        body = {"code": refused.code, "message": refused.message, "field": field}
        return JsonResponse(body, status=status)
    typed = {name: form.typed(name) for name in ("name", "sku") if form.typed(name) is not None}
    page = _page(request, public_id, garment=form.garment, wanted=form.values)
    return _render(
        request, page, status=status, refused=refused, refused_field=field, typed=typed, confirmed=form.confirmed
    )


def _save(request: PortalRequest, product: Product, form: ReviewForm, action: str) -> tuple[Product, str]:
    """Save what the form says; returns the product and the sentence that tells so. Raises as `save_review` does."""
    publish = action in ("publish", "publish_now")
    if publish and form.unconfirmed:
        raise _unconfirmed(form.unconfirmed)
    saved = services.save_review(
        actor=request.actor,
        product=product,
        top_category=form.garment,
        values=form.answers,
        name=form.typed("name"),
        sku=form.typed("sku"),
        version=form.cleaned_data.get("version", 0),
        publish=publish,
        while_classifying=action == "publish_now",
    )
    if publish:
        return saved, MOVES["publish"][1]() if saved.name else _("Published. It has no name yet.")
    if form.unconfirmed:
        names = ", ".join(attribute.name for attribute in form.unconfirmed)
        return saved, _("Saved. Still to be confirmed: %(attributes)s.") % {"attributes": names}
    return saved, _("Saved.")


@posted_from("catalog:product", "public_id")
@portal_view
def review(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Save name, SKU, garment and values, and publish if that was the button. A refusal keeps what was chosen.

    Scripts get JSON: a sentence, and how the change is undone; or why nothing was saved, and the control that it is
    about.
    """
    product = product_or_404(request, public_id)
    if not request.actor.can_edit(product.merchant_id):
        return forbidden(request)
    form = ReviewForm(request.POST, Taxonomy.load())
    form.is_valid()
    action = request.POST.get("action", "")
    if action == "look":
        return _render(request, _page(request, public_id, garment=form.garment))
    before = services.state_of(product)
    try:
        saved, said = _save(request, product, form, action)
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        return _refuse_review(request, public_id, form, refused)
    if wants_json(request):
        return JsonResponse({"message": said, "undo": saved_undo(saved, before)})
    messages.success(request, said)
    return redirect("catalog:product", public_id)


@posted_from("catalog:product", "public_id")
@portal_view
def move(request: PortalRequest, public_id: str, action: str) -> HttpResponseBase:
    """Publish, take back, archive or restore."""
    if action not in MOVES:
        raise Http404
    product = product_or_404(request, public_id)
    service, sentence = MOVES[action]
    return carry_out(request, public_id, lambda: service(actor=request.actor, product=product), sentence)


@posted_from("catalog:product", "public_id")
@portal_view
def delete(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Delete an archived product for good. The page's form says before what goes with it."""
    product = product_or_404(request, public_id)
    try:
        services.delete_product(actor=request.actor, product=product)
    except Forbidden:
        return forbidden(request)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("catalog:product", public_id)
    messages.success(request, _("%(product)s was deleted for good.") % {"product": product})
    return redirect("catalog:products")


@posted_from("catalog:product", "public_id")
@portal_view
def details(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Change name and SKU alone, as other pages do. Scripts get JSON, a form gets the product's page."""
    product = product_or_404(request, public_id)
    name, sku = request.POST.get("name"), request.POST.get("sku")
    as_json = wants_json(request)
    try:
        services.update_product(actor=request.actor, product=product, name=name, sku=sku)
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        if as_json:
            return JsonResponse({"code": refused.code, "message": refused.message}, status=400)
        typed = {"name": name or "", "sku": sku or ""}
        field = refused.code.partition("_")[0]
        page = _page(request, public_id)
        return _render(request, page, status=400, refused=refused, refused_field=field, typed=typed)
    if as_json:
        return JsonResponse({})
    messages.success(request, _("Saved."))
    return redirect("catalog:product", public_id)
