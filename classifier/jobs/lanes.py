"""What a lane does with a batch: read the display copies, and look at them. Asks no database."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.files.storage import default_storage

from classifier.jobs import measured, precedence
from classifier.jobs.leases import Lease
from classifier.models import Classification
from core import logs, tracing
from core.outage import is_of_storage_library
from vision.engine import DecodeError, Engine, Given, ImageResult

logger = logging.getLogger(__name__)

Error = Classification.Error


@dataclass(frozen=True)
class Failure:
    """An image that no worker can classify: an error code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Unread:
    """An image whose file the storage did not give out; an empty `error` where it was not even asked for it."""

    error: str = ""


Outcome = ImageResult | Failure | Unread


def is_storage_error(error: Exception) -> bool:
    """Whether the error is the storage's, or the way's to it: a disk's, a socket's, or one of S3's client."""
    return isinstance(error, OSError) or is_of_storage_library(error)


def look(lease: Lease, engine: Engine, known: Mapping[int, Given]) -> list[Outcome]:
    """Read the display copies of a batch and look at them; returns one outcome for each job, in order.

    `known` holds what people drew in them, by the id of the job.

    After the first file that the storage fails to give out the others are not asked for: each might take as long.
    """
    if all(job.priority == Classification.Priority.BULK for job in lease.batch.jobs):
        precedence.wait_for_others()
    if lease.lost:  # while it waited for this lane
        return [Unread() for _job in lease.batch.jobs]
    lease.read()
    try:
        with tracing.span("read images"):
            files = _read(lease.batch.jobs)
        lease.look()
        given = [known[job.pk] for job, file in zip(lease.batch.jobs, files, strict=True) if isinstance(file, bytes)]
        with tracing.span("run networks"):
            looked = engine.classify_batch([file for file in files if isinstance(file, bytes)], given)
        measured.looked(result.timings for result in looked if isinstance(result, ImageResult))
        results = iter(looked)
        return [_outcome(next(results)) if isinstance(file, bytes) else file for file in files]
    finally:
        lease.looked()


def _read(jobs: Sequence[Classification]) -> list[bytes | Failure | Unread]:
    files: list[bytes | Failure | Unread] = []
    answers = True
    for job in jobs:
        file = _read_one(job) if answers else Unread()
        answers = answers and not isinstance(file, Unread)
        files.append(file)
    return files


def _read_one(job: Classification) -> bytes | Failure | Unread:
    try:
        with measured.PHASE.timed(phase=measured.READ), default_storage.open(str(job.image.display)) as file:
            return bytes(file.read())
    except FileNotFoundError:
        return Failure(Error.FILE_MISSING, "The display copy is not in the storage.")
    except MemoryError:  # this process's own
        raise
    except Exception as error:  # each storage has errors of its own
        about = logs.fields(job=job.pk, image=job.image.public_id)
        logger.warning("the storage does not give out %s: %r", job.image.display, error, extra=about)
        return Unread(repr(error))


def _outcome(result: ImageResult | DecodeError) -> Outcome:
    return result if isinstance(result, ImageResult) else Failure(Error.UNREADABLE, result.message)
