"""What of the portal is the classifier's: asking for another look, and drawing where garments are."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.portal import PortalRequest, portal_view
from catalog.certainty import percent
from catalog.models import CATEGORY, ProductImage
from catalog.views.access import product_or_404, turned_away
from classifier import garments
from classifier.garments import ShownGarment
from classifier.jobs import requests
from core.errors import Conflict, Forbidden, Gone, Invalid, Refused
from core.portal import posted_from
from vision.engine.results import Box


@posted_from("catalog:product", "public_id")
@portal_view
def classify_again(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """Queue all images of a product once more."""
    product = product_or_404(request, public_id)
    try:
        queued = requests.classify_again(actor=request.actor, product=product)
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("catalog:product", public_id)
    if queued:
        text = ngettext(
            "%(count)d photo is classified once more.", "%(count)d photos are classified once more.", queued
        )
        messages.success(request, text % {"count": queued})
    else:
        messages.info(request, _("Every photo waits already."))
    return redirect("catalog:product", public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def boxes(request: PortalRequest, public_id: str, image_id: str) -> HttpResponseBase:
    """List what an image shows; a POST draws a garment: `box` in fractions of the image, and `top_category`."""
    image = _image(request, public_id, image_id)
    if request.method != "POST":
        return _answer(image)

    def draw() -> int:
        said = _body(request)
        drawn = garments.draw(
            actor=request.actor, image=image, box=_box(said), top_category=_text(said, "top_category") or ""
        )
        return drawn.pk

    return _carry_out(request, image, draw)


@posted_from("catalog:product", "public_id")
@portal_view
def change_box(request: PortalRequest, public_id: str, image_id: str, garment: int) -> HttpResponseBase:
    """Move or resize a garment, or say what it is; the answer names the one that takes its place."""
    image = _image(request, public_id, image_id)

    def change() -> int:
        said = _body(request)
        box = _box(said) if "box" in said else None
        level = _text(said, "top_category")
        return garments.change(actor=request.actor, image=image, garment=garment, box=box, top_category=level).pk

    return _carry_out(request, image, change)


@posted_from("catalog:product", "public_id")
@portal_view
def remove_box(request: PortalRequest, public_id: str, image_id: str, garment: int) -> HttpResponseBase:
    """Say that a box shows no garment; the answer names what to take back if it was a mistake."""
    image = _image(request, public_id, image_id)
    return _carry_out(request, image, lambda: garments.remove(actor=request.actor, image=image, garment=garment).pk)


@posted_from("catalog:product", "public_id")
@portal_view
def take_back_box(request: PortalRequest, public_id: str, image_id: str, garment: int) -> HttpResponseBase:
    """Undo what was done last to a garment; the answer names what is there again, if anything is."""
    image = _image(request, public_id, image_id)

    def take_back() -> int | None:
        before = garments.take_back(actor=request.actor, image=image, garment=garment)
        return before.pk if before is not None else None

    return _carry_out(request, image, take_back)


@posted_from("catalog:product", "public_id")
@portal_view
def describe_boxes(request: PortalRequest, public_id: str, image_id: str) -> HttpResponseBase:
    """Let a worker try once more to say what was drawn."""
    image = _image(request, public_id, image_id)
    return _carry_out(request, image, lambda: garments.describe_again(actor=request.actor, image=image))


def _image(request: PortalRequest, public_id: str, image_id: str) -> ProductImage:
    product = product_or_404(request, public_id)
    return get_object_or_404(product.images.filter(archived_at=None).select_related("product"), public_id=image_id)


def _body(request: PortalRequest) -> dict[str, Any]:
    try:
        said = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Invalid("invalid", _("This is not valid JSON.")) from error
    return said if isinstance(said, dict) else {}


def _box(said: dict[str, Any]) -> Box:
    edges = said.get("box")
    if not isinstance(edges, list) or not all(isinstance(edge, int | float) for edge in edges) or len(edges) != 4:
        raise Invalid("bad_box", _("This box is too small, or not in the photo."))
    x1, y1, x2, y2 = (float(edge) for edge in edges)
    return x1, y1, x2, y2


def _text(said: dict[str, Any], name: str) -> str | None:
    value = said.get(name)
    return None if value is None else str(value)


def _carry_out(request: PortalRequest, image: ProductImage, operation: Callable[[], int | None]) -> HttpResponse:
    """Do something to an image's garments, and answer with what it shows then; refusals as JSON."""
    try:
        pk = operation()
    except Refused as refused:
        if isinstance(refused, Forbidden | Gone):
            status = 403 if isinstance(refused, Forbidden) else 404
        else:
            status = 409 if isinstance(refused, Conflict) else 400
        return JsonResponse({"code": refused.code, "message": refused.message}, status=status)
    return _answer(image, garment=pk)


def _answer(image: ProductImage, **more: Any) -> JsonResponse:
    shown = garments.shown_garments(image)
    levels = [{"code": value.code, "name": value.name} for value in garments.top_categories()]
    return JsonResponse({"garments": [_described(garment) for garment in shown], "topCategories": levels, **more})


def _described(garment: ShownGarment) -> dict[str, Any]:
    """A garment for the editor; `text` is what the models take it for, in words."""
    category = next((said for said in garment.values if said.attribute == CATEGORY), None)
    said = f"{category.name} {percent(category.confidence)}" if category is not None else ""
    return {
        "id": garment.id,
        "box": [round(edge, 5) for edge in garment.box],
        "byPerson": garment.by_person,
        "state": garment.state,
        "problem": garment.problem,
        "topCategory": garment.top_category,
        "text": said,
    }
