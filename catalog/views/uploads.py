"""Images of a product coming in, and going; catalog.views.new_product begins one.

Each view answers a plain form with a page, and the upload script (`Accept: application/json`) with JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Merchant
from accounts.portal import PortalRequest, portal_view
from catalog import services
from catalog.models import Product
from catalog.selectors import same_images_elsewhere
from catalog.services import uploads
from catalog.views.access import carry_out, product_or_404, turned_away
from core.errors import Conflict, Forbidden, Gone, Refused
from core.portal import posted_from, wants_json

FILES = "images"


def received_json(received: Sequence[uploads.Received]) -> list[dict[str, Any]]:
    """Say of each file what became of it, and in which other products the same image is."""
    images = [entry.image for entry in received if entry.image]
    same = same_images_elsewhere(images[0].product, images) if images else []
    return [
        {
            "name": entry.name,
            "code": entry.refusal.code if entry.refusal else None,
            "message": entry.refusal.message if entry.refusal else None,
            "thumbnail": reverse("catalog:media", args=[entry.image.public_id, "thumbnail"]) if entry.image else None,
            "same": [
                {"name": str(other.product), "page": reverse("catalog:product", args=[other.product.public_id])}
                for other in same
                if entry.image and entry.image.sha256 in other.checksums
            ],
        }
        for entry in received
    ]


def product_json(product: Product) -> dict[str, str]:
    """Return the addresses of a product that the upload script needs."""
    return {
        "page": reverse("catalog:product", args=[product.public_id]),
        "images": reverse("catalog:add_images", args=[product.public_id]),
        "details": reverse("catalog:details", args=[product.public_id]),
    }


def refused_json(refused: Refused, received: Sequence[uploads.Received] = ()) -> JsonResponse:
    """Tell a script why a request was turned down."""
    body = {"code": refused.code, "message": refused.message, "received": received_json(received)}
    return JsonResponse(body, status=403 if isinstance(refused, Forbidden) else 400)


def tell(request: PortalRequest, received: Sequence[uploads.Received]) -> None:
    """Say on the next page what became of each file."""
    kept = sum(entry.image is not None for entry in received)
    if kept:
        text = ngettext("%(count)d photo was stored.", "%(count)d photos were stored.", kept)
        messages.success(request, text % {"count": kept})
    for entry in received:
        if entry.refusal:
            messages.error(request, _("%(file)s: %(reason)s") % {"file": entry.name, "reason": entry.refusal.message})


def place_of(request: PortalRequest) -> int | None:
    """The image's position among the product's, as the script says, if that can be."""
    place = request.POST.get("place", "")
    return int(place) if place.isdecimal() and len(place) < 5 else None


def check_merchant(request: PortalRequest, merchant: Merchant) -> None:
    """Raise Conflict `other_merchant` if the form was opened in another merchant than the person works in now.

    A member of two merchants can switch in another window; the images belong to the one that the page names.
    """
    if request.GET.get("merchant", merchant.public_id) != merchant.public_id:
        raise Conflict(
            "other_merchant",
            _("You now work in %(merchant)s, but this page is of another shop. Nothing was stored: switch back first."),
            {"merchant": merchant.name},
        )


@posted_from("catalog:product", "public_id")
@portal_view
def add_images(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Add images to a product."""
    product = product_or_404(request, public_id)
    try:
        received = uploads.add_images(
            actor=request.actor, product=product, files=request.FILES.getlist(FILES), place=place_of(request)
        )
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        if wants_json(request):
            return refused_json(refused)
        messages.error(request, refused.message)
        return redirect("catalog:product", public_id)
    if wants_json(request):
        return JsonResponse({"received": received_json(received), "product": product_json(product)})
    tell(request, received)
    return redirect("catalog:product", public_id)


def _image_view(
    service: Callable[..., object], done: Callable[[], str], doc: str
) -> Callable[[PortalRequest, str, str], HttpResponseBase]:
    """A view that does one thing with an image and says so, or why it was not done."""

    def view(request: PortalRequest, public_id: str, image_id: str) -> HttpResponseBase:
        product = product_or_404(request, public_id)
        image = product.images.filter(public_id=image_id).first()
        if image is None:
            return redirect("catalog:product", public_id)
        said = {"file": image.original_name}
        return carry_out(request, public_id, lambda: service(actor=request.actor, image=image), lambda: done() % said)

    view.__doc__ = doc
    return posted_from("catalog:product", "public_id")(portal_view(view))


remove_image = _image_view(
    services.archive_image, lambda: _("%(file)s was removed."), "Take an image away from its product."
)
put_back_image = _image_view(uploads.put_back, lambda: _("%(file)s was put back."), "Let a removed image count again.")
delete_image = _image_view(
    services.delete_image, lambda: _("%(file)s was deleted for good."), "Delete a removed image for good."
)
