"""What each operation of the API answers to whom. An operation of the schema without a row fails the walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from accounts.actors import system
from accounts.models import Operation
from catalog.models import Product, ProductImage
from classifier.jobs import requests
from classifier.models import Classification
from tests.support.drawn_images import upload
from tests.support.import_files import csv_file

World = dict[str, Any]


def _nothing(world: World) -> None:
    """Most operations find what they need."""


@dataclass(frozen=True)
class Row:
    """One operation: the scope that it needs, and what it answers to who may call it.

    Attributes:
        scope: read, write, classify, or open (everybody).
        ok: the status for who may.
        body: JSON, or a function that makes it of the world; None sends none.
        form: fields of a form instead, likewise.
        ids: what of the world the names in the address stand for, where that is not under the same name.
        shared: nothing in the address belongs to a merchant.
        owner_only: an editor may not.
        editor: the status for an editor, where it is another one: removed images are only seen by owners and keys.
        own: who works as another person may not: it is that person's alone.
        foreign: the status for another merchant, where it is another one than 404 for its ids.
        needs_merchant: staff without one are refused, though they only read.
        prepare: brings the world into a state in which it works.
        query: of the address.
        headers: of the request.
    """

    scope: str
    ok: int
    body: Any = None
    form: Callable[[World], dict[str, Any]] | None = None
    ids: dict[str, str] = field(default_factory=dict)
    shared: bool = False
    owner_only: bool = False
    editor: int | None = None
    own: bool = False
    foreign: int | None = None
    needs_merchant: bool = False
    prepare: Callable[[World], None] = _nothing
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def _archive(world: World) -> None:
    Product.objects.filter(pk=world["product"].pk).update(status="archived", archived_at="2026-01-01T00:00Z")


def _archive_image(world: World) -> None:
    ProductImage.objects.filter(public_id=world["image_id"]).update(archived_at="2026-01-01T00:00Z")


def _publish(world: World) -> None:
    Product.objects.filter(pk=world["product"].pk).update(status="published", published_at="2026-01-01T00:00Z")


def _fail(world: World) -> None:
    Classification.objects.filter(pk=world["job_id"]).update(state="failed", error_code="gave_up")


def _queue(world: World) -> None:
    requests.classify_again(actor=system(), product=world["product"])
    world["job_id"] = Classification.objects.latest("pk").pk


def _in_state(state: str) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        Operation.objects.filter(public_id=world["operation"]).update(state=state)

    return prepare


_OPERATION = {"ids": {"public_id": "operation"}}
_ENDED = {"ids": {"public_id": "ended_operation"}}
_IMAGES = {"form": lambda world: {"images": [upload("new.jpg", color="navy")]}}
_OWNERS = {"owner_only": True, "needs_merchant": True, "own": True}

TABLE: dict[str, Row] = {
    "attributes_list": Row("read", 200),
    "problems_list": Row("open", 200),
    "problems_read": Row("open", 200, ids={"code": "problem"}, shared=True),
    "usage_read": Row("read", 200, needs_merchant=True),
    "products_list": Row("read", 200),
    "products_create": Row("write", 201, {"name": "New"}),
    "products_read": Row("read", 200),
    "products_update": Row("write", 200, {"name": "Changed"}),
    "products_publish": Row("write", 200),
    "products_classify": Row("write", 202),
    "products_attributes_decide": Row("write", 200, {"value": "linen"}, ids={"code": "attribute"}),
    "products_attributes_withdraw": Row("write", 200, ids={"code": "attribute"}),
    "products_images_create": Row("write", 201, **_IMAGES),
    "products_images_read": Row("read", 200),
    "products_images_garments_list": Row("read", 200),
    "products_images_garments_create": Row("write", 201, {"box": [0.1, 0.1, 0.4, 0.5]}),
    "products_images_garments_change": Row("write", 200, {"box": [0.2, 0.2, 0.9, 0.9]}),
    "products_images_garments_remove": Row("write", 204),
    "products_images_garments_read": Row("read", 200),
    "products_fetches_list": Row("read", 200),
    "products_fetches_read": Row("read", 200),
    "products_classification_read": Row("read", 200),
    "products_classification_cancel": Row("write", 200, prepare=_queue),
    "classifications_list": Row("read", 200),
    "classifications_read": Row("read", 200),
    "classifications_retry": Row("write", 202, prepare=_fail),
    "classifications_cancel": Row("write", 200, prepare=_queue),
    "classify_create": Row("classify", 202, headers={"Prefer": "wait=0"}, **_IMAGES),
    "classify_read": Row("classify", 200, ids={"public_id": "asked"}),
    "classify_delete": Row("classify", 204, ids={"public_id": "asked"}),
    "models_list": Row("read", 200),
    "models_read": Row("read", 200, shared=True),
    "webhooks_list": Row("read", 200, **_OWNERS),
    "webhooks_create": Row("write", 201, {"url": "https://shop.example/hook"}, **_OWNERS),
    "webhooks_read": Row("read", 200, **_OWNERS),
    "webhooks_update": Row("write", 200, {"description": "Changed"}, **_OWNERS),
    "webhooks_delete": Row("write", 204, **_OWNERS),
    "webhooks_rotate": Row("write", 200, **_OWNERS),
    "webhooks_test": Row("write", 202, **_OWNERS),
    "webhooks_deliveries_list": Row("read", 200, **_OWNERS),
    "webhooks_deliveries_read": Row("read", 200, **_OWNERS),
    "webhooks_deliveries_replay": Row("write", 202, **_OWNERS),
    "attributes_read": Row("read", 200, ids={"code": "attribute"}, shared=True),
    "products_delete": Row("write", 204, prepare=_archive, owner_only=True),
    "products_archive": Row("write", 200),
    "products_restore": Row("write", 200, prepare=_archive),
    "products_unpublish": Row("write", 200, prepare=_publish),
    "products_bulk": Row("write", 200, {"products": [{"sku": "NEW-1", "name": "New"}]}),
    "products_export": Row("read", 200, needs_merchant=True),
    "products_attributes_list": Row("read", 200),
    "products_attributes_read": Row("read", 200, ids={"code": "attribute"}),
    "products_decisions_list": Row("read", 200),
    "products_images_list": Row("read", 200),
    "products_images_reorder": Row("write", 204, lambda world: {"images": [world["image_id"]]}),
    "products_images_archive": Row("write", 204),
    "products_images_restore": Row("write", 200, prepare=_archive_image, editor=404),
    "products_images_delete": Row("write", 204, prepare=_archive_image, editor=404),
    "operations_list": Row("read", 200),
    "operations_read": Row("read", 200, **_OPERATION),
    "operations_pause": Row("write", 200, prepare=_in_state("running"), **_OPERATION),
    "operations_resume": Row("write", 200, prepare=_in_state("paused"), **_OPERATION),
    "operations_cancel": Row("write", 200, **_OPERATION),
    "operations_undo": Row("write", 202, **_ENDED),
    "operations_result": Row("read", 200, **_ENDED),
    "operations_import": Row("write", 202, ids={"public_id": "checked_import"}),
    "operations_start_bulk": Row(
        "write", 202, lambda world: {"action": "archive", "products": {"ids": [world["public_id"]]}}, foreign=400
    ),
    "operations_start_export": Row("write", 202, {"format": "csv", "products": {"filter": ""}}, foreign=400),
    "operations_start_import": Row(
        "write", 202, form=lambda world: {"files": [upload("p.csv", data=csv_file(("A-1", "Coat", "", "", "", "")))]}
    ),
}
