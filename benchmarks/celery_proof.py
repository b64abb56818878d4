#!/usr/bin/env python
"""Workers on machines of their own behind RabbitMQ or Redis: kill, part and restart them; then see what is wrong.

Starts MariaDB, an S3 server and the web process here, and the broker and each of two workers in a network namespace and
a folder of its own, which needs root. Clients upload as the outage proof's do. Meanwhile workers get SIGKILL, the
broker is killed and comes back without its messages, broker and workers are cut off for 30 s, messages are thrown away
and sent forty times. At the end all that clients were told is compared with the database, and `audit_data` looks for
itself. Prints a table for each broker; exits with 1 if anything is not as it must be.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.celery_net import NETWORK, network
from benchmarks.celery_servers import BROKERS, BrokerServer, s3_server
from benchmarks.celery_trouble import FULL, QUICK, CeleryPlan, CeleryTrouble, WorkerMachine
from benchmarks.outage import DRAIN_SECONDS, Watcher, go_through, nothing_waits, wait_for
from benchmarks.outage_book import Book
from benchmarks.outage_clients import ApiClient, Client, Portal
from benchmarks.outage_http import Observed, Wire
from benchmarks.outage_site import PATIENCE_SECONDS, Database, Site, configure

LOSING = 0.06  # share of uploads whose answer gets lost on the way


def upload_through(plan: CeleryPlan, trouble: CeleryTrouble, clients: list[Client]) -> None:
    """Let the clients upload while the trouble goes on; returns when they and the workers are done."""
    from django.db import connection

    watcher = Watcher(trouble.book)
    for thread in (watcher, *clients):
        thread.start()
    go_through(plan.steps, trouble, trouble.book)
    for client in clients:
        client.stop()
    for client in clients:
        client.join()
    connection.close()
    wait_for(nothing_waits, DRAIN_SECONDS, "emptying the queue")
    watcher.over.set()
    watcher.join()


def report(broker: BrokerServer, trouble: CeleryTrouble, clients: list[Client], seconds: float) -> bool:
    """Compare, and print what was done and what must be zero; says whether all is well."""
    from benchmarks.outage_audit import Audit, audit_rows
    from classifier import consistency
    from classifier.models import Classification

    found = Audit()
    audit_rows(found, trouble.book)
    wrong = [one for one in consistency.audit().values() if one.count]
    found.must_be_zero("kinds that audit_data finds something of", (f"{one.kind.code} {one.first}" for one in wrong))
    observed = trouble.observed
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(observed.answers.items()))
    done = {
        **{f"{step} (times)": times for step, times in sorted(trouble.made.items())},
        "workers started": sum(worker.started for worker in trouble.workers),
        "images done while the broker was away": trouble.done_without,
        "longest until every worker did something again": f"{max(trouble.back):.1f} s",
        "answers": answers,
        **found.figures,
    }
    faults = {
        **found.faults,
        "answers 500": 0,
        "answers that no client expects": 0,
        "workers that did nothing any more": 0,
        **observed.faults,
        "uploads that no retry brought through": sum(client.gave_up for client in clients),
        "jobs given up": Classification.objects.filter(error_code="gave_up").count(),
    }
    print(f"\n| Celery on {broker.name}, {seconds:.0f} s | |\n|---|---|")
    for name, figure in done.items():
        print(f"| {name} | {figure} |")
    print("\n| must be zero | |\n|---|---|")
    for name, count in faults.items():
        print(f"| {name} | {count} |")
    for name, example in (found.examples | observed.examples).items():
        print(f"{name}: {example}", file=sys.stderr)
    for client in clients:
        if client.error is not None:
            print(f"{client.name} broke off: {client.error!r}", file=sys.stderr)
    broken_off = Classification.objects.filter(attempts__gt=1).exists()
    went_on = trouble.done_without > 0
    return broken_off and went_on and not any(faults.values()) and not any(client.error for client in clients)


def prove(folder: Path, kind: type[BrokerServer], plan: CeleryPlan, seed: int) -> bool:
    """Run it in `folder` with one kind of broker; says whether all is well."""
    with network("broker", "one", "two") as (broker_machine, *machines), s3_server(folder) as storage:
        broker = kind(broker_machine, folder)
        broker.start()
        os.environ |= storage | {
            "TASKS_BACKEND": "celery",
            "CELERY_BROKER_URL": broker.url,
            "OTJANG_MAX_ATTEMPTS": "100",  # to give up is another story than to lose work
        }
        database = Database(folder, f"{NETWORK}.1")
        database.start()
        began = time.monotonic()
        try:
            access = configure(folder, database)
            environment = {"DATABASE_URL": database.remote_url, "LOG_LEVEL": "INFO", "PYTHONUNBUFFERED": "1"}
            workers = [WorkerMachine(one, folder / f"worker{one.number}", environment) for one in machines]
            site, book, observed = Site(folder, workers=0), Book(seed), Observed()
            wire = Wire(site.port, observed, LOSING)
            clients: list[Client] = [ApiClient(number, wire, book, access) for number in range(2)]
            clients += [Portal(number, wire, book, access) for number in range(2)]
            trouble = CeleryTrouble(broker, workers, observed, book, random.Random(seed))
            with site.running():
                wait_for(site.is_complete, PATIENCE_SECONDS, "the start")
                for worker in workers:
                    worker.start()
                upload_through(plan, trouble, clients)
                for machine in machines:
                    machine.kill_all(15)
            return report(broker, trouble, clients, time.monotonic() - began)
        finally:
            from django.db import connections

            connections.close_all()
            database.stop()


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", choices=sorted(BROKERS), default="rabbitmq")
    parser.add_argument("--seed", type=int, default=1, help="of the order of events, and of the photos")
    parser.add_argument("--quick", action="store_true", help="about five minutes, with fewer kills")
    parser.add_argument("--log", type=Path, help="keep in this folder what all processes wrote")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))  # taking apart what was made on this machine
    with tempfile.TemporaryDirectory(prefix="otjang-celery-") as name:
        try:
            plan = QUICK if arguments.quick else FULL
            return 0 if prove(Path(name), BROKERS[arguments.broker], plan, arguments.seed) else 1
        finally:
            if arguments.log:
                arguments.log.mkdir(parents=True, exist_ok=True)
                for log in [*Path(name).rglob("*.log"), *Path(name).glob("*/log")]:
                    shutil.copy(log, arguments.log / "-".join(log.relative_to(name).parts))


if __name__ == "__main__":
    sys.exit(main())
