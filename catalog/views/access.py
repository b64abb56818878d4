"""What views do about things that a person may not see or may not change."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.portal import PortalRequest
from catalog.models import Product
from core.errors import Forbidden, Gone, Refused
from core.portal import wants_json


def product_or_404(request: PortalRequest, public_id: str) -> Product:
    """Return the product if the person may know of it."""
    product = Product.objects.visible_to(request.actor).filter(public_id=public_id).first()
    if product is None:
        raise Http404
    return product


def forbidden(request: PortalRequest) -> HttpResponse:
    """Answer a person who may look but not touch."""
    if wants_json(request):
        message = _("Your role in this shop does not include changes. Nothing was changed.")
        return JsonResponse({"code": "forbidden", "message": message}, status=403)
    return render(request, "403.html", status=403)


def turned_away(request: PortalRequest, refused: Forbidden | Gone) -> HttpResponse:
    """Answer somebody who may look but not touch, or who touches what was deleted meanwhile."""
    if isinstance(refused, Forbidden):
        return forbidden(request)
    if wants_json(request):
        return JsonResponse({"code": refused.code, "message": refused.message}, status=404)
    return render(request, "404.html", {"sentence": refused.message}, status=404)


def refuse(request: PortalRequest, refused: Refused, page: str, *arguments: str) -> HttpResponse:
    """Answer what cannot be done: a script's person stays where they are, others get that page and why."""
    if isinstance(refused, Forbidden):
        return forbidden(request)
    if wants_json(request):
        return JsonResponse({"code": refused.code, "message": refused.message}, status=409)
    messages.error(request, refused.message)
    return redirect(page, *arguments)


def carry_out(
    request: PortalRequest, public_id: str, operation: Callable[[], object], done: Callable[[], str]
) -> HttpResponse:
    """Do something to a product, and say on its page that it is done, or why it is not. Scripts get JSON."""
    try:
        operation()
    except (Forbidden, Gone) as refused:
        return turned_away(request, refused)
    except Refused as refused:
        return refuse(request, refused, "catalog:product", public_id)
    if wants_json(request):
        return JsonResponse({"message": done()})
    messages.success(request, done())
    return redirect("catalog:product", public_id)
