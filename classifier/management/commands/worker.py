"""`manage.py worker`: the process that loads the networks and does the work."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any, Protocol

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections, connection
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from accounts.services import operations
from catalog.selectors import Taxonomy
from catalog.services import fetching
from classifier.jobs import answering, batches, sweep
from classifier.jobs.lanes import is_storage_error
from classifier.jobs.leases import keeper
from classifier.management import metrics
from classifier.registry import model_sets, serving, uploads
from core import clock, tracing
from core.broker import broker
from core.db import Backoff, outlast, sleep_until
from core.outage import database_is_away
from core.startup import require_sound_database
from vision.engine import WeightsError
from vision.engine.memory import give_large_blocks_back
from webhooks import delivery

logger = logging.getLogger("classifier.worker")

POLL_SECONDS = 0.2
ANSWER_SECONDS = 0.2
SWEEP_SECONDS = 15
TAKE_OVER_SECONDS = 3
OPERATIONS_SECONDS = 1
PRUNE_SECONDS = 3600
FIGURES_SECONDS = 300
CALL_SECONDS = 1
RENEWALS = 3  # in the time of a lease: two may fail
BROKER_SECONDS = 5


class DrainingWorker(Worker):
    """The task queue's worker; told to end, it finishes the batches that it has claimed. It outlasts the database."""

    def run(self) -> None:
        """Take tasks until told to end, and begin again whenever the database breaks it off."""
        backoff = Backoff()
        while self.running:
            began = time.monotonic()
            try:
                super().run()
            except Error as error:
                connection.close()
                if time.monotonic() - began > SWEEP_SECONDS:
                    backoff.reset()
                pause = backoff.pause()
                logger.warning("waiting for tasks: the database is away (%s); tried again in %.1f s", error, pause)
                sleep_until(time.monotonic() + pause, batches.draining)
            else:
                return

    def run_task(self, db_task_result: DBTaskResult[Any, Any]) -> None:
        """Run a task; end the process at once if a lane hangs, which no thread can be made to leave."""
        super().run_task(db_task_result)
        if batches.stuck.is_set():
            os._exit(batches.STUCK_STATUS)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Stop claiming, then do what every worker does: end after the current task, or at once without one."""
        batches.draining.set()
        super().shutdown(signum, frame)


def prune_wake_ups() -> None:
    """Delete old tasks, which slow the queue down: finished ones, and those that a killed worker left running.

    A task that is alive must keep its row, or its worker ends over it: OTJANG_TASK_SECONDS is far less than a day.
    """
    yesterday = timezone.now() - timedelta(days=1)
    if broker() is not None:  # rows are left from before
        DBTaskResult.objects.filter(enqueued_at__lt=yesterday).delete()
        return
    call_command("prune_db_task_results", queue_name="*", min_age_days=1, verbosity=0)
    DBTaskResult.objects.running().filter(started_at__lt=yesterday).delete()


class Queued(Protocol):
    """A worker of a task queue."""

    def run(self) -> None:
        """Take tasks until told to end, or until none is left where it is to do only what waits now."""

    def configure_signals(self) -> None:
        """Let SIGTERM end it in order."""


class Recurring(threading.Thread):
    """Does a piece of work every so many seconds until it is stopped, whatever a single time runs into.

    The work is given an event that says when to end early.
    """

    def __init__(self, name: str, work: Callable[[threading.Event], object], seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._seconds = seconds
        self._backoff = Backoff(min(1.0, seconds), seconds)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work, wait, and begin again."""
        try:
            while not self._stopped.is_set():
                self._stopped.wait(self._once())
        finally:
            connection.close()

    def _once(self) -> float:
        """Work once; returns how many seconds later it is time again."""
        close_old_connections()
        try:
            self._work(self._stopped)
        except Exception as error:
            pause = self._backoff.pause()
            if database_is_away(error):
                connection.close()
                logger.warning("%s: the database is away (%s); tried again in %.1f s", self.name, error, pause)
            else:
                logger.exception("%s broke off; it is tried again", self.name)
            return pause
        self._backoff.reset()
        return self._seconds

    def stop(self) -> None:
        """Let what is being done end soon, and nothing more begin; `join` waits for it."""
        self._stopped.set()


def prune(stop: threading.Event) -> None:
    """Delete what is no longer needed: files, garments, wake-ups; nothing if this machine's clock is wrong."""
    if clock.may_sweep("what is no longer needed"):
        sweep.prune(stop)
        prune_wake_ups()


def renew_leases(_stop: threading.Event) -> None:
    """Keep what this process works on; end the process at once if it hangs over a request."""
    keeper.renew()
    if answering.renew():
        logger.critical("a request hangs; this process ends")
        os._exit(batches.STUCK_STATUS)


