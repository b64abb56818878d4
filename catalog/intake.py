"""The door for photographs: what may come in, and the files that are made of it."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image

from accounts.actors import Actor
from accounts.db import atomic
from accounts.errors import Conflict, Invalid, Refused
from accounts.ids import public_id
from accounts.models import Merchant
from accounts.text import has_control_characters
from catalog import services
from catalog.models import Product, ProductImage
from classifier.engine.decode import decode
from classifier.engine.errors import DecodeError

DISPLAY_SIDE = 1600  # px, longer side; what pages show and networks read
THUMBNAIL_SIDE = 400
_DETAIL = 1200  # px, shorter side that decoding keeps at least: a display copy's at 4:3
_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
_NAME_LENGTH = 255

_SENTENCES = {
    "no_photographs": _("No photograph was sent. Choose at least one."),
    "too_many_photographs": _("A product has at most %(limit)d photographs. This one is too many; it was not stored."),
    "empty": _("The file is empty. Choose another one."),
    "too_large": _("The file has %(megabytes)s MB; at most %(limit)d MB are possible. Save it smaller first."),
    "not_an_image": _("This is not a photograph. Send JPEG, PNG or WebP."),
    "unsupported_format": _("Pictures of the kind %(format)s cannot be stored. Send JPEG, PNG or WebP."),
    "damaged": _("The photograph is damaged or was cut off on the way. Send it again, or save it anew first."),
    "too_many_pixels": _("The photograph has more than %(limit)d megapixels. Save it smaller and send it again."),
    "too_many_pixels_for_format": _(
        "The photograph has more than %(limit)s megapixels, too many for %(format)s. Save it as JPEG and send it again."
    ),
    "duplicate": _("This product has the same photograph already; it was not stored a second time."),
    "archived": _("This product is archived. Restore it before you add photographs."),
}


def _refusal(code: str, **params: object) -> Invalid:
    return Invalid(code, _SENTENCES[code], params)


class Received(NamedTuple):
    """What became of one file: the stored photograph, or why it was turned away."""

    name: str
    image: ProductImage | None
    refusal: Refused | None


@dataclass(slots=True)
class _Prepared:
    """A photograph whose files are stored, but which no row points to yet."""

    image: ProductImage
    paths: list[str]

    def discard(self) -> None:
        for path in self.paths:
            default_storage.delete(path)


def _file_name(name: str) -> str:
    """Return the name people know the file by, without folders and invisible characters."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(character for character in base if not has_control_characters(character)).strip()
    stem, extension = os.path.splitext(visible or "photograph")
    return (stem[: max(0, _NAME_LENGTH - len(extension))] + extension)[:_NAME_LENGTH]


