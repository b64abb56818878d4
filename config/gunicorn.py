"""How gunicorn serves the site. One process: it waits for the database and the disk, never for a network."""

import sys

from django.core.exceptions import ImproperlyConfigured
from gunicorn.workers.base import Worker

from config import environment

try:
    _web = environment.web()
except ImproperlyConfigured as error:
    sys.exit(f"Otjang cannot start: {error}")

bind = f"{_web.address}:{_web.port}"
workers = _web.processes
worker_class = "gthread"
threads = _web.threads
graceful_timeout = 4  # the supervisor kills after 10 s what has not stopped
keepalive = 15
loglevel = "warning"


def post_worker_init(worker: Worker) -> None:
    """Say where the site is, once it is there."""
    host, _, port = bind.rpartition(":")
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104
    print(f"Otjang is at http://{shown}:{port}/  (Ctrl-C stops it)", flush=True)  # noqa: T201
