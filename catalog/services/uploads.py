"""Upload validation for images: what may come in, and the files that are made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.actors import Actor
from accounts.models import Merchant
from accounts.services import usage
from catalog import copies, services
from catalog import files as stored_files
from catalog.models import Product, ProductImage
from catalog.services import uploads_measured
from catalog.upload_validation import (
    SENTENCES,
    check_format,
    check_size,
    file_name,
    image_limits,
    refusal,
    refusal_of,
)
from core.db import atomic, decisive
from core.errors import Conflict, Refused
from core.ids import public_id
from vision.engine.decode import decoding
from vision.engine.errors import DecodeError
from vision.engine.locations import without_location

_DETAIL = 1200  # px, shorter side that decoding keeps at least: a display copy's at 4:3


class Received(NamedTuple):
    """What became of one file: the stored image, or why it was turned away."""

    name: str
    image: ProductImage | None
    refusal: Refused | None


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file whose format is possible: what its image will be called, and where its files go."""

    file: UploadedFile[bytes]
    name: str
    number: str  # the image's public id
    paths: dict[str, str]  # by the image's field


@dataclass(slots=True)
class Prepared:
    """The files of one request: written, but not yet images of a product. `prepared_product` makes it."""

    product: str  # its public id
    names: list[str]
    outcomes: list[ProductImage | Refused] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    confirmed: set[str] = field(default_factory=set)

    @property
    def images(self) -> list[ProductImage]:
        """The good ones, in their order."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, ProductImage)]

    def received(self) -> list[Received]:
        """What became of each file."""
        return [
            Received(name, None, outcome) if isinstance(outcome, Refused) else Received(name, outcome, None)
            for name, outcome in zip(self.names, self.outcomes, strict=True)
        ]


def _planned(product: str, name: str, file: UploadedFile[bytes]) -> _Upload | Refused:
    """Look at a file as far as that costs nothing, and say where the image's files go."""
    try:
        check_size(file.size or 0)
        extension = check_format(file)
    except Refused as refused:
        return refused.kept()
    number = public_id()
    stem = f"{stored_files.image_folder(product)}/{number}"
    paths = {
        "original": f"{stem}.{extension}",
        "display": f"{stem}-display.jpg",
        "thumbnail": f"{stem}-thumbnail.jpg",
        "small": f"{stem}-small.jpg",
    }
    return _Upload(file, name, number, paths)


def _write(upload: _Upload, data: bytes, sha256: str) -> ProductImage:
    """Decode the bytes of one file, and store them with their copies.

    Raises:
        Refused: with a code of `upload_validation.SENTENCES`.
    """
    try:
        with decoding(data, detail=_DETAIL, most_pixels=copies.MOST_PIXELS, max_pixels=image_limits()) as decoded:
            display = copies.display_copy(decoded.image)
            thumbnail, small = copies.thumbnails(decoded.image)
    except DecodeError as error:
        raise refusal_of(error) from error
    contents = {"original": data, "display": display, "thumbnail": thumbnail, "small": small}
    for name, path in upload.paths.items():
        stored_files.write(path, contents[name])
    return ProductImage(
        **upload.paths,
        public_id=upload.number,
        original_name=upload.name,
        sha256=sha256,
        size=len(data),
        width=decoded.width,
        height=decoded.height,
    )


@contextmanager
def prepared_files(
    product: str, files: Sequence[UploadedFile[bytes]], present: Collection[str] = ()
) -> Iterator[Prepared]:
    """Write the good ones of the files. What has got no row when the block ends is deleted again.

    A process that is stopped in between leaves the files to the sweep, which knows of them.

    Args:
        product: its public id; there need not be such a product yet.
        files: the uploads.
        present: SHA-256 of the images that the product has.
    """
    if not files:
        raise refusal("no_images")
    names = [file_name(file.name or "") for file in files]
    prepared = Prepared(product, names)
    planned = [_planned(product, name, file) for name, file in zip(names, files, strict=True)]
    paths = {path: plan.number for plan in planned if isinstance(plan, _Upload) for path in plan.paths.values()}
    if paths:
        stored_files.announce(paths)
        prepared.announced += paths
    try:
        _write_good_ones(prepared, planned, present)
        yield prepared
    except Exception:
        stored_files.discard(prepared.announced)
        raise
    if left_over := set(prepared.announced) - prepared.confirmed:
        stored_files.discard(left_over)


