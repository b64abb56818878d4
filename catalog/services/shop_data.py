"""All data of a merchant in one file, for an owner to keep or to take elsewhere: tables as CSV, and every photo.

It is an operation that writes one ZIP from beginning to end. What a killed worker began another one begins again.
"""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO

from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import AuditEvent, Merchant, Operation, User
from accounts.services import operations, result_files
from accounts.services.operations import Lease, State
from catalog import storage
from catalog.models import Attribute, Decision, Product, ProductAttribute, ProductImage
from core.db import atomic
from core.errors import Conflict
from core.spreadsheets import safe

KIND = "shop_data"
_CHUNK = 200  # products, or rows, that are read at once
_COPIED = 2**20  # bytes of a photo

Row = Iterable[object]


class _Interrupted(Exception):
    """The process ends, or the operation was paused, cancelled or taken over."""


def start(*, actor: Actor) -> Operation:
    """Begin to gather everything. Raises Forbidden but for owners, Conflict `running` while one goes on."""
    merchant = actor.merchant
    actor.require_manage(merchant.pk if merchant is not None else 0, "accounts.change_merchant")
    assert merchant is not None  # an owner has one
    try:
        return _begin(actor, merchant)
    except IntegrityError:  # of the open key
        raise Conflict("running", _("All data is being gathered already.")) from None


@atomic
def _begin(actor: Actor, merchant: Merchant) -> Operation:
    operation = Operation.objects.create(
        kind=KIND,
        merchant=merchant,
        created_by=actor.user,
        open_key=f"{KIND}:{merchant.pk}",
        total=Product.objects.filter(merchant=merchant).count(),
    )
    operations.note(actor, operation, "start")
    return operation


