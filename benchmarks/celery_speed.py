#!/usr/bin/env python
"""The same images through one, two and four workers, woken by rows of the database, by Redis and by RabbitMQ.

On a private MariaDB. Workers are frozen while images are queued, eight in a transaction, and let go all at once: what
is measured is the work, not the start. The processor's time is that of all workers, of MariaDB and of the broker, per
image. Before that, single images say how long it takes from the commit that saves one until an idle worker has it.
Prints a table. With --sleep the networks are replaced by sleep: it shows what queue and database allow where the
machine has too few cores for the networks.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.celery_net import Machine, network
from benchmarks.celery_servers import BROKERS
from benchmarks.outage import nothing_waits, wait_for
from benchmarks.outage_book import Photos
from benchmarks.outage_site import PATIENCE_SECONDS, Database, configure
from benchmarks.sides import ROOT

ROWS = "database"
PRODUCT = 8  # images of a product, which are queued in one transaction
SINGLES = 20
DRAIN_SECONDS = 1800.0
TICKS = os.sysconf("SC_CLK_TCK")
SLEEPING = """
import sys, time
from django.core import management
from vision.engine import Engine
looked, first = Engine.classify_batch, []
def sleep(self, sources, given=None):
    first[:] = first or looked(self, sources[:1], given and given[:1])
    time.sleep({seconds} * len(sources))
    return first * len(sources)
Engine.classify_batch = sleep
management.execute_from_command_line(["manage.py", "worker"])
"""


def cpu_seconds(pids: list[int]) -> float:
    """The processor's time of these processes up to now."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


@dataclass
class Queue:
    """What wakes workers: its variables, and the processes that serve it."""

    name: str
    environment: dict[str, str]
    pids: list[int]


def queues(names: list[str], machines: dict[str, Machine], folder: Path) -> Iterator[Queue]:
    """Start one broker after the other, and yield what it is; rows of the database need none."""
    for name in names:
        if name == ROWS:
            yield Queue(name, {"TASKS_BACKEND": "", "CELERY_BROKER_URL": ""}, [])
        else:
            broker = BROKERS[name](machines[name], folder)
            broker.start()
            variables = {"TASKS_BACKEND": "celery", "CELERY_BROKER_URL": broker.url}
            yield Queue(name, variables, machines[name].pids())
            broker.crash()


@contextmanager
def workers(number: int, queue: Queue, machine: Machine, folder: Path, sleep: float) -> Iterator[list[int]]:
    """Start so many workers, and wait until they wait for images; yields their process ids."""
    command = [sys.executable, "manage.py", "worker"]
    if sleep:
        command = [sys.executable, "-c", SLEEPING.format(seconds=sleep)]
    logs = [folder / f"{queue.name}-{number}-{which}.log" for which in range(number)]
    environment = os.environ | queue.environment | {"LOG_LEVEL": "INFO"}
    programs = []
    for log in logs:
        with log.open("wb") as file:
            programs.append(machine.start(command, environment, file, ROOT))
    try:
        wait_for(lambda: all(b"waiting for" in log.read_bytes() for log in logs), PATIENCE_SECONDS, "starting workers")
        time.sleep(2)  # what every worker does first
        yield [program.pid for program in programs]
    finally:
        machine.kill_all(signal.SIGTERM)


def ask(images: list[int], together: int) -> None:
    """Queue images once more, so many in a transaction."""
    from django.db import transaction

    from catalog.models import ProductImage
    from classifier.jobs.requests import request_classification

    for start in range(0, len(images), together):
        with transaction.atomic():
            for image in ProductImage.objects.filter(pk__in=images[start : start + together]):
                request_classification(image=image, again=True)


@dataclass
class Measured:
    """What came out for one queue and number of workers."""

    queue: str
    workers: int
    images_a_second: float
    worker_ms: float
    database_ms: float
    broker_ms: float
    taken_ms: float  # from the commit to the claim, with idle workers: the median

    @property
    def row(self) -> str:
        """As a line of the table."""
        figures = (self.images_a_second, self.worker_ms, self.database_ms, self.broker_ms)
        return f"| {self.queue} | {self.workers} | {' | '.join(f'{x:.1f}' for x in figures)} | {self.taken_ms:.0f} |"


