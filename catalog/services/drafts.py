"""Drafts of new products: images are stored as they come, and become a product when the person says so.

Until then there is no product: nothing is in a list, an export, the API or the queue of the worker. A draft is its
owner's alone, and is dropped with its files a day after its last image came.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.files.uploadedfile import UploadedFile
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Merchant
from catalog import files as stored_files
from catalog.models import FILES, DraftImage, Product, ProductImage, UploadDraft
from catalog.services import uploads
from catalog.services.products import NAME_LENGTH, SKU_LENGTH
from catalog.upload_validation import refusal
from core.clock import database_now
from core.db import atomic
from core.errors import Conflict, Forbidden, Gone, Refused
from core.ids import is_public_id

LIFETIME = timedelta(days=1)
_MOST_SHOWN = 5
_CHUNK = 100
_COPIED = ("public_id", *FILES, "original_name", "sha256", "size", "width", "height")


def drafts_of(actor: Actor, merchant: Merchant) -> list[UploadDraft]:
    """The drafts that the person may go on with, newest first, with their images; two queries."""
    mine = UploadDraft.objects.filter(
        merchant=merchant, created_by=actor.user, expires_at__gt=Now(), images__isnull=False
    )
    return list(mine.distinct().order_by("-id").prefetch_related("images")[:_MOST_SHOWN])


def find_draft(actor: Actor, merchant: Merchant, number: str) -> UploadDraft | None:
    """The person's draft of that public id, unless it has been dropped or registered."""
    mine = UploadDraft.objects.filter(merchant=merchant, created_by=actor.user, expires_at__gt=Now())
    return mine.filter(public_id=number).first()


def find_draft_image(actor: Actor, merchant: Merchant, number: str, image: str) -> DraftImage | None:
    """One image of the person's draft."""
    draft = find_draft(actor, merchant, number)
    return draft.images.filter(public_id=image).first() if draft else None


def registered(actor: Actor, number: str) -> Product | None:
    """The product that was made of the draft of that public id."""
    return Product.objects.visible_to(actor).filter(public_id=number).first()


def _locked(actor: Actor, merchant: Merchant, number: str) -> UploadDraft:
    """Lock the person's draft.

    Raises:
        Forbidden: the actor may only look.
        Conflict: `registered` if there is a product of it by now.
        Gone: it was dropped, or is somebody else's.
    """
    actor.require_edit(merchant.pk)
    mine = UploadDraft.objects.select_for_update().filter(merchant=merchant, created_by=actor.user)
    draft = mine.filter(public_id=number, expires_at__gt=Now()).first()
    if draft is not None:
        return draft
    if registered(actor, number) is not None:
        raise Conflict("registered", _("These photos were registered as a product already."))
    raise Gone("draft_dropped", _("These photos were dropped, because they were not registered. Send them again."))


def _paths(images: Sequence[DraftImage | ProductImage]) -> list[str]:
    return [name for image in images for name in image.files.values()]


@atomic
def _begin(actor: Actor, merchant: Merchant, number: str) -> UploadDraft:
    """Return the draft of that public id, a new one for the first image."""
    actor.require_edit(merchant.pk)
    if actor.user is None:
        raise Forbidden("forbidden", _("Only people have drafts."))
    if not is_public_id(number):
        raise Gone("draft_dropped", _("This page is too old. Reload it, then send the photos again."))
    if registered(actor, number) is None:
        UploadDraft.objects.get_or_create(
            public_id=number,
            defaults={"merchant": merchant, "created_by": actor.user, "expires_at": database_now() + LIFETIME},
        )
    return _locked(actor, merchant, number)


@atomic
def _keep(actor: Actor, merchant: Merchant, prepared: uploads.Prepared, place: int | None) -> None:
    """Give the prepared images rows of the draft, and their files until its end."""
    draft = _begin(actor, merchant, prepared.product)
    present = list(draft.images.all())
    outcomes = uploads.accepted(prepared, {image.sha256 for image in present}, len(present))
    new = [outcome for outcome in outcomes if isinstance(outcome, ProductImage)]
    position = max((image.position for image in present), default=-1) + 1 if place is None else place
    rows = [
        DraftImage(draft=draft, position=position + number, **{name: getattr(image, name) for name in _COPIED})
        for number, image in enumerate(new)
    ]
    draft.expires_at = database_now() + LIFETIME
    draft.save(update_fields=["expires_at"])
    stored_files.keep_until(_paths([*present, *rows]), draft.expires_at)
    DraftImage.objects.bulk_create(rows)
    prepared.outcomes, prepared.confirmed = outcomes, set(_paths(rows))


def add_images(
    *, actor: Actor, merchant: Merchant, number: str, files: Sequence[UploadedFile[bytes]], place: int | None = None
) -> list[uploads.Received]:
    """Store the good ones of the files as images of the draft, which begins with the first of them.

    Args:
        actor: who uploads, a person.
        merchant: whose product it is to become.
        number: the draft's public id, chosen by the page.
        files: uploads, in the order that the images shall have.
        place: of the first of them among the draft's images, from 0; None puts them behind the others.

    Returns:
        One entry per file, as of `uploads.add_images`. The images in it are not stored as such: they have no product.

    Raises:
        Invalid: `no_images`.
        Conflict: `registered`, `upload_expired`.
        Gone: the draft was dropped, or is somebody else's.
        Forbidden: the actor may only look.
    """
    actor.require_edit(merchant.pk)
    draft = find_draft(actor, merchant, number)
    present = list(draft.images.values_list("sha256", flat=True)) if draft else []
    with uploads.prepared_files(number, files, present) as prepared:
        if prepared.images:
            _keep(actor, merchant, prepared, place)
    return prepared.received()


