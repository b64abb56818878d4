"""The page for a new product: images come in one by one, and nothing exists before the person says so.

The page works as a plain form, too. Its script (`Accept: application/json`) keeps what it uploads in a draft, see
catalog.services.drafts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Merchant
from accounts.portal import PortalRequest, portal_view
from catalog.models import DraftImage, UploadDraft
from catalog.selectors import SameImages, products_with_images
from catalog.services import drafts, uploads
from catalog.services.products import check_sku_free, clean_name, clean_sku
from catalog.views.access import forbidden
from catalog.views.media import image_response
from catalog.views.uploads import FILES, check_merchant, place_of, product_json, received_json, refused_json, tell
from core.errors import Gone, Refused
from core.ids import is_public_id, public_id
from core.portal import posted_from, wants_json


@dataclass(frozen=True)
class Waiting:
    """A draft that the person may go on with."""

    number: str
    title: str
    count: int
    begun: datetime


def _thumbnail(draft: str, image: str) -> str:
    return reverse("catalog:draft_thumbnail", args=[draft, image])


def _same_json(found: Sequence[SameImages], checksum: str) -> list[dict[str, str]]:
    return [
        {"name": str(same.product), "page": reverse("catalog:product", args=[same.product.public_id])}
        for same in found
        if checksum in same.checksums
    ]


def _place_in_draft(number: str, image: DraftImage | None, found: Sequence[SameImages]) -> dict[str, Any]:
    """What a script must know of an image of the draft; nothing for a file that was turned away."""
    return {
        "id": image.public_id if image else None,
        "thumbnail": _thumbnail(number, image.public_id) if image else None,
        "same": _same_json(found, image.sha256) if image else [],
    }


def _checksum(entry: uploads.Received) -> str:
    """The checksum of what was stored now, or was there already: its answer may have been lost on the way."""
    return entry.image.sha256 if entry.image else str(entry.refusal.params.get("sha256", "")) if entry.refusal else ""


def _draft_json(merchant: Merchant, draft: UploadDraft) -> list[dict[str, Any]]:
    images = list(draft.images.all())
    found = products_with_images(merchant.pk, {image.sha256 for image in images})
    return [{"name": image.original_name} | _place_in_draft(draft.public_id, image, found) for image in images]


def form_context(request: PortalRequest, merchant: Merchant, draft: UploadDraft | None = None) -> dict[str, Any]:
    """What `catalog/new_product_form.html` shows: the draft or what was typed, else an empty form."""
    return {
        "number": draft.public_id if draft else public_id(),
        "images": _draft_json(merchant, draft) if draft else [],
        "name": request.POST.get("name", draft.name if draft else ""),
        "sku": request.POST.get("sku", draft.sku if draft else ""),
        "max_files": settings.OTJANG_MAX_IMAGES_PER_PRODUCT,
        "max_bytes": settings.OTJANG_MAX_UPLOAD_BYTES,
        "max_megabytes": settings.OTJANG_MAX_UPLOAD_BYTES // 2**20,
    }


def _page(
    request: PortalRequest,
    merchant: Merchant,
    refused: Refused | None = None,
    received: Sequence[uploads.Received] = (),
) -> HttpResponse:
    asked = request.POST.get("draft") or request.GET.get("draft", "")
    draft = drafts.find_draft(request.actor, merchant, asked) if asked else None
    waiting = [
        Waiting(one.public_id, one.name or one.sku, len(one.images.all()), one.created_at)
        for one in drafts.drafts_of(request.actor, merchant)
        if draft is None or one.pk != draft.pk
    ]
    context = form_context(request, merchant, draft) | {
        "refused": refused,
        "received": received,
        "draft": draft,
        "waiting": waiting,
        "registered": drafts.registered(request.actor, asked) if asked and draft is None else None,
    }
    return render(request, "catalog/new_product.html", context, status=400 if refused or received else 200)


def _register(request: PortalRequest, merchant: Merchant) -> HttpResponseBase:
    number = request.POST.get("draft", "")
    try:
        check_merchant(request, merchant)
        product, received = drafts.register(
            actor=request.actor,
            merchant=merchant,
            number=number if is_public_id(number) else public_id(),
            name=request.POST.get("name", ""),
            sku=request.POST.get("sku", ""),
            order=request.POST.getlist("order"),
            files=request.FILES.getlist(FILES),
        )
    except Refused as refused:
        return refused_json(refused) if wants_json(request) else _page(request, merchant, refused)
    if wants_json(request):
        body: dict[str, Any] = {"received": received_json(received)}
        return JsonResponse(body | {"product": product_json(product)} if product else body)
    if product is None:
        return _page(request, merchant, received=received)
    tell(request, received)
    return redirect("catalog:product", product.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def new_product(request: PortalRequest) -> HttpResponseBase:
    """Make a product of a draft's images and of those that come along; SKU and name can wait. It is made once."""
    if request.method != "POST" and not request.path.endswith("/"):  # as it was called before
        query = request.GET.urlencode()
        return redirect(reverse("catalog:new_product") + (f"?{query}" if query else ""))
    merchant = request.actor.merchant
    if merchant is None:
        return render(request, "catalog/no_merchant.html")
    if not request.actor.can_edit(merchant.pk):
        return forbidden(request)
    return _register(request, merchant) if request.method == "POST" else _page(request, merchant)


