"""Requests to classify images that nobody stores, as a worker answers them: beside the queue of images, ahead of bulk.

Some images of a request are claimed at a time, under a lease as for the queue. What was found in them is added to the
row, their files are deleted, and the request takes its next turn behind other merchants' requests. So a large request
holds up no small one, and a worker that is killed costs no more than the images it had.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import F, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Merchant
from catalog.selectors import Taxonomy
from classifier.jobs import batches, precedence, queue, spool
from classifier.jobs.lanes import is_storage_error
from classifier.models import ClassifyRequest
from classifier.registry import serving
from core.db import Backoff, atomic
from vision.engine import LANES, DecodeError, ImageResult, WeightsError

logger = logging.getLogger(__name__)

State = ClassifyRequest.State
Error = ClassifyRequest.Error

THREADS = min(LANES, 2)
"""How many requests one process answers at the same time."""

_FREE = {"lease_token": "", "lease_until": None}
_PAUSES = (1.0, 15.0)  # seconds without a claim while models or storage do not answer: the first time, and at most


@dataclass(frozen=True)
class Claimed:
    """A request in this process's hands, and which of its files are looked at now."""

    request: ClassifyRequest
    token: str
    places: list[int]
    since: float = field(default_factory=time.monotonic)


class _Held:
    """The leases that this process renews."""

    def __init__(self) -> None:
        self._claimed: dict[str, Claimed] = {}
        self._lock = threading.Lock()

    def add(self, claimed: Claimed) -> None:
        with self._lock:
            self._claimed[claimed.token] = claimed

    def drop(self, claimed: Claimed) -> None:
        with self._lock:
            self._claimed.pop(claimed.token, None)

    def all(self) -> list[Claimed]:
        with self._lock:
            return list(self._claimed.values())


_held = _Held()


def next_turn(merchant_id: int) -> int:
    """The turn of a merchant's next request: after its own that wait, and not before the one that is next."""
    waiting = ClassifyRequest.objects.filter(state=State.QUEUED)
    own = waiting.filter(merchant=merchant_id).order_by("-turn").values("turn")[:1]
    found = Merchant.objects.filter(pk=merchant_id).values_list(
        Subquery(waiting.order_by("turn").values("turn")[:1]), Subquery(own)
    )
    now, last = found.get()
    return max(now or 0, 0 if last is None else last + 1)


@atomic
def claim() -> Claimed | None:
    """Claim the next images of the request whose turn it is; None if nothing waits or another worker was quicker."""
    waiting = ClassifyRequest.objects.filter(state=State.QUEUED, expires_at__gt=Now())
    first = waiting.order_by("turn", "id").values_list("pk", flat=True).first()
    if first is None:
        return None
    token = secrets.token_hex(16)
    claimed = ClassifyRequest.objects.filter(pk=first, state=State.QUEUED).update(
        state=State.RUNNING,
        lease_token=token,
        lease_until=queue.lease_end(),
        attempts=F("attempts") + 1,
        error_code="",
    )
    if not claimed:
        return None
    request = ClassifyRequest.objects.get(pk=first)
    left = [place for place, result in enumerate(request.results) if result is None]
    return Claimed(request, token, left[: settings.OTJANG_CLASSIFY_BATCH])


class Answering:
    """Answers requests one after the other until none waits. For one thread; several may do it side by side."""

    def __init__(self) -> None:
        self._pauses = Backoff(*_PAUSES)
        self._paused_until = 0.0

    def __call__(self, stop: threading.Event) -> None:
        """Answer what waits now. Ends soon after `stop` is set; what was claimed is finished."""
        while not (stop.is_set() or batches.draining.is_set()) and time.monotonic() >= self._paused_until:
            claimed = claim()
            if claimed is None:
                return
            _held.add(claimed)
            try:
                with precedence.taken():
                    answers = self._answer(claimed)
            finally:
                _held.drop(claimed)
            if answers:
                self._pauses.reset()
            else:
                self._paused_until = time.monotonic() + self._pauses.pause()

    def _answer(self, claimed: Claimed) -> bool:
        """Look at what was claimed, and write what was found; says whether models and storage answered."""
        try:
            engine = serving.active(Taxonomy.load()).engine
            files = [_read(claimed.request.path(place)) for place in claimed.places]
            looked = engine.classify_batch(files)
        except _Lost:
            fail(claimed, Error.FILE_MISSING)
        except WeightsError as error:
            logger.warning("requests wait for the model: %s", error)
            put_back(claimed, Error.MODEL_NOT_AVAILABLE)
            return False
        except Exception as error:
            if is_storage_error(error):
                logger.warning("requests wait for the storage: %r", error)
                put_back(claimed, Error.STORAGE)
                return False
            logger.exception("a request for %d images broke off", len(claimed.places))
            give_up_or_wait(claimed)
        else:
            if store(claimed, looked, engine.models):
                spool.remove(claimed.request, claimed.places)
        return True