def singles(images: list[int]) -> float:
    """Queue images one by one; returns the median of the milliseconds until a worker has one."""
    from classifier.models import Classification

    taken = []
    for image in images:
        ask([image], 1)
        saved = time.time()
        wait_for(nothing_waits, PATIENCE_SECONDS, "one image")
        started = Classification.objects.filter(image=image).latest("pk").started_at
        assert started is not None
        taken.append(1000 * (started.timestamp() - saved))
    return max(0.0, statistics.median(taken))


def measure(queue: Queue, pids: list[int], server: list[int], images: list[int]) -> Measured:
    """Queue all images while the workers are frozen, let them go, and see how long they take."""
    from classifier.models import Classification

    ask(images[: 2 * PRODUCT * len(pids)], PRODUCT)  # the first images of a process take longer
    wait_for(nothing_waits, DRAIN_SECONDS, "warming up")
    taken = singles(images[:SINGLES])
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    ask(images, PRODUCT)
    groups = (pids, server, queue.pids)
    before = [cpu_seconds(group) for group in groups]
    began = time.time()
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    wait_for(nothing_waits, DRAIN_SECONDS, "emptying the queue")
    after = [cpu_seconds(group) for group in groups]
    worker, database, broker = (1000 * (b - a) / len(images) for a, b in zip(before, after, strict=True))
    ended = Classification.objects.latest("applied_at").applied_at
    assert ended is not None
    return Measured(queue.name, len(pids), len(images) / (ended.timestamp() - began), worker, database, broker, taken)


def upload(count: int) -> list[int]:
    """Store photos; returns their keys. Nobody is there to look at them yet."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.actors import system
    from accounts.models import Merchant
    from catalog.models import ProductImage
    from catalog.services.uploads import create_product_with_images

    photos, merchant = Photos(1), Merchant.objects.get()
    for start in range(0, count, PRODUCT):
        files = [SimpleUploadedFile(one.name, one.data) for one in photos.take(min(PRODUCT, count - start))]
        create_product_with_images(actor=system(), merchant=merchant, files=files)
    return list(ProductImage.objects.order_by("pk").values_list("pk", flat=True))


def run(folder: Path, arguments: argparse.Namespace) -> None:
    """Measure all combinations, and print them."""
    from django.test.utils import override_settings

    names = [name for name in arguments.queues if name != ROWS]
    with ExitStack() as stack:
        machines = dict(zip([*names, "workers"], stack.enter_context(network(*names, "workers")), strict=True))
        database = Database(folder)
        database.start()
        stack.callback(database.stop)
        configure(folder, database)
        from django.db import connections

        from config import tasks

        stack.callback(connections.close_all)
        images = upload(arguments.images)
        server = [int((folder / "pid").read_text())]
        print("| woken by | workers | images/s | workers ms CPU | MariaDB ms CPU | broker ms CPU | taken after ms |")
        print("|---|---:|---:|---:|---:|---:|---:|")
        for queue in queues(arguments.queues, machines, folder):
            chosen = tasks.backend(
                queue.environment["TASKS_BACKEND"] or tasks.DATABASE, queue.environment["CELERY_BROKER_URL"]
            )
            with override_settings(TASKS={"default": chosen}):
                for number in arguments.workers:
                    with workers(number, queue, machines["workers"], folder, arguments.sleep / 1000) as pids:
                        wait_for(nothing_waits, DRAIN_SECONDS, "the first look at the images")
                        print(measure(queue, pids, server, images).row, flush=True)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--queues", nargs="+", choices=[ROWS, *BROKERS], default=[ROWS, "redis", "rabbitmq"])
    parser.add_argument("--sleep", type=float, default=0.0, help="ms an image, in the place of the networks")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # taking apart what was made on this machine
    with tempfile.TemporaryDirectory(prefix="otjang-celery-speed-") as name:
        run(Path(name), arguments)


if __name__ == "__main__":
    main()