def _of_draft(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Give the view the merchant that the person works in, and answer what a service turns down."""

    def wrapper(request: PortalRequest, /, number: str, **more: str) -> HttpResponseBase:
        merchant = request.actor.merchant
        if merchant is None or not request.actor.can_edit(merchant.pk):
            return forbidden(request)
        try:
            return view(request, merchant, number, **more)
        except Gone as refused:
            return JsonResponse({"code": refused.code, "message": refused.message}, status=410)
        except Refused as refused:
            return refused_json(refused)

    wrapper.__doc__ = view.__doc__
    return posted_from("catalog:new_product")(portal_view(wrapper))


@_of_draft
def draft_images(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Add images to the draft, which begins with the first one."""
    received = drafts.add_images(
        actor=request.actor,
        merchant=merchant,
        number=number,
        files=request.FILES.getlist(FILES),
        place=place_of(request),
    )
    draft = drafts.find_draft(request.actor, merchant, number)
    there = {image.sha256: image for image in draft.images.all()} if draft else {}
    checksums = {_checksum(entry) for entry in received} & set(there)
    found = products_with_images(merchant.pk, checksums)
    entries = [
        {
            "name": entry.name,
            "code": entry.refusal.code if entry.refusal else None,
            "message": entry.refusal.message if entry.refusal else None,
            **_place_in_draft(number, there.get(_checksum(entry)), found),
        }
        for entry in received
    ]
    return JsonResponse({"received": entries})


@_of_draft
def remove_draft_image(request: PortalRequest, merchant: Merchant, number: str, image_id: str) -> HttpResponseBase:
    """Take an image out of the draft."""
    drafts.remove_image(actor=request.actor, merchant=merchant, number=number, image=image_id)
    return JsonResponse({})


def _complaints(merchant: Merchant, name: str, sku: str) -> dict[str, str]:
    """What would be turned down if it were registered now, by field."""
    complaints = {}
    try:
        clean_name(name)
    except Refused as refused:
        complaints["name"] = refused.message
    try:
        check_sku_free(merchant.pk, clean_sku(sku))
    except Refused as refused:
        complaints["sku"] = refused.message
    return complaints


@_of_draft
def save_draft(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Remember what was typed and the order, and say already now what would be turned down."""
    name, sku = request.POST.get("name", ""), request.POST.get("sku", "")
    order = request.POST.getlist("order")
    drafts.save(actor=request.actor, merchant=merchant, number=number, name=name, sku=sku, order=order)
    return JsonResponse({"complaints": _complaints(merchant, name, sku)})


@_of_draft
def discard_draft(request: PortalRequest, merchant: Merchant, number: str) -> HttpResponseBase:
    """Drop the draft."""
    drafts.drop(actor=request.actor, merchant=merchant, number=number)
    return JsonResponse({}) if wants_json(request) else redirect("catalog:new_product")


@require_safe
@portal_view
def draft_thumbnail(request: PortalRequest, number: str, image_id: str) -> HttpResponseBase:
    """The small copy of a draft's image, for the draft's owner alone."""
    merchant = request.actor.merchant
    image = drafts.find_draft_image(request.actor, merchant, number, image_id) if merchant else None
    if image is None:
        raise Http404
    return image_response(request, image, "thumbnail")
