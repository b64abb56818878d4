"""Images by URL: asked for by callers of the API, fetched by workers, added as if the caller had uploaded them."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import Merchant
from accounts.services import usage
from accounts.services.askers import actor_today
from catalog.imports.refusals import to_json
from catalog.models import FetchedImage, Product, ProductImage
from catalog.services import products, uploads
from catalog.services.writing import locked_for
from catalog.upload_validation import file_name, refusal
from core import outgoing
from core.db import atomic
from core.errors import Invalid, Refused
from core.multipart import NAMELESS
from core.outage import database_is_away, storage_is_away
from core.outgoing import Limits

logger = logging.getLogger(__name__)

State = FetchedImage.State

MOST_URLS = 50
_ATTEMPTS = 4
_PAUSES = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
_STORAGE_PAUSE = timedelta(minutes=1)
_TEMPORARY = frozenset({"host_unknown", "unreachable", "timed_out", "answer_later", "server_error"})
_LEASE = timedelta(minutes=5)  # by the database's clock; longer than fetching and decoding takes
KEPT = timedelta(days=7)
_CHUNK = 500
_AGAIN = frozenset({429, 500, 502, 503, 504})

ANSWER_REFUSED = _("The server of the photo answered with the status %(status)d.")
BROKEN = _("Something broke on our side. It has been written to the log; try again in a moment.")
NOT_ALLOWED = _("Who asked for the photo may no longer add photos to this product.")


@atomic
def request_images(*, actor: Actor, product: Product, urls: Sequence[str]) -> list[FetchedImage]:
    """Let workers fetch these images and add them to the product, behind those that it has.

    Args:
        actor: who asks; in their name the images are added.
        product: where to.
        urls: http or https, in the order that the images shall have.

    Returns:
        One entry per URL, in the same order.

    Raises:
        Invalid: as `core.outgoing.check_url`; `no_images`, `too_many_images`. Nothing is fetched then.
        TooMuch: `image_quota_exceeded`; the images count when they are added.
        Conflict: `archived`.
        Gone: the product was deleted for good.
        Forbidden: the actor may only look.
    """
    product = locked_for(actor, product)
    if not urls:
        raise refusal("no_images")
    checked = [outgoing.check_url(url) for url in urls]
    waiting = FetchedImage.objects.filter(product=product, state=State.WAITING)
    there = ProductImage.objects.filter(product=product, archived_at=None)
    limit = settings.OTJANG_MAX_IMAGES_PER_PRODUCT
    if len(checked) > MOST_URLS or there.count() + waiting.count() + len(checked) > limit:
        raise refusal("too_many_images", limit=limit)
    last = max(
        there.aggregate(last=Max("position"))["last"] or 0 if there.exists() else -1,
        waiting.aggregate(last=Max("place"))["last"] if waiting.exists() else -1,
    )
    usage.require(actor=actor, images=len(checked), size=0)
    rows = [
        FetchedImage(
            merchant_id=product.merchant_id,
            product=product,
            api_key=actor.api_key,
            user=actor.user,
            url=url,
            place=last + 1 + number,
        )
        for number, url in enumerate(checked)
    ]
    FetchedImage.objects.bulk_create(rows)
    numbers = [row.public_id for row in rows]  # MySQL says no ids of new rows
    return list(FetchedImage.objects.filter(public_id__in=numbers).order_by("place"))


@atomic
def create_product(
    *, actor: Actor, merchant: Merchant, name: str, sku: str | None, urls: Sequence[str]
) -> tuple[Product, list[FetchedImage]]:
    """Create a product, and let workers fetch its images, if there are any; all of it or nothing.

    Raises as `catalog.services.products.create_product` and `request_images`.
    """
    product = products.create_product(actor=actor, merchant=merchant, name=name, sku=sku)
    return product, request_images(actor=actor, product=product, urls=urls) if urls else []


def fetch_due(stop: threading.Event) -> int:
    """Fetch what is due, one after the other, until nothing is or `stop` is set; returns how many were tried."""
    tried = 0
    while not stop.is_set() and (fetch := _claim()) is not None:
        _fetch(fetch)
        tried += 1
    return tried


def _claim() -> FetchedImage | None:
    """Claim the next one: of a merchant that no other thread fetches for, if there is one."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    due = FetchedImage.objects.filter(free, state=State.WAITING, next_at__lte=timezone.now()).order_by("next_at", "pk")
    busy = FetchedImage.objects.filter(state=State.WAITING, lease_until__gte=Now()).order_by().values_list("merchant")
    token = secrets.token_hex(16)
    merchants = {merchant for (merchant,) in busy}
    for some in (due.exclude(merchant__in=merchants), due):
        for pk in list(some.values_list("pk", flat=True)[:10]):
            mine = FetchedImage.objects.filter(free, pk=pk, state=State.WAITING)
            if mine.update(lease_token=token, lease_until=Now() + _LEASE):
                return FetchedImage.objects.select_related("product", "api_key", "user", "merchant").get(pk=pk)
    return None


