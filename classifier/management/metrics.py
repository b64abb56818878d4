"""A worker's figures for Prometheus, at a port of its own: it has no pages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings

from core.metrics import CONTENT_TYPE, exposition
from core.metrics_access import may_see

logger = logging.getLogger("classifier.worker")

PATH = "/metrics"
_SECONDS = 5  # that a caller may take to say what it wants


class _Quiet(WSGIRequestHandler):
    timeout = _SECONDS

    def log_message(self, *_said: object) -> None:
        """Write no line for each scrape."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer `GET /metrics` to who may see it."""
    if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "GET":
        status, body = "404 Not Found", b"Only GET /metrics is here.\n"
    elif not may_see(environ):
        status, body = "403 Forbidden", b"Not for you: METRICS_TOKEN says who may.\n"
    else:
        status, body = "200 OK", exposition()
    start_response(status, [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def shown() -> Iterator[WSGIServer | None]:
    """Show the figures at METRICS_WORKER_ADDRESS and METRICS_WORKER_PORT within the block, if they are asked for.

    An address that is taken, as by another worker of this machine, is a line in the log and ends nothing.
    """
    if not (settings.METRICS and settings.METRICS_WORKER_PORT):
        yield None
        return
    address = (settings.METRICS_WORKER_ADDRESS, settings.METRICS_WORKER_PORT)
    try:
        server = make_server(*address, application, handler_class=_Quiet)
    except OSError as error:
        logger.error("figures cannot be shown at %s:%d: %s", *address, error)
        yield None
        return
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