def _cell(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return safe(value) if isinstance(value, str) else value


class _Archive:
    """The ZIP while it is written; every table and photo asks whether it may go on."""

    def __init__(self, file: IO[bytes], lease: Lease, stop: threading.Event) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._lease, self._stop = lease, stop

    def go_on(self) -> None:
        if self._stop.is_set() or not self._lease.renew():
            raise _Interrupted

    def table(self, name: str, head: Row, rows: Iterable[Row]) -> None:
        """Write a CSV that Excel reads: UTF-8 with its mark."""
        with self.zip.open(name, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as text:
            writer = csv.writer(text)
            writer.writerow(head)
            for number, row in enumerate(rows):
                if number % _CHUNK == 0:
                    self.go_on()
                writer.writerow([_cell(value) for value in row])

    def photo(self, name: str, stored: str) -> bool:
        """Copy a photo as it was uploaded; False if the storage does not have it."""
        try:
            with default_storage.open(stored) as source:
                # Compressed already: deflating it again would only cost time.
                info = zipfile.ZipInfo(name, timezone.localtime().timetuple()[:6])
                with self.zip.open(info, "w", force_zip64=True) as target:
                    while part := source.read(_COPIED):
                        target.write(part)
        except storage.read_errors():
            return False
        return True


def run(lease: Lease, stop: threading.Event, seconds: float) -> int:
    """Write the file; see `accounts.services.operations`. It is long: `seconds` is for others."""
    operation = lease.held.select_related("merchant", "created_by").first()
    if operation is None or operation.merchant is None:
        return 0
    if not lease.held.update(state=State.RUNNING, started_at=timezone.now(), done=0, failed=0):
        return 0
    language = operation.created_by.language if operation.created_by else "ko"
    name = f"otjang-{operation.merchant.public_id}-{timezone.localdate():%Y-%m-%d}.zip"
    try:
        with translation.override(language), result_files.open_new(operation, name) as file:
            missing = _write(file, operation.merchant, lease, stop)
    except _Interrupted:
        return 0
    return _finish(lease, missing)


@atomic
def _finish(lease: Lease, missing: int) -> int:
    operation = lease.held.select_for_update().first()
    if operation is None:
        return 0
    operation.failed = missing  # photos that the storage did not have
    operations.end(operation, State.DONE)
    return max(operation.done, 1)


def _write(file: IO[bytes], merchant: Merchant, lease: Lease, stop: threading.Event) -> int:
    archive = _Archive(file, lease, stop)
    with archive.zip:
        archive.table(
            "merchant.csv", ("number", "name", "opened"), [(merchant.public_id, merchant.name, merchant.created_at)]
        )
        archive.table(
            "members.csv",
            ("e-mail", "name", "role", "since"),
            (
                (one.user.email, one.user.name, one.role, one.created_at)
                for one in merchant.memberships.select_related("user").order_by("pk")
            ),
        )
        archive.table(
            "api_keys.csv",
            ("name", "prefix", "reads", "changes", "classifies", "created", "last_used", "good_until", "revoked"),
            merchant.api_keys.order_by("pk").values_list(
                "name",
                "prefix",
                "may_read",
                "may_write",
                "may_classify",
                "created_at",
                "last_used_at",
                "expires_at",
                "revoked_at",
            ),
        )
        archive.table("decisions.csv", _DECISION_HEAD, _decisions(merchant))
        archive.table("activity.csv", ("time", "action", "subject", "number", "by"), _activity(merchant))
        attributes = list(Attribute.objects.filter(active=True).order_by("position", "pk"))
        head = ("number", "sku", "name", "status", "created", "updated", *(one.code for one in attributes))
        archive.table("products.csv", head, _products(merchant, attributes))
        archive.table("images.csv", ("product", "sku", "image", "name", "removed", "file"), _images(merchant))
        return _photos(archive, merchant, lease)


def _in_chunks(merchant: Merchant) -> Iterator[list[Product]]:
    last = 0
    products = Product.objects.filter(merchant=merchant).order_by("pk")
    while some := list(products.filter(pk__gt=last)[:_CHUNK]):
        yield some
        last = some[-1].pk


def _products(merchant: Merchant, attributes: list[Attribute]) -> Iterator[Row]:
    for some in _in_chunks(merchant):
        values: dict[int, dict[int, str]] = {}
        found = ProductAttribute.objects.filter(product__in=some).select_related("value")
        for one in found:
            text = one.value.name if one.value is not None else ("-" if one.state == one.State.NOT_APPLICABLE else "")
            values.setdefault(one.product_id, {})[one.attribute_id] = text
        for product in some:
            own = values.get(product.pk, {})
            named = (own.get(attribute.pk, "") for attribute in attributes)
            yield (
                product.public_id,
                product.sku,
                product.name,
                product.status,
                product.created_at,
                product.updated_at,
                *named,
            )


def _images_of(products: list[Product]) -> list[ProductImage]:
    found = ProductImage.objects.filter(product__in=products).select_related("product")
    return list(found.order_by("product", "position", "pk"))


def _file_of(image: ProductImage) -> str:
    suffix = str(image.original).rpartition(".")[2]
    return f"images/{image.product.public_id}/{image.public_id}.{suffix}"


def _images(merchant: Merchant) -> Iterator[Row]:
    for some in _in_chunks(merchant):
        for image in _images_of(some):
            yield (
                image.product.public_id,
                image.product.sku,
                image.public_id,
                image.original_name,
                image.archived_at or "",
                _file_of(image),
            )


_DECISION_HEAD = ("time", "product", "attribute", "decision", "value", "source", "by", "proposed", "confidence")


def _decisions(merchant: Merchant) -> Iterator[Row]:
    for some in _in_chunks(merchant):
        found = Decision.objects.filter(product__in=some).select_related(
            "product", "attribute", "value", "user", "api_key", "proposed_value"
        )
        for one in found.order_by("product", "pk"):
            yield (
                one.created_at,
                one.product.public_id,
                one.attribute.code,
                one.kind,
                one.value.code if one.value else "",
                one.source,
                one.actor_name,
                one.proposed_value.code if one.proposed_value else "",
                "" if one.proposed_confidence is None else round(one.proposed_confidence, 4),
            )


def _activity(merchant: Merchant) -> Iterator[Row]:
    names: dict[int, str] = {}
    events = AuditEvent.objects.filter(merchant=merchant).order_by("pk")
    last = 0
    while some := list(
        events.filter(pk__gt=last).values_list("pk", "created_at", "action", "subject_type", "subject_id", "user")[
            :2000
        ]
    ):
        last = some[-1][0]
        unknown = {user for *_rest, user in some if user is not None and user not in names}
        names |= {user.pk: str(user) for user in User.objects.filter(pk__in=unknown)}
        for _pk, at, action, subject, number, user in some:
            yield at, action, subject, number, names.get(user, "") if user is not None else ""


def _photos(archive: _Archive, merchant: Merchant, lease: Lease) -> int:
    missing = done = 0
    for some in _in_chunks(merchant):
        for image in _images_of(some):
            archive.go_on()
            missing += not archive.photo(_file_of(image), str(image.original))
        done += len(some)
        lease.held.update(done=done)
    return missing


def of_merchant(actor: Actor) -> list[Operation]:
    """The merchant's last ones, the newest first; for owners."""
    if not actor.is_owner or actor.merchant is None:
        return []
    found = Operation.objects.filter(merchant=actor.merchant, kind=KIND).select_related("created_by")
    return list(found.order_by("-pk")[:10])


def discard_of(merchant: Merchant) -> None:
    """Delete the files of all operations of a merchant."""
    for operation in Operation.objects.filter(merchant=merchant).exclude(result_file=""):
        with suppress(*storage.read_errors()):  # the sweep tries again
            result_files.discard(operation)