class _Lost(Exception):
    """A file is not in the spool."""


def _read(path: str) -> bytes:
    try:
        with default_storage.open(path) as file:
            return bytes(file.read())
    except FileNotFoundError as error:
        raise _Lost from error


def refused(code: str, details: dict[str, Any]) -> dict[str, Any]:
    """What the results say of a file that cannot be looked at. The sentence is put in when somebody reads it."""
    return {"width": None, "height": None, "garments": [], "models": {}, "error": {"code": code, "details": details}}


def _found(result: ImageResult | DecodeError, models: dict[str, str]) -> dict[str, Any]:
    if isinstance(result, DecodeError):
        return refused(result.code, result.details) | {"models": models}
    return {**result.as_dict(), "error": None}


@atomic
def store(claimed: Claimed, looked: Sequence[ImageResult | DecodeError], models: dict[str, str]) -> bool:
    """Add what was found to the request, and let it wait for its next turn if something is left.

    Says whether the lease still held: who asked may have forgotten it, or another worker have it.
    """
    request = _mine(claimed)
    if request is None:
        return False
    for place, result in zip(claimed.places, looked, strict=True):
        request.results[place] = _found(result, dict(models))
    request.attempts = 0
    request.lease_token, request.lease_until = "", None
    request.started_at = request.started_at or timezone.now()
    if any(result is None for result in request.results):
        request.state, request.turn = State.QUEUED, next_turn(request.merchant_id)
    else:
        request.state, request.finished_at = State.DONE, timezone.now()
    request.save()
    return True


def _mine(claimed: Claimed) -> ClassifyRequest | None:
    held = ClassifyRequest.objects.filter(pk=claimed.request.pk, state=State.RUNNING, lease_token=claimed.token)
    return held.select_for_update().first()


def _release(claimed: Claimed, **fields: object) -> int:
    held = ClassifyRequest.objects.filter(pk=claimed.request.pk, state=State.RUNNING, lease_token=claimed.token)
    return held.update(**_FREE, **fields)


@atomic
def put_back(claimed: Claimed, code: str) -> None:
    """Let a request wait for something that is not its fault; it does not count as an attempt."""
    _release(claimed, state=State.QUEUED, attempts=F("attempts") - 1, error_code=code)


@atomic
def fail(claimed: Claimed, code: str) -> None:
    """End a request for a reason that trying again does not change."""
    if _release(claimed, state=State.FAILED, finished_at=timezone.now(), error_code=code):
        spool.remove(claimed.request)


def give_up_or_wait(claimed: Claimed) -> None:
    """Let a request that broke off wait again, or give it up after its last attempt."""
    if claimed.request.attempts >= settings.OTJANG_MAX_ATTEMPTS:
        fail(claimed, Error.GAVE_UP)
    else:
        _release(claimed, state=State.QUEUED)


def renew() -> bool:
    """Put off the ends of the leases that this process holds; says whether it hangs over one of them.

    Nothing can end a thread: who hangs must be ended as a process, and another one takes over.
    """
    claimed = _held.all()
    late = time.monotonic() - settings.OTJANG_MAX_JOB_SECONDS
    alive = [one for one in claimed if one.since > late]
    if alive:
        ids, tokens = [one.request.pk for one in alive], [one.token for one in alive]
        held = ClassifyRequest.objects.filter(pk__in=ids, state=State.RUNNING, lease_token__in=tokens)
        held.update(lease_until=queue.lease_end())
    return len(alive) < len(claimed)


def take_over() -> int:
    """Let the requests of workers that stopped wait again, or give them up after their last attempt."""
    mine = [one.token for one in _held.all()]
    expired = ClassifyRequest.objects.filter(state=State.RUNNING, lease_until__lt=Now()).exclude(lease_token__in=mine)
    return _taken_over(expired) if expired.exists() else 0


@atomic
def _taken_over(expired: QuerySet[ClassifyRequest]) -> int:
    last = expired.filter(attempts__gte=settings.OTJANG_MAX_ATTEMPTS)
    given_up = last.update(**_FREE, state=State.FAILED, finished_at=timezone.now(), error_code=Error.GAVE_UP)
    return given_up + expired.update(**_FREE, state=State.QUEUED)
