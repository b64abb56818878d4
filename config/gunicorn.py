"""How gunicorn serves the site. One process: it waits for the database and the disk, never for a network."""

import os

from gunicorn.workers.base import Worker

bind = f"{os.environ.get('BIND_ADDRESS', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
graceful_timeout = 4  # honcho kills after 5 s what has not stopped
keepalive = 15
loglevel = "warning"


def post_worker_init(worker: Worker) -> None:
    """Say where the site is, once it is there."""
    host, _, port = bind.rpartition(":")
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0"} else host  # noqa: S104
    print(f"Otjang is at http://{shown}:{port}/  (Ctrl-C stops it)", flush=True)  # noqa: T201