def _read(file: IO[bytes], size: int) -> bytes:
    limit = settings.OTJANG_MAX_UPLOAD_BYTES
    if size == 0:
        raise _refusal("empty")
    if size > limit:
        raise _refusal("too_large", megabytes=f"{size / 2**20:.1f}", limit=limit // 2**20)
    file.seek(0)
    return file.read()


def _check_format(data: bytes) -> str:
    """Return the format that the bytes really have, whatever the name says; reads the header only."""
    limit = settings.OTJANG_MAX_IMAGE_PIXELS
    whole = {"PNG": settings.OTJANG_MAX_PNG_PIXELS, "WEBP": settings.OTJANG_MAX_WEBP_PIXELS}
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, pixels = image.format or "", image.width * image.height
    except Image.DecompressionBombError as error:
        raise _refusal("too_many_pixels", limit=limit // 10**6) from error
    except Exception as error:  # Pillow's readers answer broken headers with many unrelated types
        raise _refusal("not_an_image") from error
    if kind not in _EXTENSIONS:
        raise _refusal("unsupported_format", format=kind)
    if pixels > limit:
        raise _refusal("too_many_pixels", limit=limit // 10**6)
    if pixels > whole.get(kind, limit):
        raise _refusal("too_many_pixels_for_format", limit=f"{whole[kind] / 1e6:g}", format=kind)
    return kind


def _fitted(image: Image.Image, side: int, quality: int) -> bytes:
    """Encode a copy of at most `side` pixels as JPEG, without any metadata."""
    copy = image.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    copy.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def _prepare(product: Product, name: str, data: bytes, sha256: str, actor: Actor) -> _Prepared:
    """Check the bytes of one file and store them with their copies.

    Raises:
        Refused: with a code of `_SENTENCES`.
    """
    kind = _check_format(data)
    try:
        decoded = decode(data, detail=_DETAIL, max_pixels=settings.OTJANG_MAX_IMAGE_PIXELS)
    except DecodeError as error:
        code = error.code if error.code in _SENTENCES else "damaged"
        raise _refusal(code, limit=settings.OTJANG_MAX_IMAGE_PIXELS // 10**6) from error
    identifier = public_id()
    folder = f"products/{product.public_id}/{identifier}"
    contents = {
        "original": (f"{folder}.{_EXTENSIONS[kind]}", data),
        "display": (f"{folder}-display.jpg", _fitted(decoded.image, DISPLAY_SIDE, 88)),
        "thumbnail": (f"{folder}-thumbnail.jpg", _fitted(decoded.image, THUMBNAIL_SIDE, 82)),
    }
    image = ProductImage(
        public_id=identifier,
        product=product,
        original_name=name,
        sha256=sha256,
        size=len(data),
        width=decoded.width,
        height=decoded.height,
        uploaded_by=actor.user,
    )
    prepared = _Prepared(image, [])
    try:
        for field, (path, content) in contents.items():
            stored = default_storage.save(path, ContentFile(content))
            prepared.paths.append(stored)
            setattr(image, field, stored)
    except BaseException:
        prepared.discard()
        raise
    return prepared


@atomic
def _store(
    actor: Actor, product: Product, prepared: Sequence[_Prepared], place: int | None, bulk: bool
) -> list[Refused | None]:
    """Give the prepared photographs their rows, under the product's lock; says for each why it was turned away."""
    product = services.lock_product(product.pk)
    if product.status == Product.Status.ARCHIVED:
        raise Conflict("archived", _SENTENCES["archived"])
    present = list(ProductImage.objects.filter(product=product, archived_at=None).values_list("sha256", "position"))
    known = {sha256 for sha256, _position in present}
    position = max((position for _sha256, position in present), default=-1) + 1 if place is None else place
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    taken = len(present)
    refusals: list[Refused | None] = []
    for item in prepared:
        if item.image.sha256 in known:
            refusals.append(_refusal("duplicate"))
        elif taken >= limit:
            refusals.append(_refusal("too_many_photographs", limit=limit))
        else:
            taken += 1
            known.add(item.image.sha256)
            item.image.pk = None  # the transaction may be repeated
            item.image.product = product
            item.image.position = position
            position += 1
            item.image.bulk = bulk
            item.image.save(force_insert=True)
            refusals.append(None)
    stored = [item.image for item, refusal in zip(prepared, refusals, strict=True) if refusal is None]
    if stored:
        services.audit(actor, "image.add", product, images=[image.public_id for image in stored])
    return refusals


def add_images(
    *,
    actor: Actor,
    product: Product,
    files: Sequence[UploadedFile[bytes]],
    place: int | None = None,
    bulk: bool = False,
) -> list[Received]:
    """Store the good ones of the files as photographs of the product, and say of each other one what is wrong.

    Files are decoded and written before the product is locked; what gets no row is deleted again.

    Args:
        actor: who uploads.
        product: where to.
        files: uploads, in the order that the photographs shall have.
        place: of the first of them among the product's photographs, from 0; None puts them behind the others. Who sends
            them one by one says it, because a small file overtakes a large one.
        bulk: nobody waits at a screen, so interactive work goes first.

    Returns:
        One entry a file, in the same order. Codes of refusals: too_many_photographs, empty, too_large, not_an_image,
        unsupported_format, damaged, too_many_pixels, too_many_pixels_for_format, duplicate.

    Raises:
        Invalid: `no_photographs`.
        Conflict: `archived`.
        Gone: the product was deleted for good.
        Forbidden: the actor may only look.
    """
    actor.require_edit(product.merchant_id)
    if not files:
        raise _refusal("no_photographs")
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    present = list(ProductImage.objects.filter(product=product, archived_at=None).values_list("sha256", flat=True))
    known = set(present)
    outcomes: list[_Prepared | Refused] = []
    kept: list[_Prepared] = []
    names = [_file_name(file.name or "") for file in files]
    try:
        for name, file in zip(names, files, strict=True):
            try:
                # What has no chance is not decoded. The rows are counted and compared again under the lock.
                if len(present) + len(kept) >= limit:
                    raise _refusal("too_many_photographs", limit=limit)
                data = _read(file, file.size or 0)
                sha256 = hashlib.sha256(data).hexdigest()
                if sha256 in known:
                    raise _refusal("duplicate")
                prepared = _prepare(product, name, data, sha256, actor)
            except Refused as refusal:
                outcomes.append(refusal)
            else:
                outcomes.append(prepared)
                kept.append(prepared)
                known.add(sha256)
        refusals = _store(actor, product, kept, place, bulk) if kept else []
    except BaseException:
        for prepared in kept:
            prepared.discard()
        raise
    refused = {id(item): refusal for item, refusal in zip(kept, refusals, strict=True) if refusal is not None}
    received = []
    for name, outcome in zip(names, outcomes, strict=True):
        if isinstance(outcome, Refused):
            received.append(Received(name, None, outcome))
        elif id(outcome) in refused:
            outcome.discard()
            received.append(Received(name, None, refused[id(outcome)]))
        else:
            received.append(Received(name, outcome.image, None))
    return received


@atomic
def put_back(*, actor: Actor, image: ProductImage) -> None:
    """Let a photograph that was removed from its product count again, where it was. Twice is the same as once.

    Raises:
        Invalid: `duplicate` or `too_many_photographs`, as for a photograph that is sent.
        Conflict: `archived`.
        Gone: the photograph or its product was deleted for good.
        Forbidden: the actor is neither an owner nor an administrator.
    """
    actor.require_manage(image.product.merchant_id, "catalog.change_productimage")
    product, image = services.locked_photograph(actor, image)
    if image.archived_at is None:
        return
    present = list(product.images.current().values_list("sha256", flat=True))
    if image.sha256 in present:
        raise _refusal("duplicate")
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    if len(present) >= limit:
        raise _refusal("too_many_photographs", limit=limit)
    image.archived_at = None
    image.save(update_fields=["archived_at"])
    services.audit(actor, "image.put_back", product, image=image.public_id, name=image.original_name)


def create_product_with_images(
    *,
    actor: Actor,
    merchant: Merchant,
    files: Sequence[UploadedFile[bytes]],
    place: int | None = None,
    name: str = "",
    sku: str | None = None,
) -> tuple[Product | None, list[Received]]:
    """Create a product from its photographs (see `add_images`). Without one good photograph there is no product.

    Raises:
        Invalid: `no_photographs`, or the name or SKU is wrong (see `services.create_product`).
        Conflict: `sku_taken`.
    """
    if not files:
        raise _refusal("no_photographs")
    product = services.create_product(actor=actor, merchant=merchant, name=name, sku=sku)
    try:
        received = add_images(actor=actor, product=product, files=files, place=place)
    except BaseException:
        services.discard_draft(actor=actor, product=product)
        raise
    if not any(entry.image for entry in received):
        services.discard_draft(actor=actor, product=product)
        return None, received
    return product, received
