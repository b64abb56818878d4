"""What views do about things that a person may not see or may not change."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from accounts.portal import PortalRequest
from catalog.models import Product


def product_or_404(request: PortalRequest, public_id: str) -> Product:
    """Return the product if the person may know of it."""
    product = Product.objects.visible_to(request.actor).filter(public_id=public_id).first()
    if product is None:
        raise Http404
    return product


def forbidden(request: PortalRequest) -> HttpResponse:
    """Answer somebody who may look but not touch."""
    return render(request, "403.html", status=403)
