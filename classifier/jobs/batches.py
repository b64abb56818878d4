"""Batches of images on their way through a worker: claimed, looked at, stored, applied.

Threads read and look at a batch each; meanwhile the calling thread writes the results of another and claims the next.
Only the calling thread talks to the database, and it waits for one that is away: what was looked at is written when it
is back, if nobody else took it over meanwhile. A storage that fails makes it claim less often, and no job fail.
"""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from django.conf import settings
from django.db import Error as DatabaseError

from catalog.selectors import Taxonomy
from classifier.jobs import drawn, lanes, measured, queue, results
from classifier.jobs.leases import Lease, keeper
from classifier.models import Classification
from classifier.registry import serving
from core import logs, tracing
from core.db import Backoff, outlast, sleep_until
from core.outage import database_is_away
from vision.engine import LANES, THREADS, ImageResult, WeightsError, WeightsMissing

logger = logging.getLogger(__name__)

R = TypeVar("R")

Error = Classification.Error

BATCHES_ON_THE_WAY = THREADS + 2  # one is being written, and one waits for the first thread that is free
STUCK_STATUS = 75  # "temporary failure": the process's supervisor starts it again
RENEW_SECONDS = 3  # how long a long run may overlook a promotion, or a change of the taxonomy
STORAGE_PAUSES = (1.0, 30.0)  # seconds without a claim after the storage failed: the first time, and at most

draining = threading.Event()
"""Set when the process shall end: what was claimed is finished, nothing more is claimed."""

stuck = threading.Event()
"""Set when a lane hangs. Nothing can end a thread, so the process must end: it is then started again."""


@dataclass(frozen=True, eq=False)
class _OnTheWay:
    """A claimed batch, who looks at it, and what will have become of its images, in the order of the jobs.

    `context` is what lines of the log and spans about it belong to, on whatever thread.
    """

    lease: Lease
    serving: serving.Serving
    drawn: drawn.Drawn
    looked: Future[list[lanes.Outcome]]
    context: contextvars.Context

    @property
    def batch(self) -> queue.Batch:
        return self.lease.batch


