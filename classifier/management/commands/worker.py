"""`manage.py worker`: the process that loads the networks and does the work."""

from __future__ import annotations

import logging
import socket
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import FrameType
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from accounts.startup import require_sound_database
from catalog.selectors import Taxonomy
from classifier import batches, registry, sweep, uploads
from classifier.engine import WeightsError

logger = logging.getLogger("classifier.worker")

POLL_SECONDS = 0.2
SWEEP_SECONDS = 15
PRUNE_SECONDS = 3600


class DrainingWorker(Worker):
    """The task queue's worker; told to end, it finishes the batches that it has claimed."""

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Stop claiming, then do what every worker does: end after the current task, or at once without one."""
        batches.draining.set()
        super().shutdown(signum, frame)


def prune_wake_ups() -> None:
    """Delete old tasks, which slow the queue down: finished ones, and those that a killed worker left running.

    A task that is alive must keep its row, or its worker ends over it: `batches.RUN_SECONDS` is far less than a day.
    """
    call_command("prune_db_task_results", queue_name="*", min_age_days=1, verbosity=0)
    DBTaskResult.objects.running().filter(started_at__lt=timezone.now() - timedelta(days=1)).delete()


class Recurring(threading.Thread):
    """Does a piece of work every so many seconds until it is stopped, whatever a single time runs into.

    The work is given an event that says when to end early.
    """

    def __init__(self, name: str, work: Callable[[threading.Event], object], seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._seconds = seconds
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work, wait, and begin again."""
        try:
            while not self._stopped.is_set():
                close_old_connections()
                try:
                    self._work(self._stopped)
                except Exception:
                    logger.exception("%s broke off; it is tried again", self.name)
                self._stopped.wait(self._seconds)
        finally:
            connection.close()

    def stop(self) -> None:
        """Let what is being done end soon, and nothing more begin; `join` waits for it."""
        self._stopped.set()


def prune(stop: threading.Event) -> None:
    """Delete what nobody needs any more: files, garments, wake-ups."""
    sweep.prune(stop)
    prune_wake_ups()


def recurring() -> list[Recurring]:
    """What goes on beside the queue. Each has a thread of its own: leases must not wait for a storage or a network."""
    return [
        Recurring("sweep", lambda _stop: sweep.sweep(), SWEEP_SECONDS),
        Recurring("registration of uploads", uploads.run_waiting, SWEEP_SECONDS),
        Recurring("prune", prune, PRUNE_SECONDS),
    ]


class Command(BaseCommand):
    """Takes photographs from the queue, and sweeps. Several may run, on several machines."""

    help = "Classify photographs as they are uploaded, until stopped. SIGTERM lets the current batch end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer `--once`, for scripts."""
        parser.add_argument("--once", action="store_true", help="do what waits now, sweep once, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        """Load the networks, then work until told to stop."""
        require_sound_database()
        started = time.monotonic()
        with suppress(WeightsError):  # said below
            registry.serve_shipped()
        serving = batches.serving_now(Taxonomy.load())
        if serving is None:
            logger.warning("started without a model: photographs wait until the weights are there")
        else:
            logger.info("models %s loaded in %.1f s", serving.engine.manifest.version, time.monotonic() - started)
        worker = DrainingWorker(
            queue_names=["*"],
            interval=POLL_SECONDS,
            batch=once,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=f"{socket.gethostname()[:40]}-{get_random_string(8)}",
            excluded_queue_names=[],
        )
        if once:
            sweep.sweep()
            uploads.run_waiting()
            worker.run()
            return
        worker.configure_signals()
        beside = recurring()
        for thread in beside:
            thread.start()
        logger.info("waiting for photographs")
        try:
            worker.run()
        finally:
            for thread in beside:
                thread.stop()
            for thread in beside:
                thread.join()
            logger.info("stopped")
