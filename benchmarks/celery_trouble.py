"""What the Celery proof does to workers and brokers, and how they take it."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks.celery_net import Machine
from benchmarks.celery_servers import BrokerServer
from benchmarks.outage_book import Book
from benchmarks.outage_http import Observed
from benchmarks.sides import ROOT

PARTED_SECONDS = 30.0
BACK_SECONDS = 120.0  # until a worker does something again
DOUBLES = 40
DONE = b"images done"


@dataclass
class WorkerMachine:
    """A machine with a worker, which has a folder and a log of its own and is started again when it is killed."""

    machine: Machine
    folder: Path
    environment: dict[str, str]
    started: int = 0
    _log: IO[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        """What the worker wrote."""
        return self.folder / "worker.log"

    def start(self) -> None:
        """Start the worker."""
        self.folder.mkdir(exist_ok=True)
        self._log = self._log or self.log.open("ab")
        own = {
            "UPLOAD_TEMP_DIR": str(self.folder),
            "MEDIA_ROOT": str(self.folder / "media"),
            "TMPDIR": str(self.folder),
        }
        self.machine.start(
            [sys.executable, "manage.py", "worker"], os.environ | self.environment | own, self._log, ROOT
        )
        self.started += 1

    def batches(self) -> int:
        """How many batches its log says that it has done."""
        return self.log.read_bytes().count(DONE)


@dataclass(frozen=True)
class CeleryPlan:
    """How often what happens."""

    kills: int
    restarts: tuple[float, ...]  # how long the broker is away each time, in seconds; it loses all messages
    broker_parted: int
    worker_parted: int
    lost: int
    doubled: int

    @property
    def steps(self) -> list[tuple[str, float]]:
        """What to do, not yet in its order."""
        return [
            *[("kill", 0.0)] * self.kills,
            *(("broker crash", seconds) for seconds in self.restarts),
            *[("broker apart", PARTED_SECONDS)] * self.broker_parted,
            *[("worker apart", PARTED_SECONDS)] * self.worker_parted,
            *[("messages lost", 0.0)] * self.lost,
            *[("messages doubled", 0.0)] * self.doubled,
        ]


FULL = CeleryPlan(kills=8, restarts=(3, 3, 60), broker_parted=2, worker_parted=2, lost=4, doubled=4)
QUICK = CeleryPlan(kills=2, restarts=(3,), broker_parted=1, worker_parted=1, lost=1, doubled=1)


@dataclass
class CeleryTrouble:
    """Makes it, step by step."""

    broker: BrokerServer
    workers: list[WorkerMachine]
    observed: Observed
    book: Book
    chance: random.Random
    made: Counter[str] = field(default_factory=Counter)
    done_without: int = 0  # images that were classified while the broker was away
    back: list[float] = field(default_factory=list)  # s from the end of a trouble until every worker had done something

    def make(self, step: str, seconds: float) -> None:
        """Do one step, and wait until all workers do something again."""
        worker = self.workers[self.made.total() % len(self.workers)]
        match step:
            case "kill":
                self._kill(worker)
            case "broker crash":
                self.broker.crash()
                self._wait_without_broker(seconds)
                self.broker.start()
            case "broker apart":
                self.broker.machine.part()
                self._wait_without_broker(seconds)
                self.broker.machine.rejoin()
            case "worker apart":
                worker.machine.part()
                time.sleep(seconds)
                worker.machine.rejoin()
            case "messages lost":
                self._lose_messages()
            case "messages doubled":
                self._double_messages()
        self.made[step] += 1
        self._await_work()

    def _kill(self, worker: WorkerMachine) -> None:
        """Kill a worker that has images in hand."""
        from classifier.models import Classification

        until = time.monotonic() + BACK_SECONDS
        before = worker.batches()
        while time.monotonic() < until and worker.batches() == before:
            time.sleep(0.02)
        while time.monotonic() < until and not Classification.objects.filter(state="running").exists():
            time.sleep(0.02)
        worker.machine.kill_all()
        worker.start()

    def _wait_without_broker(self, seconds: float) -> None:
        from classifier.models import Classification

        done = Classification.objects.filter(state="done")
        before = done.count()
        time.sleep(seconds)
        self.done_without += done.count() - before

    def _lose_messages(self) -> None:
        from core.broker import BrokerAway, broker
        from core.celery_backend import CeleryBackend

        backend = broker()
        assert isinstance(backend, CeleryBackend)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            try:
                for name in ("interactive", "bulk"):
                    if backend.waiting(name):
                        with backend.app.connection_for_write() as connection:
                            self.made["messages thrown away"] += connection.default_channel.queue_purge(name)
            except BrokerAway:
                return

    def _double_messages(self) -> None:
        from classifier.jobs.tasks import wake_bulk_worker, wake_worker

        for _message in range(DOUBLES):
            wake_worker()
            wake_bulk_worker()

    def _await_work(self) -> None:
        """Wait until every worker has done images again."""
        began = time.monotonic()
        before = {worker.machine.name: worker.batches() for worker in self.workers}
        left = list(self.workers)
        while left and time.monotonic() - began < BACK_SECONDS:
            time.sleep(0.2)
            left = [worker for worker in left if worker.batches() == before[worker.machine.name]]
        self.back.append(time.monotonic() - began)
        for worker in left:
            self.observed.fault("workers that did nothing any more", worker.machine.name)
