"""Images that somebody asks about without storing them: taken in, waited for, forgotten.

Web processes only put the files into the spool; workers look at them (`classifier.jobs.answering`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.services import usage
from catalog import files as stored_files
from catalog.upload_validation import SENTENCES, check_format, check_size, file_name, refusal
from classifier.jobs import spool
from classifier.jobs.answering import next_turn, refused
from classifier.models import ClassifyRequest
from core import waiting
from core.db import atomic
from core.errors import Forbidden, Invalid, Refused, TooMuch

State = ClassifyRequest.State

_OPEN = (State.RECEIVING, State.QUEUED, State.RUNNING)
RETRY_AFTER = 2
"""Seconds after which a merchant with too many requests may try again."""


def ask(*, actor: Actor, files: Sequence[UploadedFile[bytes]]) -> ClassifyRequest:
    """Take images in, to be looked at soon and forgotten after some minutes.

    A file that cannot be an image has its result at once; the others are put into the spool.

    Args:
        actor: who asks, in a merchant.
        files: the uploads.

    Raises:
        Forbidden: `no_merchant`.
        Invalid: `no_images`, `too_many_images`.
        TooMuch: `too_many_waiting`; so many requests of the merchant wait already. Or the quota of a day, at the API.
        Conflict: `upload_expired`; the storage took minutes.
    """
    if actor.merchant is None:
        raise Forbidden("no_merchant", _("You belong to no shop."))
    limit = settings.OTJANG_CLASSIFY_MAX_IMAGES
    if not files:
        raise Invalid("no_images", SENTENCES["no_images"])
    if len(files) > limit:
        raise Invalid("too_many_images", _("At most %(limit)d photos can be sent at once."), {"limit": limit})
    others = ClassifyRequest.objects.filter(merchant=actor.merchant, state__in=_OPEN, expires_at__gt=Now())
    if others.count() >= settings.OTJANG_CLASSIFY_MAX_OPEN:
        raise TooMuch("too_many_waiting", _("Too many requests of this shop wait already."), seconds=RETRY_AFTER)
    usage.require(actor=actor, images=len(files), size=sum(file.size or 0 for file in files))
    request = ClassifyRequest.objects.create(
        merchant=actor.merchant,
        names=[file_name(file.name or "") for file in files],
        results=[_refusal(file) for file in files],
    )
    try:
        usable = [(place, file) for place, file in enumerate(files) if request.results[place] is None]
        for place, file in usable:
            file.seek(0)
            stored_files.write(request.path(place), file.read())
        _queue(actor, request, [file.size or 0 for _place, file in usable])
    except BaseException:
        spool.forget(request)
        raise
    return request


def _refusal(file: UploadedFile[bytes]) -> dict[str, Any] | None:
    """The result of a file that is not worth looking at, or None; decodes no pixels."""
    try:
        check_size(file.size or 0)
        check_format(file)
    except Refused as unusable:
        return refused(unusable.code, unusable.params)
    return None


@atomic
def _queue(actor: Actor, request: ClassifyRequest, sizes: Sequence[int]) -> None:
    """Let the request wait for a worker, or be done if there is nothing to look at, and count what is.

    Args:
        actor: who asks.
        request: the request.
        sizes: bytes of the files that are looked at.

    Raises:
        Conflict: `upload_expired`.
        TooMuch: the quota of a day.
    """
    fields: dict[str, Any] = {"state": State.QUEUED, "turn": next_turn(request.merchant_id)}
    if None not in request.results:
        fields = {"state": State.DONE, "finished_at": timezone.now()}
    received = ClassifyRequest.objects.filter(pk=request.pk, state=State.RECEIVING, expires_at__gt=Now()).update(
        **fields
    )
    if not received:
        raise stored_files.upload_expired()
    usage.count(actor=actor, images=len(sizes), size=sum(sizes))


def find(*, actor: Actor, public_id: str) -> ClassifyRequest | None:
    """Return a request of the actor's merchant that is not forgotten yet."""
    known = ClassifyRequest.objects.filter(merchant=actor.merchant, expires_at__gt=Now())
    return known.filter(public_id=public_id).first() if actor.merchant is not None else None


def wait_for(request: ClassifyRequest, seconds: float) -> ClassifyRequest | None:
    """Return the request as it is when it has ended, or when the caller has waited so many seconds; None if it is gone.

    At once if too many callers wait already, see `core.waiting`.
    """
    latest: ClassifyRequest | None = request
    known = ClassifyRequest.objects.filter(pk=request.pk, expires_at__gt=Now())

    def is_over() -> bool:
        nonlocal latest
        latest = known.first()
        return latest is None or latest.has_ended

    waiting.wait_until(is_over, seconds)
    return latest


def forget(*, actor: Actor, public_id: str) -> bool:
    """Forget a request with its images and its result at once, wherever it is; says whether there was one."""
    request = find(actor=actor, public_id=public_id)
    if request is not None:
        spool.forget(request)
    return request is not None


def results_of(request: ClassifyRequest) -> list[dict[str, Any]] | None:
    """What was found, as `manage.py classify` writes it, in the order of the files; None until all were looked at."""
    if request.state != State.DONE:
        return None
    return [
        {"file": name, **result, "error": _said(result["error"])}
        for name, result in zip(request.names, request.results, strict=True)
    ]


def _said(error: dict[str, Any] | None) -> dict[str, str] | None:
    """A refusal of a file in the active language."""
    if error is None:
        return None
    code = error["code"]
    return {"code": code, "message": refusal(code if code in SENTENCES else "damaged", **error["details"]).message}
