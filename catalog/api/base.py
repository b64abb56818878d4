"""What the endpoints of several resources share: how they find a product, and what its shapes need."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.shortcuts import get_object_or_404
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.authentication import actor_of
from catalog import services
from catalog.api import problem_types as problem_types  # registers the codes that `refusals` names
from catalog.api.serializers.values import Labels
from catalog.models import Attribute, Product, ProductImage
from catalog.progress import last_jobs
from core.api import check_version
from core.db import atomic

R = TypeVar("R")


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


@atomic
def unless_changed(request: Request, product: Product, change: Callable[[], R]) -> R:
    """Do a change, in one transaction, unless If-Match names another version of the product than the one stored.

    Raises:
        PreconditionFailed: it does.
    """
    if "HTTP_IF_MATCH" in request.META:
        check_version(request, services.lock_product(product.pk).version)
    return change()


def serializer_context(request: Request, images: Iterable[ProductImage] = ()) -> dict[str, Any]:
    """What the serializers need besides the rows: the active attributes, labels, the images' last jobs."""
    known = list(images)
    return {
        "request": request,
        "attributes": list(Attribute.objects.filter(active=True)),
        "labels": Labels(),
        "jobs": last_jobs(known) if known else {},
    }
