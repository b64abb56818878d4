"""Batches of photographs on their way through a worker: claimed, looked at, stored, applied.

Threads read and look at a batch each; meanwhile the calling thread writes the
results of the one before and claims the next. Only the calling thread talks to the database.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.core.files.storage import default_storage

from catalog.selectors import Taxonomy
from classifier import jobs, results, serving
from classifier.engine import LANES, THREADS, DecodeError, Engine, Photograph, WeightsError, WeightsMissing
from classifier.models import Classification

logger = logging.getLogger(__name__)

Error = Classification.Error

BATCHES_ON_THE_WAY = THREADS + 2  # one is being written, and one waits for the first thread that is free
RUN_SECONDS = 3600  # a task that lasts for days cannot be told from one that a killed worker left running
RENEW_SECONDS = 3  # how long a long run may overlook a promotion, or a change of the taxonomy

draining = threading.Event()
"""Set when the process shall end: what was claimed is finished, nothing more is claimed."""


@dataclass(frozen=True)
class _Failure:
    """A photograph that cannot be classified, whoever tries: an error code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class _OnTheWay:
    """A claimed batch, who looks at it, and what will have become of its photographs, in the order of the jobs."""

    batch: jobs.Batch
    serving: serving.Serving
    looked: Future[list[Photograph | _Failure]]


@dataclass
class _Run:
    """What one run through the queue uses."""

    lanes: Executor
    on_the_way: deque[_OnTheWay] = field(default_factory=deque)
    _known: tuple[Taxonomy, serving.Serving] | None = None
    _known_since: float = 0.0

    @property
    def taxonomy(self) -> Taxonomy:
        """The taxonomy as it was when something was claimed last."""
        assert self._known is not None
        return self._known[0]

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
        while len(self.on_the_way) < BATCHES_ON_THE_WAY and not draining.is_set():
            active = self.renew()
            if active is None:
                return
            free = max(1, LANES - len(self.on_the_way))
            batch = jobs.claim(settings.OTJANG_CLASSIFY_BATCH, lanes=free, alone=not self.on_the_way)
            if batch is None:
                return
            if batch.jobs:  # else another worker was quicker
                self._send(batch, active)
            if batch.is_retry:
                return

    def _send(self, batch: jobs.Batch, active: serving.Serving) -> None:
        """Hand a batch to a lane, with the set that its jobs ask for or the active one."""
        asked = batch.jobs[0].model_set
        try:
            chosen = active if asked is None else serving.of_set(asked, self.taxonomy)
        except WeightsError as error:
            logger.warning("a candidate cannot be tried: %s", error)
            jobs.put_back_batch(batch, str(error))
            return
        self.on_the_way.append(_OnTheWay(batch, chosen, self.lanes.submit(_look, batch, chosen.engine)))

    def settle(self) -> int:
        """Write what became of the oldest batch; returns how many jobs were ended.

        What breaks off waits again, until its attempts are used up.
        """
        item = self.on_the_way.popleft()
        started = time.monotonic()
        try:
            looked = item.looked.result()
            waited = time.monotonic()
            ended = self._store(item, looked)
        except Exception as error:
            logger.exception("a batch of %d photographs broke off", len(item.batch.jobs))
            jobs.put_back_batch(item.batch, repr(error))
            ended, waited = 0, time.monotonic()
        live = Classification.Purpose.LIVE
        products = {job.image.product_id for job in item.batch.jobs if job.purpose == live}
        results.apply_each(products, self.taxonomy)
        logger.info(
            "%d photographs of %d products done; waited %.0f ms for the networks, wrote for %.0f ms",
            ended,
            len(products),
            1000 * (waited - started),
            1000 * (time.monotonic() - waited),
        )
        return ended

    def _store(self, item: _OnTheWay, looked: Sequence[Photograph | _Failure]) -> int:
        batch = item.batch
        found: dict[int, Photograph] = {}
        ended = 0
        for job, result in zip(batch.jobs, looked, strict=True):
            if isinstance(result, _Failure):
                ended += jobs.fail(batch.token, job.pk, result.code, result.message)
            else:
                found[job.pk] = result
        if found:
            timings = _mean_timings(list(found.values()))
            ended += results.store(batch, found, serving=item.serving, taxonomy=self.taxonomy, timings=timings)
        return ended


def serving_now(taxonomy: Taxonomy) -> serving.Serving | None:
    """The active set, loaded, or None while it cannot be used; then every waiting job says so."""
    try:
        return serving.active(taxonomy)
    except WeightsError as error:
        code = Error.MODEL_NOT_AVAILABLE if isinstance(error, WeightsMissing) else Error.MODEL_REFUSED
        if jobs.explain_waiting(code, str(error)):
            logger.warning("photographs wait for the model: %s", error)
        return None


def classify_waiting() -> int:
    """Work through the queue until nothing waits, RUN_SECONDS are over or the process is to end.

    Returns how many jobs were ended.
    """
    ended = 0
    until = time.monotonic() + RUN_SECONDS
    with ThreadPoolExecutor(THREADS, thread_name_prefix="lane") as lanes:
        run = _Run(lanes)
        run.claim()
        while run.on_the_way:
            ended += run.settle()
            if time.monotonic() < until:
                run.claim()
    return ended


def _look(batch: jobs.Batch, engine: Engine) -> list[Photograph | _Failure]:
    """Read the display copies and look at them. Runs on a lane; asks no database."""
    files = [_read(job) for job in batch.jobs]
    results = iter(engine.classify_batch([file for file in files if isinstance(file, bytes)]))
    return [_outcome(next(results)) if isinstance(file, bytes) else file for file in files]


def _read(job: Classification) -> bytes | _Failure:
    try:
        with default_storage.open(str(job.image.display)) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return _Failure(Error.FILE_MISSING, "The display copy is not in the storage.")


def _outcome(result: Photograph | DecodeError) -> Photograph | _Failure:
    return result if isinstance(result, Photograph) else _Failure(Error.UNREADABLE, result.message)


def _mean_timings(photographs: Sequence[Photograph]) -> dict[str, float]:
    """Milliseconds a photograph by phase, over the batch."""
    phases = {phase for photograph in photographs for phase in photograph.timings}
    return {
        phase: round(sum(photograph.timings[phase] for photograph in photographs) / len(photographs), 1)
        for phase in sorted(phases)
    }
