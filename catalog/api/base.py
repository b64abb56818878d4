"""What the endpoints of several resources share: their refusals, and how they find a product."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.authentication import actor_of
from catalog.models import Attribute, Product, ProductImage
from catalog.progress import last_jobs
from core.api import ErrorSerializer

REFUSALS: dict[int, Any] = {
    400: OpenApiResponse(ErrorSerializer, description="The request is wrong; the code says in what."),
    401: OpenApiResponse(ErrorSerializer, description="No key, or one that may not be used."),
    403: OpenApiResponse(ErrorSerializer, description="The key or person may look but not change."),
    404: OpenApiResponse(ErrorSerializer, description="There is no such thing in this merchant."),
    429: OpenApiResponse(ErrorSerializer, description="Too many requests; Retry-After says when to go on."),
}
CONFLICT: dict[int, Any] = {409: OpenApiResponse(ErrorSerializer, description="The product's state forbids it.")}


def find_product(actor: Actor, public_id: str) -> Product:
    """Return a product that the actor may know of.

    Raises:
        Http404: there is none.
    """
    return get_object_or_404(Product.objects.visible_to(actor), public_id=public_id)


def find_product_to_change(request: Request, public_id: str) -> tuple[Actor, Product]:
    """As `find_product`, and refuse readers before the body of the request is read."""
    actor = actor_of(request)
    product = find_product(actor, public_id)
    actor.require_edit(product.merchant_id)
    return actor, product


def serializer_context(request: Request, images: list[ProductImage] | None = None) -> dict[str, Any]:
    """What the serializers need besides the rows: the active attributes, and the images' last jobs."""
    return {
        "request": request,
        "attributes": list(Attribute.objects.filter(active=True)),
        "jobs": last_jobs(images) if images else {},
    }