def renewal() -> Recurring:
    """What keeps the leases of the batches and requests that this process works on."""
    return Recurring("renewal of leases", renew_leases, settings.OTJANG_LEASE_SECONDS / RENEWALS)


def recurring() -> list[Recurring]:
    """What goes on beside the queue. Each has a thread of its own: leases must not wait for a storage or a network."""
    take_over = sweep.TakeOver()
    return [
        renewal(),
        Recurring("take-over", lambda _stop: take_over(), TAKE_OVER_SECONDS),
        *(Recurring("requests", answering.Answering(), ANSWER_SECONDS) for _ in range(answering.THREADS)),
        Recurring("sweep", lambda _stop: sweep.sweep(), SWEEP_SECONDS),
        Recurring("registration of uploads", uploads.run_waiting, SWEEP_SECONDS),
        Recurring("operations", operations.continue_some, OPERATIONS_SECONDS),
        Recurring("long operations", operations.continue_long, OPERATIONS_SECONDS),
        Recurring("prune", prune, PRUNE_SECONDS),
        Recurring("figures of merchants", sweep.count_merchants, FIGURES_SECONDS),
        *callers(),
    ]


def callers() -> list[Recurring]:
    """What calls other people's servers: each waits for one of them at a time, so a slow one holds up no other work."""
    senders, fetchers = settings.OTJANG_WEBHOOK_THREADS, settings.OTJANG_FETCH_THREADS
    return [
        *(Recurring(f"webhooks {number}", delivery.deliver_due, CALL_SECONDS) for number in range(senders)),
        *(Recurring(f"images by URL {number}", fetching.fetch_due, CALL_SECONDS) for number in range(fetchers)),
    ]


@contextmanager
def running(threads: list[Recurring]) -> Iterator[None]:
    """Run these beside the block, and wait at its end for what they are doing."""
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join()


def load() -> serving.Serving | None:
    """Load the networks of the active set, or say why the images wait; None then."""
    try:
        model_sets.serve_shipped()
    except Exception as error:  # said by the next line
        if not (isinstance(error, WeightsError) or is_storage_error(error)):
            raise
    return batches.serving_now(Taxonomy.load())


def of_queue(*, once: bool) -> tuple[Queued, list[Recurring]]:
    """What takes tasks from the queue that the settings name, and what goes on beside it."""
    name = f"{socket.gethostname()[:40]}-{get_random_string(8)}"
    behind = broker()
    if behind is None:
        worker = DrainingWorker(
            queue_names=settings.OTJANG_WORKER_QUEUES,
            interval=POLL_SECONDS,
            batch=once,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=name,
            excluded_queue_names=[],
        )
        return worker, []
    from classifier.jobs.consumer import CeleryWorker  # needs Celery, which only this setting does

    consumer = CeleryWorker(behind, name, once=once)
    return consumer, [Recurring("without the broker", consumer.work_alone, BROKER_SECONDS)]


def give_way() -> None:
    """Let other processes of this machine go first where cores are short: people wait for pages, images can.

    Threads and processes that begin later are as nice. Nothing happens on systems without such a number.
    """
    if hasattr(os, "setpriority"):
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, max(mine, settings.OTJANG_WORKER_NICENESS))


class Command(BaseCommand):
    """Takes images from the queue, and sweeps. Several may run, on several machines."""

    help = "Classify images as they are uploaded, until stopped. SIGTERM lets the current batch end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer `--once`, for scripts."""
        parser.add_argument("--once", action="store_true", help="do what waits now, sweep once, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """Load the networks, then work until told to stop."""
        require_sound_database()
        tracing.start("otjang-worker")
        give_large_blocks_back()
        if not once:  # which may be part of another program
            give_way()
        started = time.monotonic()
        loaded = outlast(load, what="start", stop=batches.draining)
        if loaded is None:
            logger.warning("started without a model: images wait until the weights are there")
        else:
            logger.info("models %s loaded in %.1f s", loaded.engine.manifest.version, time.monotonic() - started)
        worker, beside = of_queue(once=once)
        if once:
            fetching.fetch_due(batches.draining)
            sweep.take_over()
            sweep.sweep()
            uploads.run_waiting()
            operations.continue_some()
            operations.continue_long()
            with running([renewal()]):
                answering.Answering()(threading.Event())
                worker.run()
            delivery.deliver_due(batches.draining)
            return
        worker.configure_signals()
        logger.info("waiting for images")
        try:
            with metrics.shown(), running([*recurring(), *beside]):
                worker.run()
        finally:
            tracing.stop()
            logger.info("stopped")
