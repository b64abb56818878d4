"""Creating a product together with its photographs.

The admin saves in one transaction, and decoding takes its time: so photographs are written before that begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

from accounts.actors import Actor
from catalog import intake, services
from catalog.models import Product

_prepared: ContextVar[intake.Prepared | None] = ContextVar("prepared", default=None)
"""The photographs of the product that is being created: Django's hooks in between hand nothing on."""


@contextmanager
def photographs_first(model_admin: ModelAdmin[Product], request: HttpRequest) -> Iterator[None]:
    """Write the photographs of a product that `create` creates within the block; those without a row go again after it.

    Nothing is decoded where the form is wrong or the person may not create products: then there will be no product.
    """
    files = request.FILES.getlist("photographs")
    allowed = files and model_admin.has_add_permission(request)
    if not allowed or not model_admin.get_form(request)(request.POST, request.FILES).is_valid():
        yield
        return
    with intake.prepared_product(files) as prepared:
        token = _prepared.set(prepared)
        try:
            yield
        finally:
            _prepared.reset(token)


def create(actor: Actor, data: dict[str, Any]) -> tuple[Product, list[intake.Received]]:
    """Create a product from the form's merchant, name and SKU, with the good ones of its photographs, if it has any.

    Returns:
        The product, and what became of each photograph.

    Raises:
        Refused: as `services.create_product` does.
    """
    given = {"actor": actor, "merchant": data["merchant"], "name": data["name"], "sku": data["sku"]}
    prepared = _prepared.get()
    product = intake.create_prepared(prepared=prepared, **given) if prepared else None
    return product or services.create_product(**given), prepared.received() if prepared else []