def _actor_of(fetch: FetchedImage) -> Actor | None:
    """Who asked, with the permissions of today; None if there is nobody any more who may."""
    actor = actor_today(fetch.merchant, channel=Channel.API, user=fetch.user, api_key=fetch.api_key)
    return actor if actor is not None and actor.can_edit(fetch.merchant_id) else None


def _fetch(fetch: FetchedImage) -> None:
    """Fetch one image and add it, or say why not. No transaction is open while the other server is waited for."""
    try:
        image = _added(fetch)
    except Refused as refused:
        _refuse(fetch, refused)
    except Exception as error:
        if database_is_away(error):
            raise  # its lease ends, and then it is tried again
        if storage_is_away(error):  # no attempt: that is not the image's fault, and comes to an end
            logger.warning("the image %s waits for the storage: %s", fetch.public_id, error)
            _end(fetch, next_at=timezone.now() + _STORAGE_PAUSE)
            return
        # Not for ever: somebody may have made the image so that it breaks us, and others wait behind it.
        logger.exception("the image %s could not be fetched", fetch.public_id)
        _refuse(fetch, Invalid("server_error", BROKEN))
    else:
        _end(fetch, state=State.DONE, image=image, reason={})


def _added(fetch: FetchedImage) -> ProductImage | None:
    actor = _actor_of(fetch)
    if actor is None:
        raise Invalid("forbidden", NOT_ALLOWED)
    limits = Limits(settings.OTJANG_FETCH_SECONDS, settings.OTJANG_MAX_UPLOAD_BYTES, redirects=3)
    answer = outgoing.call("GET", fetch.url, limits=limits, headers={"Accept": "image/*,*/*;q=0.1"})
    if answer.status != 200:
        code = "answer_later" if answer.status in _AGAIN else "answer_refused"
        raise Invalid(code, ANSWER_REFUSED, {"status": answer.status})
    name = file_name(unquote(urlsplit(answer.url).path.rpartition("/")[2]))
    file = SimpleUploadedFile(name if name.strip(".") else NAMELESS, answer.body)  # ".." would be refused as a folder
    (received,) = uploads.add_images(actor=actor, product=fetch.product, files=[file], place=fetch.place)
    if received.refusal is not None:
        raise received.refusal
    return received.image


def _refuse(fetch: FetchedImage, refused: Refused) -> None:
    reason = to_json(refused)
    attempts = fetch.attempts + 1
    if refused.code in _TEMPORARY and attempts < _ATTEMPTS:
        _end(fetch, attempts=attempts, next_at=timezone.now() + _PAUSES[attempts - 1], reason=reason)
    else:
        _end(fetch, state=State.REFUSED, attempts=attempts, reason=reason)


def _end(fetch: FetchedImage, **fields: Any) -> None:
    """Write what came of an attempt, unless another worker has taken it over."""
    if "state" in fields:
        fields["finished_at"] = timezone.now()
    held = FetchedImage.objects.filter(pk=fetch.pk, lease_token=fetch.lease_token)
    held.update(lease_token="", lease_until=None, **fields)


def prune(goes_on: Callable[[], bool] = lambda: True) -> int:
    """Delete what ended a week ago; returns how many."""
    deleted = 0
    old = FetchedImage.objects.filter(finished_at__lt=timezone.now() - KEPT)
    while goes_on() and (some := list(old.order_by("finished_at").values_list("pk", flat=True)[:_CHUNK])):
        FetchedImage.objects.filter(pk__in=some).delete()
        deleted += len(some)
    return deleted
