"""Batches of photographs on their way through a worker: claimed, read, classified, stored, applied.

While the networks look at one batch, the next one is claimed and its photographs are read and decoded.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from django.conf import settings
from django.core.files.storage import default_storage

from catalog.selectors import Taxonomy
from classifier import jobs, registry, results
from classifier.engine import DecodeError, Engine, Photograph, WeightsError, WeightsMissing, shared_engine
from classifier.models import Classification

logger = logging.getLogger(__name__)

Error = Classification.Error

draining = threading.Event()
"""Set when the process shall end: what was claimed is finished, nothing more is claimed."""


@dataclass(frozen=True)
class _Ahead:
    """A claimed batch whose files are being read: bytes or what is wrong, by job id."""

    batch: jobs.Batch
    files: Future[dict[int, bytes | None]]


def serving_engine() -> Engine | None:
    """This process's engine, or None while there are no usable weights; then every waiting job says so."""
    try:
        return shared_engine(settings.WEIGHTS_DIR, max_pixels=settings.OTJANG_MAX_IMAGE_PIXELS)
    except WeightsError as error:
        code = Error.MODEL_NOT_AVAILABLE if isinstance(error, WeightsMissing) else Error.MODEL_REFUSED
        if jobs.explain_waiting(code, str(error)):
            logger.warning("photographs wait for the model: %s", error)
        return None


def classify_waiting() -> int:
    """Work through the queue until nothing waits or the process is to end; returns how many jobs were ended."""
    engine = serving_engine()
    if engine is None:
        return 0
    serving = registry.register(engine.manifest)
    ended = 0
    with ThreadPoolExecutor(1, thread_name_prefix="read") as pool:
        ahead = _claim(pool)
        while ahead is not None:
            current, ahead = ahead, _claim(pool)
            ended += _work(current, engine, serving)
            ahead = ahead or _claim(pool)  # what came meanwhile, or broke off and waits again
    return ended


def _claim(pool: ThreadPoolExecutor) -> _Ahead | None:
    while not draining.is_set() and (batch := jobs.claim(settings.OTJANG_CLASSIFY_BATCH)) is not None:
        if batch.jobs:  # else another worker was quicker
            return _Ahead(batch, pool.submit(_read, batch))
    return None


def _read(batch: jobs.Batch) -> dict[int, bytes | None]:
    """The display copies by job id, None for one that is not there. Runs beside the networks; asks no database."""
    files: dict[int, bytes | None] = {}
    for job in batch.jobs:
        try:
            with default_storage.open(str(job.image.display)) as file:
                files[job.pk] = file.read()
        except FileNotFoundError:
            files[job.pk] = None
    return files


def _work(ahead: _Ahead, engine: Engine, serving: registry.Serving) -> int:
    """Classify one batch and store the results. What breaks off waits again, until its attempts are used up."""
    batch = ahead.batch
    try:
        ended = _classify(batch, ahead.files.result(), engine, serving)
    except Exception as error:
        logger.exception("a batch of %d photographs broke off", len(batch.jobs))
        jobs.put_back_batch(batch, repr(error))
        ended = 0
    started = time.perf_counter()
    taxonomy = Taxonomy.load()
    products = {job.image.product_id for job in batch.jobs}
    for product_id in sorted(products):
        results.apply(product_id, taxonomy)
    logger.info("%d products brought up to date in %.0f ms", len(products), _milliseconds_since(started))
    return ended


def _classify(batch: jobs.Batch, files: dict[int, bytes | None], engine: Engine, serving: registry.Serving) -> int:
    started = time.perf_counter()
    present = {job: data for job, data in files.items() if data is not None}
    found: dict[int, Photograph] = {}
    ended = 0
    for job, data in files.items():
        if data is None:
            ended += jobs.fail(batch.token, job, Error.FILE_MISSING, "The display copy is not in the storage.")
    for job, result in zip(present, engine.classify_many(present.values()), strict=True):
        if isinstance(result, DecodeError):
            ended += jobs.fail(batch.token, job, Error.UNREADABLE, result.message)
        else:
            found[job] = result
    timings = _mean_timings(list(found.values()))
    if found:
        ended += results.store(batch, found, serving=serving, taxonomy=Taxonomy.load(), timings=timings)
    phases = ", ".join(f"{phase} {spent:.0f}" for phase, spent in timings.items())
    logger.info("%d photographs in %.0f ms (each: %s)", ended, _milliseconds_since(started), phases)
    return ended


def _mean_timings(photographs: list[Photograph]) -> dict[str, float]:
    """Milliseconds a photograph by phase, over the batch."""
    phases = {phase for photograph in photographs for phase in photograph.timings}
    return {
        phase: round(sum(photograph.timings[phase] for photograph in photographs) / len(photographs), 1)
        for phase in sorted(phases)
    }


def _milliseconds_since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