@dataclass
class _Run:
    """What one run through the queue uses."""

    threads: Executor
    on_the_way: list[_OnTheWay] = field(default_factory=list)
    _known: tuple[Taxonomy, serving.Serving] | None = None
    _known_since: float = 0.0
    _pauses: Backoff = field(default_factory=lambda: Backoff(*STORAGE_PAUSES))
    _paused_until: float = 0.0

    @property
    def taxonomy(self) -> Taxonomy:
        """The taxonomy as it was when something was claimed last."""
        assert self._known is not None
        return self._known[0]

    @property
    def is_paused(self) -> bool:
        """Whether the storage failed a moment ago, so that nothing is claimed yet."""
        return time.monotonic() < self._paused_until and not draining.is_set()

    def wait_out(self) -> None:
        """Wait until the pause is over, or the process shall end."""
        sleep_until(self._paused_until, draining)

    def renew(self) -> serving.Serving | None:
        """The active set, asked for again every few seconds; None while it cannot be used."""
        now = time.monotonic()
        if self._known is None or now - self._known_since > RENEW_SECONDS:
            taxonomy = Taxonomy.load()
            active = serving_now(taxonomy)
            if active is None:
                return None
            self._known, self._known_since = (taxonomy, active), now
        return self._known[1]

    def claim(self) -> None:
        """Send as many batches on their way as may be there at once."""
        self._outlast(self._claim, "claiming images")

    def _outlast(self, work: Callable[[], R], what: str) -> R:
        return outlast(work, what=what, stop=draining)

    def _claim(self) -> None:
        while len(self.on_the_way) < BATCHES_ON_THE_WAY and not (draining.is_set() or stuck.is_set() or self.is_paused):
            active = self.renew()
            if active is None:
                return
            free = max(1, LANES - len(self.on_the_way))
            batch = queue.claim(settings.OTJANG_CLASSIFY_BATCH, lanes=free, alone=not self.on_the_way)
            if batch is None:
                return
            if batch.jobs:  # else another worker was quicker
                self._send(keeper.hold(batch), active)
            if batch.is_retry:
                return

    def _send(self, lease: Lease, active: serving.Serving) -> None:
        """Hand a batch to a lane, with the set that its jobs ask for or the active one."""
        measured.claimed(lease.batch.jobs)
        with logs.about(**lease.batch.log_fields):
            contextvars.copy_context().run(self._begin, lease, active)

    def _begin(self, lease: Lease, active: serving.Serving) -> None:
        batch = lease.batch
        tracing.begin("classify batch", **batch.log_fields)
        asked = batch.jobs[0].model_set
        try:
            chosen = active if asked is None else serving.of_set(asked, self.taxonomy)
            people = drawn.read(batch.jobs)  # after the claim: who draws from now on takes the job's lease away
        except Exception as error:
            keeper.drop(lease)
            tracing.end()
            if isinstance(error, WeightsError):
                logger.warning("a candidate cannot be tried: %s", error)
                queue.put_back_batch(batch, str(error))
            elif lanes.is_storage_error(error):
                self._pause()
                queue.wait_for_storage(batch.token, batch.ids, repr(error))
            else:
                raise
            return
        look = contextvars.copy_context().run
        looked = self.threads.submit(look, lanes.look, lease, chosen.engine, drawn.given(batch.jobs, people))
        self.on_the_way.append(_OnTheWay(lease, chosen, people, looked, contextvars.copy_context()))

    def _pause(self) -> None:
        self._paused_until = time.monotonic() + self._pauses.pause()

    def settle(self) -> int:
        """Write what became of the first batch that is done; returns how many jobs were ended.

        What breaks off waits again, until its attempts are used up. So does what hangs, and the process with it.
        """
        started = time.monotonic()
        item = self._next()
        return item.context.run(self._settle, item, started)

    def _settle(self, item: _OnTheWay, started: float) -> int:
        waited = time.monotonic()
        try:
            if not item.looked.done():
                return self._abandon(item)
            ended = self._write(item)
        except DatabaseError as error:
            if not (database_is_away(error) and draining.is_set()):
                raise
            logger.warning("the database is away at the end; %d images are left to others", len(item.batch.jobs))
            return 0
        finally:
            keeper.drop(item.lease)
            tracing.end()
        logger.info(
            "%d images done; waited %.0f ms for the networks, wrote for %.0f ms",
            ended,
            1000 * (waited - started),
            1000 * (time.monotonic() - waited),
        )
        return ended

    def _next(self) -> _OnTheWay:
        """Take the first batch that is done, or that hangs, out of those on their way."""
        while True:
            for item in self.on_the_way:
                if item.looked.done() or item.lease.is_stuck:
                    self.on_the_way.remove(item)
                    return item
            wait([item.looked for item in self.on_the_way], timeout=1, return_when=FIRST_COMPLETED)

    def _abandon(self, item: _OnTheWay) -> int:
        """Put back a batch that hangs: an attempt that counts, unless it is the storage that it waits for."""
        reading = item.lease.reading  # before the lane may go on
        stuck.set()
        batch, message = item.batch, f"No result after {settings.OTJANG_MAX_JOB_SECONDS} s."
        logger.critical("a lane hangs over the images %s; this process ends", batch.ids)
        if reading:
            self._outlast(lambda: queue.wait_for_storage(batch.token, batch.ids, message), "putting jobs back")
        else:
            self._outlast(lambda: queue.put_back_batch(batch, message), "putting jobs back")
        return 0

    def _write(self, item: _OnTheWay) -> int:
        try:
            looked = item.looked.result()
            with tracing.span("store results"):
                ended = self._outlast(lambda: self._store(item, looked), "writing results")
        except Exception as error:
            if database_is_away(error):
                raise
            message = repr(error)
            logger.exception("a batch of %d images broke off", len(item.batch.jobs))
            self._outlast(lambda: queue.put_back_batch(item.batch, message), "putting jobs back")
            ended = 0
        live = Classification.Purpose.LIVE
        products = {job.image.product_id for job in item.batch.jobs if job.purpose == live}
        with tracing.span("apply to products"):
            self._outlast(lambda: results.apply_each(products, self.taxonomy), "bringing products up to date")
        return ended

    def _store(self, item: _OnTheWay, looked: Sequence[lanes.Outcome]) -> int:
        """May be repeated: what was written already has no lease any more."""
        batch = item.batch
        found: dict[int, ImageResult] = {}
        untried: list[int] = []
        unread: list[int] = []
        ended = 0
        for job, result in zip(batch.jobs, looked, strict=True):
            if isinstance(result, lanes.Failure):
                if queue.fail(batch.token, job.pk, result.code, result.message):
                    ended += 1
                    measured.FAILED.add(code=result.code)
                    about = logs.fields(job=job.pk, image=job.image.public_id, code=result.code)
                    logger.warning("an image cannot be classified: %s", result.code, extra=about)
            elif not isinstance(result, lanes.Unread):
                found[job.pk] = result
            elif result.error:
                unread.append(job.pk)
                queue.wait_for_storage(batch.token, [job.pk], result.error)
            else:
                untried.append(job.pk)
        if untried:
            queue.release(batch.token, untried)
        if found:
            timings = _mean_timings(list(found.values()))
            began = time.perf_counter()
            stored = results.store(
                batch, found, serving=item.serving, taxonomy=self.taxonomy, timings=timings, people=item.drawn
            )
            measured.stored(stored, time.perf_counter() - began, item.serving.engine.manifest.version)
            ended += stored
        if unread:
            self._pause()
        elif found:
            self._pauses.reset()
        return ended


def serving_now(taxonomy: Taxonomy) -> serving.Serving | None:
    """The active set, loaded, or None while it cannot be used; then every waiting job says so."""
    try:
        return serving.active(taxonomy)
    except WeightsError as error:
        code = Error.MODEL_NOT_AVAILABLE if isinstance(error, WeightsMissing) else Error.MODEL_REFUSED
        reason = str(error)
    except Exception as error:
        if not lanes.is_storage_error(error):
            raise
        code, reason = Error.STORAGE, repr(error)
    if queue.explain_waiting(code, reason):
        logger.warning("images wait for the model: %s", reason)
    return None


def classify_waiting() -> int:
    """Work through the queue until nothing waits, OTJANG_TASK_SECONDS are over or the process is to end.

    Returns how many jobs were ended.
    """
    ended = 0
    until = time.monotonic() + settings.OTJANG_TASK_SECONDS
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lane")
    run = _Run(threads)
    try:
        run.claim()
        while run.on_the_way or run.is_paused:
            if run.on_the_way:
                ended += run.settle()
            else:
                run.wait_out()
            if time.monotonic() < until:
                run.claim()
    finally:
        for item in run.on_the_way:  # left there by an error: others may have them after their lease
            keeper.drop(item.lease)
        threads.shutdown(wait=not stuck.is_set())
    return ended


def _mean_timings(images: Sequence[ImageResult]) -> dict[str, float]:
    """Milliseconds per image, by phase, over the batch."""
    phases = {phase for image in images for phase in image.timings}
    return {phase: round(sum(image.timings[phase] for image in images) / len(images), 1) for phase in sorted(phases)}
