"""`manage.py worker` behind a broker: takes wake-ups by Celery, and goes on without them while the broker is away."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from celery.worker import WorkController, state
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string
from django_tasks.base import Task

from classifier.jobs import batches, operations, sweep
from classifier.jobs.tasks import classify_waiting
from core.broker import Broker
from core.celery_backend import RUN, CeleryBackend

logger = logging.getLogger("classifier.worker")

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


class CeleryWorker:
    """A Celery worker within this process, of one message at a time. It outlasts the broker and the database.

    Celery reconnects on its own. Meanwhile `work_alone`, called every few seconds by a thread, does what waits; the
    rows of the queue say what that is, so that a message that comes later finds nothing to do.
    """

    def __init__(self, backend: Broker, name: str, *, once: bool = False) -> None:
        assert isinstance(backend, CeleryBackend)
        self._backend = backend
        self._name = name
        self._once = once
        self._turn = threading.Lock()  # one run through the queue at a time
        self._controller: WorkController | None = None
        self._is_deaf = False  # when it was last asked whether it listens

    def run(self) -> None:
        """Take messages until told to end; or do what waits now, whether anybody was woken for it or not."""
        if self._once:
            while batches.classify_waiting() or operations.feed():
                pass
            return
        app = self._backend.app
        app.task(name=RUN, shared=False)(self._run)
        app.finalize()
        app.set_current()  # Celery looks there for the task that a message names
        self._controller = WorkController(
            app=app,
            hostname=self._name,
            pool_cls="solo",
            concurrency=1,
            queues=settings.OTJANG_WORKER_QUEUES,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._controller.start()

    def work_alone(self, _stop: threading.Event | None = None) -> None:
        """Look into the queue if the broker is away, or this worker does not listen to it again yet.

        A way that is cut looks as if nobody sent anything. So the broker is asked if jobs wait although nobody is at
        work here.
        """
        if self._turn.locked() or (self._listens() and (not sweep.is_overlooked() or self._backend.answers())):
            return
        if self._turn.acquire(blocking=False):
            try:
                if images := classify_waiting.call():
                    logger.warning("%d images classified without being woken: the broker is not there yet", images)
            finally:
                self._turn.release()
            self._end_if_stuck()

    def _listens(self) -> bool:
        """Whether messages can reach this worker: Celery waits up to half a minute before it connects again.

        Where Redis is away when a message is acknowledged, the message counts as being in hand for good. As a worker
        may have one only, no other comes. Celery does not notice, so it is made to connect again.
        """
        consumer = getattr(self._controller, "consumer", None)
        if consumer is None or consumer.connection is None or not consumer.connection.connected:
            return False
        in_hand = getattr(getattr(consumer.task_consumer, "channel", None), "qos", None)  # RabbitMQ keeps that itself
        was_deaf, self._is_deaf = self._is_deaf, in_hand is not None and not in_hand.can_consume()
        if was_deaf and self._is_deaf:  # and not only while a message comes or goes
            logger.warning("no message can come: connecting to the broker again")
            consumer.hub.call_soon(_cut)
        return not self._is_deaf

    def _run(self, path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        """Run a Django task that a message names."""
        found = import_string(path)
        if not isinstance(found, Task):
            raise TypeError(f"{path} is not a task")
        close_old_connections()
        try:
            with self._turn:
                found.call(*args, **kwargs)
        finally:
            close_old_connections()
        self._end_if_stuck()

    def _end_if_stuck(self) -> None:
        """End the process at once if a lane hangs, which no thread can be made to leave."""
        if batches.stuck.is_set():
            os._exit(batches.STUCK_STATUS)

    def configure_signals(self) -> None:
        """End in order when told to; at once when told to a second time."""
        for number in _ENDINGS:
            signal.signal(number, self.shutdown)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        """Finish the batches that were claimed, claim nothing more, and take no message more."""
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_DFL)
        batches.draining.set()
        state.should_stop = 0


def _cut() -> None:
    """Let the loop that calls it end as it does when a connection breaks; Celery then connects again."""
    raise ConnectionResetError("no message can come")