def _write_good_ones(prepared: Prepared, planned: Sequence[_Upload | Refused], present: Collection[str]) -> None:
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    known = set(present)
    taken = len(present)
    for plan in planned:
        try:
            # What has no chance is not decoded. The rows are counted and compared again under the lock.
            if taken >= limit:
                raise refusal("too_many_images", limit=limit)
            if isinstance(plan, Refused):
                raise plan
            plan.file.seek(0)
            data = without_location(plan.file.read())
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 in known:
                raise refusal("duplicate", sha256=sha256)
            prepared.outcomes.append(_write(plan, data, sha256))
            known.add(sha256)
            taken += 1
        except Refused as refused:
            uploads_measured.REFUSED.add(code=refused.code)
            prepared.outcomes.append(refused.kept())


def _has_many_waiting(merchant_id: int) -> bool:
    """Whether so many images of the merchant wait for a worker that nobody looks at each one."""
    waiting = ProductImage.objects.filter(
        product__merchant=merchant_id,
        product__status=Product.Status.CLASSIFYING,
        classifications__purpose="live",
        classifications__open_key__isnull=False,
        classifications__operation=None,
    )
    limit = settings.OTJANG_BULK_FROM
    return len(waiting.order_by().values_list("pk", flat=True)[:limit]) == limit


def accepted(prepared: Prepared, present: Collection[str], taken: int) -> list[ProductImage | Refused]:
    """Say again of each prepared image whether it may be added to those that are there, now that these are locked.

    Args:
        prepared: the images.
        present: SHA-256 of those that are there.
        taken: how many they are.
    """
    known = set(present)
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    outcomes: list[ProductImage | Refused] = []
    for image in prepared.outcomes:
        if isinstance(image, Refused):
            outcomes.append(image)
        elif image.sha256 in known:
            outcomes.append(refusal("duplicate", sha256=image.sha256))
        elif taken >= limit:
            outcomes.append(refusal("too_many_images", limit=limit))
        else:
            taken += 1
            known.add(image.sha256)
            outcomes.append(image)
    return outcomes


def _add_rows(actor: Actor, product: Product, prepared: Prepared, place: int | None) -> None:
    """Give the prepared images their rows, under the product's lock, and say of others why they were turned away."""
    present = list(ProductImage.objects.filter(product=product, archived_at=None).values_list("sha256", "position"))
    position = max((position for _sha256, position in present), default=-1) + 1 if place is None else place
    bulk = _has_many_waiting(product.merchant_id)
    outcomes = accepted(prepared, {sha256 for sha256, _position in present}, len(present))
    stored = [image for image in outcomes if isinstance(image, ProductImage)]
    for number, image in enumerate(stored):
        image.pk = None  # the transaction may be repeated
        image.product = product
        image.uploaded_by = actor.user
        image.position = position + number
        image.bulk = bulk
    confirmed = {name for image in stored for name in image.files.values()}
    stored_files.confirm(confirmed)
    for image in stored:
        image.save(force_insert=True)
    if stored:
        services.audit(actor, "image.add", product, images=[image.public_id for image in stored])
        usage.count(actor=actor, images=len(stored), size=sum(image.size for image in stored))
        transaction.on_commit(lambda: uploads_measured.stored(product, stored))
    prepared.outcomes, prepared.confirmed = outcomes, confirmed


def _require_quota(actor: Actor, files: Sequence[UploadedFile[bytes]]) -> None:
    """Refuse before anything is decoded if there is no room for a single one; what is stored is counted exactly."""
    if files:
        usage.require(actor=actor, images=1, size=min(file.size or 0 for file in files))


@decisive
def add_prepared(*, actor: Actor, product: Product, prepared: Prepared, place: int | None = None) -> None:
    """Give prepared images of `prepared_files` their rows, and say in `prepared` which were turned away after all.

    Raises:
        Conflict: `archived`, `upload_expired`.
        Gone: the product was deleted for good.
        Forbidden: the actor may only look.
    """
    actor.require_edit(product.merchant_id)
    product = services.lock_product(product.pk)
    if product.status == Product.Status.ARCHIVED:
        raise Conflict("archived", SENTENCES["archived"])
    _add_rows(actor, product, prepared, place)


