#!/usr/bin/env python
"""The site as on several machines, on this one: nginx, two web processes, two workers, MariaDB, Redis, RabbitMQ, S3.

Starts all of them as local processes from Debian's packages, in a folder of their own and at free ports, and takes the
main job through nginx: upload, thumbnail by a signed URL, prediction, override, publication. Then parts are slow, fail,
hang or are killed, and at the end `audit_data` looks for what is wrong. Prints what was tried; exits with 1 if anything
went otherwise than it should.

    make stack
    make stack ARGS=--keep      leaves all of it running until Ctrl-C, and says where it is
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import stack_servers as servers
from benchmarks.kill import ROOT
from benchmarks.outage_clients import Access
from benchmarks.outage_site import Database, configure, free_port
from benchmarks.stack_servers import HOST, Process

WEBS, WORKERS = 2, 2
ANONYMOUS_CALLS = 20
# Without brotli, which sites do not install: here it is locust's, and would compress for minutes.
_COLLECT = """
import sys
sys.modules["brotli"] = None
import django
django.setup()
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
"""


@dataclass
class Stack:
    """What runs.

    Attributes:
        trouble: the file that says what the S3 server does (`benchmarks.stack_s3`).
    """

    folder: Path
    database: Database
    cache: Process
    broker: Process
    storage: Process
    webs: list[Process]
    workers: list[Process]
    proxy: Process
    trouble: Path

    def let_storage(self, do: str) -> None:
        """Let S3 do this from now on: `ok`, `slow SECONDS`, `fail` or `hang`."""
        self.trouble.write_text(do)


def _environment(folder: Path, cache: Process, broker: Process, storage: Process) -> dict[str, str]:
    options = f"endpoint_url=http://{HOST}:{storage.port}&addressing_style=path&region_name=us-east-1"
    return servers.CREDENTIALS | {
        "TASKS_BACKEND": "celery",
        "CELERY_BROKER_URL": f"amqp://guest:guest@{HOST}:{broker.port}//",
        "CACHE_URL": f"redis://{HOST}:{cache.port}/0",
        "MEDIA_STORAGE": f"s3://{servers.BUCKET}/media?{options}&connect_timeout=1&read_timeout=3",
        "MEDIA_SIGNED_URLS": "true",
        "STATIC_COLLECTED": "true",
        "STATIC_ROOT": str(folder / "static"),
        "BEHIND_PROXY": "true",
        "ALLOWED_HOSTS": f"localhost,{HOST}",
        "API_ANONYMOUS_RATE": f"{ANONYMOUS_CALLS}/hour",
        "PYTHONUNBUFFERED": "1",
    }


def _web(folder: Path, number: int) -> Process:
    port = free_port(HOST)
    variables = {"BIND_ADDRESS": HOST, "PORT": str(port)}
    return Process(
        f"web{number}", [sys.executable, "-m", "config.server"], port, folder / f"web{number}.log", variables
    )


def _worker(folder: Path, number: int) -> Process:
    return Process(f"worker{number}", [sys.executable, "manage.py", "worker"], 0, folder / f"worker{number}.log")


def start(folder: Path, ended: ExitStack) -> tuple[Stack, Access]:
    """Start everything; `ended` ends it. Raises RuntimeError for what does not start."""

    def started(process: Process) -> Process:
        ended.callback(process.stop)
        return process.start()

    database, trouble = Database(folder), folder / "trouble"
    database.start()
    ended.callback(database.stop)
    cache, broker = started(servers.redis(folder)), started(servers.rabbitmq(folder))
    storage = started(servers.s3(folder, trouble))
    servers.make_bucket(storage.port)
    os.environ |= _environment(folder, cache, broker, storage)
    access = configure(folder, database)
    subprocess.run([sys.executable, "-c", _COLLECT], cwd=ROOT, check=True)
    webs = [started(_web(folder, number)) for number in range(1, WEBS + 1)]
    workers = [started(_worker(folder, number)) for number in range(1, WORKERS + 1)]
    proxy = started(servers.nginx(folder, [web.port for web in webs]))
    return Stack(folder, database, cache, broker, storage, webs, workers, proxy, trouble), access


def _wait_for_ctrl_c(stack: Stack, access: Access) -> None:
    print(f"\nhttp://{HOST}:{stack.proxy.port}/  {access.email}  {access.password}")
    print(f"API key: {access.key}; logs: {stack.folder}. Ctrl-C ends it.", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(128 + signal.SIGTERM))  # what runs is ended on the way
    with tempfile.TemporaryDirectory(prefix="otjang-stack-") as name, ExitStack() as ended:
        began = time.monotonic()
        stack, access = start(Path(name), ended)
        print(f"everything runs after {time.monotonic() - began:.0f} s\n", flush=True)
        from django.db import connections

        from benchmarks.stack_job import prove

        failed = prove(stack, access)
        if options.keep:
            _wait_for_ctrl_c(stack, access)
        connections.close_all()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
