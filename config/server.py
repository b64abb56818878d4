"""The web process: `python -m config.server`.

Waitress receives a request whole before a thread serves it, so slow callers cost a connection and no thread. What it
lacks is added here: limits of bodies by address before they are received, an end for requests that only drip in, a
queue that does not grow for ever, a way past it for `/healthz`, answers that reach callers who are still sending, and a
stop that lets running requests finish.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import resolve
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import Error

from config import environment
from vision.engine.memory import give_large_blocks_back

CONNECTIONS = 1000
OPEN_FILES = 4096  # three a connection: the socket, the body, the answer
WAITING_PER_THREAD = 8
HEALTH_THREADS = 2
HEALTH_PATH = "/healthz"

IDLE_SECONDS = 60
HEADER_SECONDS = 20
BODY_GRACE_SECONDS = 30
SLOWEST_BYTES_PER_SECOND = 500
LINGER_SECONDS = 10
CLEANUP_SECONDS = 5
LOOP_SECONDS = 0.5

IN_MEMORY_BYTES = 64 * 1024  # of a body; more goes to a temporary file
UNLIMITED = sys.maxsize  # waitress's own limit knows no addresses


class Busy(Error):  # type: ignore[misc]
    """More requests wait than can be served soon."""

    code = 503
    reason = "Service Unavailable"


class Parser(HTTPRequestParser):  # type: ignore[misc]
    """Receives a request; hands it on without its body where that is larger than its address allows.

    Django then sees the announced length, and refuses the request as it would under any other server.
    """

    body_rcv: Any

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.time()
        self.left_out = False  # the body, though one comes

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers, and decide on the body."""
        super().parse_header(header_plus)
        if self.content_length > 0 and not self._may_come(self.content_length):
            self._leave_out(self.content_length)

    def received(self, data: bytes) -> int:
        """Take what came in; returns how many bytes of it belong to this request."""
        consumed: int = super().received(data)
        if self.chunked and not self.left_out and not self._may_come(self.body_bytes_received):
            self._leave_out(self.body_bytes_received)
        if self.left_out:
            self.completed = True
            return len(data)  # nothing behind it is a request
        return consumed

    def _may_come(self, length: int) -> bool:
        from config import limits  # needs the settings

        announced = limits.Announced(
            path=self.path,
            content_type=self.headers.get("CONTENT_TYPE", ""),
            authorization=self.headers.get("AUTHORIZATION", ""),
            cookies=self.headers.get("COOKIE", ""),
        )
        return limits.judge(announced, length) is limits.Verdict.FITS

    def _leave_out(self, length: int) -> None:
        if self.body_rcv is not None:
            self.body_rcv.getbuf().close()
        self.body_rcv = None
        self.left_out = True
        self.content_length = 0
        self.expect_continue = False
        self.headers["CONTENT_LENGTH"] = str(length)
        self.headers["CONNECTION"] = "close"

    def is_too_slow(self, now: float) -> bool:
        """Whether so little has come for so long that the caller cannot be serious."""
        seconds = now - self.began
        if not self.headers_finished:
            return seconds > HEADER_SECONDS
        return seconds > BODY_GRACE_SECONDS and self.body_bytes_received < seconds * SLOWEST_BYTES_PER_SECOND


class Refusal(ErrorTask):  # type: ignore[misc]
    """What the server itself answers: JSON below /api/, else a line of text."""

    def execute(self) -> None:
        """Send the answer and end the connection."""
        error = self.request.error
        self.status, headers, body = error.to_response("Otjang")
        if getattr(self.request, "path", "").startswith("/api/"):
            code = error.reason.lower().replace(" ", "_")
            body = json.dumps({"error": {"code": code, "message": error.body}}).encode()
            headers = [("Content-Type", "application/json")]
        if isinstance(error, Busy):
            headers.append(("Retry-After", "2"))
        self.response_headers.extend(headers)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. Before it closes on a caller who still sends, it reads on for a while, or the answer is lost."""

    parser_class = Parser
    error_task_class = Refusal

    close_when_flushed: bool
    lingers_until: float | None = None
    unread = False

    def service(self) -> None:
        """Serve the first request that waits."""
        self.unread = bool(self.requests[0].error) or self.requests[0].left_out
        super().service()

    def handle_write(self) -> None:
        """Send what waits to be sent; after the last of it close, or begin to linger."""
        if self.unread and self.close_when_flushed and self.connected:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self.close_when_flushed = self.unread = False
                self.lingers_until = time.time() + LINGER_SECONDS
                self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_write()

    def received(self, data: bytes) -> bool:
        """Take what came in."""
        return self.lingers_until is None and bool(super().received(data))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is going on."""
        return not (self.requests or self.request is not None or self.total_outbufs_len or self.close_when_flushed)

    def has_waited_enough(self, now: float) -> bool:
        """Whether the caller has had time enough to send the rest."""
        if self.lingers_until is not None:
            return now > self.lingers_until
        return not self.requests and self.request is not None and bool(self.request.is_too_slow(now))


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Listens at one address."""

    channel_class = Channel
    waiting = WAITING_PER_THREAD
    health_dispatcher: ThreadedTaskDispatcher

    def add_task(self, task: Channel) -> None:
        """Let a thread serve the connection's next request: its own for `/healthz` and for what is turned away."""
        request = task.requests[0]
        at_once = request.error is not None or request.path == HEALTH_PATH
        if not at_once and len(self.task_dispatcher.queue) >= self.waiting:
            request.error, at_once = Busy("Too many requests at once. Try again in a moment."), True
        (self.health_dispatcher if at_once else self.task_dispatcher).add_task(task)

    def maintenance(self, now: float) -> None:
        """Close connections that are idle, or too slow."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            if channel.has_waited_enough(now):
                channel.will_close = True


class Site:
    """All that serves: the listening sockets, the connections and the threads.

    Args:
        application: the WSGI application.
        web: where to listen, and with how many threads.
        behind_proxy: whether a proxy sets X-Forwarded-…; what callers write there is dropped otherwise.
    """

    def __init__(self, application: Callable[..., Any], web: environment.Web, behind_proxy: bool) -> None:
        host = f"[{web.address}]" if ":" in web.address and not web.address.startswith("[") else web.address
        adjustments = Adjustments(
            listen=f"{host}:{web.port}",
            threads=web.threads,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=CLEANUP_SECONDS,
            asyncore_use_poll=True,  # select knows no more than 1,024 files
            max_request_body_size=UNLIMITED,
            inbuf_overflow=IN_MEMORY_BYTES,
            recv_bytes=64 * 1024,
            clear_untrusted_proxy_headers=not behind_proxy,  # Django reads them, if told to
            log_socket_errors=False,
            ident=None,
        )
        self._web = web
        self._map: dict[int, Any] = {}
        self._stop_at: float | None = None
        self._ended = False
        self._threads = ThreadedTaskDispatcher()
        self._threads.set_thread_count(web.threads)
        self._health_threads = ThreadedTaskDispatcher()
        self._health_threads.set_thread_count(HEALTH_THREADS)
        self.servers = []
        for address in adjustments.listen:
            server = Server(application, self._map, dispatcher=self._threads, adj=adjustments, sockinfo=address)
            server.health_dispatcher = self._health_threads
            server.waiting = web.threads * WAITING_PER_THREAD
            self.servers.append(server)

    @property
    def port(self) -> int:
        """Where it listens; that of the first socket."""
        return int(self.servers[0].effective_port)

    def stop(self) -> None:
        """Take no more connections, and end once the requests that have begun are answered, or at the time's end.

        May be called by a signal or another thread. The second time it ends at once.
        """
        self._stop_at = time.time() + (self._web.stop_seconds if self._stop_at is None else 0)
        if not self._ended:
            self.servers[0].pull_trigger()  # wakes the loop, which is everybody's

    def run(self) -> None:
        """Serve until `stop` is called."""
        while self._stop_at is None:
            wasyncore.poll2(LOOP_SECONDS, self._map)
        for server in self.servers:
            server.accepting = False
            server.socket.close()
            server.del_channel(self._map)
        while time.time() < self._stop_at and self._close_idle():
            wasyncore.poll2(LOOP_SECONDS, self._map)
        self._ended = True
        for dispatcher in (self._threads, self._health_threads):
            dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map, ignore_all=True)

    def _close_idle(self) -> bool:
        """Close the connections on which nothing goes on; whether others are left."""
        channels = [channel for server in self.servers for channel in list(server.active_channels.values())]
        for channel in channels:
            if channel.is_idle:
                channel.handle_close()
        return any(not channel.is_idle for channel in channels)


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> None:
    """Serve the site until SIGTERM or SIGINT. Exits with 1 where a setting is wrong or the address is taken."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        web = environment.web()
        from config.wsgi import application

        resolve(HEALTH_PATH)  # imports every view now, not while somebody waits
        site = Site(application, web, environment.boolean("BEHIND_PROXY", default=False))
    except (ImproperlyConfigured, OSError, ValueError) as error:
        sys.exit(f"Otjang cannot start: {error}")
    _allow_open_files()
    give_large_blocks_back()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns at every request that waits

    def stop(_number: int, _frame: FrameType | None) -> None:
        site.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    shown = "localhost" if web.address in {"127.0.0.1", "0.0.0.0"} else web.address  # noqa: S104
    print(f"Otjang is at http://{shown}:{site.port}/  (Ctrl-C stops it)", flush=True)  # noqa: T201
    site.run()


if __name__ == "__main__":
    main()