def add_images(
    *,
    actor: Actor,
    product: Product,
    files: Sequence[UploadedFile[bytes]],
    place: int | None = None,
) -> list[Received]:
    """Store the good ones of the files as images of the product, and say of each other one what is wrong.

    Files are decoded and written before the product is locked; their rows come in one transaction.
    Where OTJANG_BULK_FROM images of the merchant wait already, they are queued behind interactive work.

    Args:
        actor: who uploads.
        product: where to.
        files: uploads, in the order that the images shall have.
        place: of the first of them among the product's images, from 0; None puts them behind the others. Who sends
            them one by one says it, because a small file overtakes a large one.

    Returns:
        One entry per file, in the same order. Codes of refusals: too_many_images, empty, too_large, not_an_image,
        unsupported_format, damaged, too_many_pixels, too_many_pixels_for_format, duplicate.

    Raises:
        Invalid: `no_images`.
        Conflict: `archived`, `upload_expired`.
        Gone: the product was deleted for good.
        Forbidden: the actor may only look.
        TooMuch: the merchant's quota of a day, at the API.
    """
    actor.require_edit(product.merchant_id)
    _require_quota(actor, files)
    present = list(ProductImage.objects.filter(product=product, archived_at=None).values_list("sha256", flat=True))
    with prepared_files(product.public_id, files, present) as prepared:
        if prepared.images:
            add_prepared(actor=actor, product=product, prepared=prepared, place=place)
    return prepared.received()


@atomic
def put_back(*, actor: Actor, image: ProductImage) -> None:
    """Let an image that was removed from its product count again, where it was. Idempotent.

    Raises:
        Invalid: `duplicate` or `too_many_images`, as for an image that is sent.
        Conflict: `archived`.
        Gone: the image or its product was deleted for good.
        Forbidden: the actor is neither an owner nor an administrator, and somebody else removed it.
    """
    product, image = services.locked_image(actor, image)
    if image.archived_at is None:
        return
    if actor.user is None or image.archived_by_id != actor.user.pk:
        actor.require_manage(product.merchant_id, "catalog.change_productimage")
    present = list(product.images.current().values_list("sha256", flat=True))
    if image.sha256 in present:
        raise refusal("duplicate")
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    if len(present) >= limit:
        raise refusal("too_many_images", limit=limit)
    image.archived_at = image.archived_by = None
    image.save(update_fields=["archived_at", "archived_by"])
    services.audit(actor, "image.put_back", product, image=image.public_id, name=image.original_name)


@contextmanager
def prepared_product(files: Sequence[UploadedFile[bytes]], number: str | None = None) -> Iterator[Prepared]:
    """Write the good ones of the files for a product that `create_prepared` creates within the block.

    What is not stored when the block ends is deleted again. Begin it outside of any transaction: it takes its time, and
    what is left behind if the process stops is found by records that are written at once.

    Args:
        files: the uploads.
        number: the product's public id; None for a new one.

    Raises:
        Invalid: `no_images`.
    """
    with prepared_files(number or public_id(), files) as prepared:
        yield prepared


@decisive
def create_prepared(
    *,
    actor: Actor,
    merchant: Merchant,
    prepared: Prepared,
    place: int | None = None,
    name: str = "",
    sku: str | None = None,
) -> Product | None:
    """Create a product together with its prepared images, in one transaction; None if there is no good one.

    Raises:
        Invalid: the name or SKU is wrong (see `services.create_product`).
        Conflict: `sku_taken`, `upload_expired`.
        Forbidden: the actor may only look.
    """
    if not prepared.images:
        return None
    product = services.create_product(actor=actor, merchant=merchant, name=name, sku=sku, number=prepared.product)
    _add_rows(actor, product, prepared, place)
    return product


def create_product_with_images(
    *,
    actor: Actor,
    merchant: Merchant,
    files: Sequence[UploadedFile[bytes]],
    place: int | None = None,
    name: str = "",
    sku: str | None = None,
    number: str | None = None,
) -> tuple[Product | None, list[Received]]:
    """Create a product from its images (see `add_images`), all at once: nobody sees it without them.

    Without one good image there is no product. What is refused anyway is refused before anything is decoded.

    Raises:
        Invalid: `no_images`, or the name or SKU is wrong (see `services.create_product`).
        Conflict: `sku_taken`, `upload_expired`.
        Forbidden: the actor may only look.
        TooMuch: the merchant's quota of a day, at the API.
    """
    services.check_new_product(actor=actor, merchant=merchant, name=name, sku=sku)
    _require_quota(actor, files)
    with prepared_product(files, number) as prepared:
        product = create_prepared(actor=actor, merchant=merchant, prepared=prepared, place=place, name=name, sku=sku)
    return product, prepared.received()