@atomic
def save(
    *, actor: Actor, merchant: Merchant, number: str, name: str = "", sku: str = "", order: Sequence[str] = ()
) -> None:
    """Remember what was typed and in which order the images stand, so that a reload finds them as they were.

    Nothing is checked: that is for registering. Images that `order` does not name follow the others.

    Raises:
        Conflict: `registered`.
        Gone: the draft was dropped, or is somebody else's.
        Forbidden: the actor may only look.
    """
    draft = _locked(actor, merchant, number)
    draft.name, draft.sku = name[:NAME_LENGTH], sku[:SKU_LENGTH]
    draft.save(update_fields=["name", "sku"])
    _put_in_order(draft, order)


def _put_in_order(draft: UploadDraft, order: Sequence[str]) -> list[DraftImage]:
    places = {number: place for place, number in enumerate(order)}
    images = sorted(draft.images.all(), key=lambda image: (places.get(image.public_id, len(places)), image.position))
    for place, image in enumerate(images):
        image.position = place
    DraftImage.objects.bulk_update(images, ["position"])
    return images


@atomic
def _remove_row(actor: Actor, merchant: Merchant, number: str, image: str) -> list[str]:
    draft = _locked(actor, merchant, number)
    row = draft.images.filter(public_id=image).first()
    if row is None:
        return []
    row.delete()
    return _paths([row])


def remove_image(*, actor: Actor, merchant: Merchant, number: str, image: str) -> None:
    """Take an image out of the draft, with its files. Idempotent. Raises as `save` does."""
    stored_files.discard(_remove_row(actor, merchant, number, image))


@atomic
def _drop_row(actor: Actor, merchant: Merchant, number: str) -> list[str]:
    try:
        draft = _locked(actor, merchant, number)
    except Gone:
        return []
    return delete_row(draft)


def drop(*, actor: Actor, merchant: Merchant, number: str) -> None:
    """Drop the draft with its files. Idempotent.

    Raises:
        Conflict: `registered`: there is a product of it, which stays.
        Forbidden: the actor may only look.
    """
    stored_files.discard(_drop_row(actor, merchant, number))


@atomic
def _register(
    actor: Actor, merchant: Merchant, number: str, name: str, sku: str | None, order: Sequence[str]
) -> Product:
    draft = _locked(actor, merchant, number)
    images = _put_in_order(draft, order)
    if not images:
        raise refusal("no_images")
    prepared = uploads.Prepared(number, [image.original_name for image in images])
    prepared.outcomes += [ProductImage(**{field: getattr(image, field) for field in _COPIED}) for image in images]
    product = uploads.create_prepared(actor=actor, merchant=merchant, prepared=prepared, name=name, sku=sku)
    if product is None:
        raise refusal("no_images")
    draft.delete()
    return product


def register(
    *,
    actor: Actor,
    merchant: Merchant,
    number: str,
    name: str = "",
    sku: str | None = None,
    order: Sequence[str] = (),
    files: Sequence[UploadedFile[bytes]] = (),
) -> tuple[Product | None, list[uploads.Received]]:
    """Make a product of the draft, together with its images, in one transaction. Idempotent: it is made once.

    Args:
        actor: who registers it.
        merchant: whose product it becomes.
        number: the draft's public id, and then the product's.
        name: may be empty.
        sku: may be empty.
        order: public ids of the images in their order; those not named follow.
        files: more images, as a page without scripts sends them; with them there need not be a draft yet.

    Returns:
        The product, and what became of each of `files`. None if there is not one good image.

    Raises:
        Invalid: `no_images`, or the name or SKU is wrong (see `services.create_product`). The draft stays.
        Conflict: `sku_taken`, `upload_expired`. The draft stays.
        Gone: the draft was dropped, or is somebody else's.
        Forbidden: the actor may only look.
    """
    actor.require_edit(merchant.pk)
    if (product := registered(actor, number)) is not None:
        return product, []
    received: list[uploads.Received] = []
    try:
        draft = find_draft(actor, merchant, number)
        if draft is None and not files and not order:
            raise refusal("no_images")
        if draft is None and files:
            return uploads.create_product_with_images(
                actor=actor, merchant=merchant, files=files, name=name, sku=sku, number=number
            )
        if files:
            received = add_images(actor=actor, merchant=merchant, number=number, files=files)
        return _register(actor, merchant, number, name, sku, order), received
    except Forbidden:
        raise
    except Refused:
        if (product := registered(actor, number)) is None:
            raise
        return product, received  # the same was said twice, and the other request was quicker


def delete_row(draft: UploadDraft) -> list[str]:
    """Delete anybody's draft; returns the files that are to be discarded once that is stored."""
    paths = _paths(list(draft.images.all()))
    draft.delete()
    return paths


def forget(draft: UploadDraft) -> None:
    """Delete anybody's draft with its files."""
    stored_files.discard(delete_row(draft))


def delete_expired(now: datetime | None = None) -> int:
    """Delete drafts whose time is over; returns how many. Their files are due at the same time, see catalog.files."""
    expired = UploadDraft.objects.filter(expires_at__lte=now or Now())
    deleted = 0
    while ids := list(expired.order_by("pk").values_list("pk", flat=True)[:_CHUNK]):
        UploadDraft.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted
