"""The web process: `python -m config.server`.

Waitress receives a request whole before a thread serves it, so slow callers cost a connection and no thread. What it
lacks is added here: limits of bodies by address before they are received, an end for requests that only drip in, a
queue with a bound to its length and to the time in it, a way past it for `/healthz` and `/readyz`, answers that reach
callers who are still sending, and a stop that lets running requests finish.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import resolve
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from config import environment
from config.refusals import Busy, Refusal
from core import waiting
from core.startup import collect_between_requests
from vision.engine.memory import give_large_blocks_back

CONNECTIONS = 1000
SPARE_CONNECTIONS = 100  # more, for `/healthz` and `/readyz`; other requests are turned away there
OPEN_FILES = 4096  # three a connection: the socket, the body, the answer
PATIENCE = 2  # times WEB_QUEUE_SECONDS that a request waits at most: nobody comes after it meanwhile
HEALTH_THREADS = 2
REFUSING_THREADS = 1
READY_THREADS = 1
HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
METRICS_PATH = "/metrics"

IDLE_SECONDS = 60
HEADER_SECONDS = 20
BODY_GRACE_SECONDS = 30
SLOWEST_BYTES_PER_SECOND = 500
LINGER_SECONDS = 10
CLEANUP_SECONDS = 5
LOOP_SECONDS = 0.5

IN_MEMORY_BYTES = 64 * 1024  # of a body; more goes to a temporary file
UNLIMITED = sys.maxsize  # waitress's own limit knows no addresses


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


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection. Before it closes on a caller who still sends, it reads on for a while, or the answer is lost."""

    parser_class = Parser
    error_task_class = Refusal

    close_when_flushed: bool
    lingers_until: float | None = None
    unread = False
    waits_since = 0.0  # of the monotonic clock

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


@dataclass(frozen=True)
class Threads:
    """Who serves: each kind of request has threads of its own, so that one kind never waits for another's.

    Attributes:
        site: what the site is for.
        health: `/healthz`.
        ready: `/readyz` and `/metrics`, which may wait for parts that hang.
        refusing: what the server itself turns away.
    """

    site: ThreadedTaskDispatcher
    health: ThreadedTaskDispatcher
    ready: ThreadedTaskDispatcher
    refusing: ThreadedTaskDispatcher

    @classmethod
    def start(cls, threads: int) -> Threads:
        """Start them, with so many for the site, and wait until all of them have begun.

        One that has not counts as busy: without a queue the first callers would be turned away.
        """
        found = [ThreadedTaskDispatcher() for _kind in range(4)]
        for dispatcher, count in zip(found, (threads, HEALTH_THREADS, READY_THREADS, REFUSING_THREADS), strict=True):
            dispatcher.set_thread_count(count)
        while any(dispatcher.active_count for dispatcher in found):
            time.sleep(0.001)
        return cls(*found)

    def refuse(self, channel: Channel) -> None:
        """Let the first request that waits on a connection be turned away."""
        channel.requests[0].error = Busy()
        self.refusing.add_task(channel)

    def has_room(self, queue: int, seconds: float) -> bool:
        """Whether fewer than so many requests wait for a thread of the site, and the first of them not so long yet."""
        with self.site.lock:
            idle = len(self.site.threads) - self.site.active_count
            waiting = self.site.queue
            is_long = bool(waiting) and time.monotonic() - waiting[0].waits_since >= seconds
            return len(waiting) < queue + idle and not is_long

    def refuse_since(self, moment: float) -> None:
        """Turn away what has waited for a thread of the site since then or before."""
        late = []
        with self.site.lock:
            while self.site.queue and self.site.queue[0].waits_since <= moment:
                late.append(self.site.queue.popleft())
        for channel in late:
            self.refuse(channel)

    def stop(self) -> None:
        """End them; what they serve has a second more."""
        for dispatcher in (self.site, self.health, self.ready, self.refusing):
            dispatcher.shutdown(timeout=1)


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Listens at one address."""

    channel_class = Channel
    threads: Threads
    queue: int
    queue_seconds: float

    def add_task(self, task: Channel) -> None:
        """Let a thread serve the connection's next request, unless too many wait or are connected."""
        request = task.requests[0]
        if request.error is not None:
            self.threads.refusing.add_task(task)
        elif request.path == HEALTH_PATH:
            self.threads.health.add_task(task)
        elif request.path in (READY_PATH, METRICS_PATH):
            self.threads.ready.add_task(task)
        elif len(self.active_channels) > CONNECTIONS or not self.threads.has_room(self.queue, self.queue_seconds):
            self.threads.refuse(task)
        else:
            task.waits_since = time.monotonic()
            self.threads.site.add_task(task)

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
            connection_limit=CONNECTIONS + SPARE_CONNECTIONS,
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
        self._ending = threading.RLock()  # a signal's `stop` may find its own thread in it
        self._threads = Threads.start(web.threads)
        self.servers = []
        for address in adjustments.listen:
            server = Server(application, self._map, dispatcher=self._threads.site, adj=adjustments, sockinfo=address)
            server.threads, server.queue, server.queue_seconds = self._threads, web.queue, web.queue_seconds
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
        with self._ending:  # the pipe behind the trigger stays open until then, and its number nobody else's
            if not self._ended:
                self.servers[0].pull_trigger()  # wakes the loop, which is everybody's

    def run(self) -> None:
        """Serve until `stop` is called."""
        while self._stop_at is None:
            self._turn()
        for server in self.servers:
            server.accepting = False
            server.socket.close()
            server.del_channel(self._map)
        while time.time() < self._stop_at and self._close_idle():
            self._turn()
        with self._ending:
            self._ended = True
        self._threads.stop()
        wasyncore.close_all(self._map, ignore_all=True)

    def _turn(self) -> None:
        """Wait for what comes in and goes out, for half a second at most, and let nobody wait too long for a thread."""
        wasyncore.poll2(LOOP_SECONDS, self._map)
        self._threads.refuse_since(time.monotonic() - PATIENCE * self._web.queue_seconds)

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
    collect_between_requests()
    _allow_open_files()
    give_large_blocks_back()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns at every request that waits

    def stop(_number: int, _frame: FrameType | None) -> None:
        waiting.let_go()
        site.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    shown = "localhost" if web.address in {"127.0.0.1", "0.0.0.0"} else web.address  # noqa: S104
    print(f"Otjang is at http://{shown}:{site.port}/  (Ctrl-C stops it)", flush=True)  # noqa: T201
    site.run()


if __name__ == "__main__":
    main()
