"""Calls to addresses that callers name: webhooks, and images by URL. Nothing inside of our own network is reached.

Every address that a name has is checked, and one of those is connected to, so that the name cannot mean another one a
moment later. A call as a whole has a limit of time: a socket's own timeout begins again with each byte.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from requests.adapters import HTTPAdapter
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.connection import allowed_gai_family

from core.errors import Invalid, Refused

MOST_CHARACTERS = 2000
"""Of a URL: what browsers and servers agree on."""

_CHUNK = 64 * 1024
_CONNECT_SECONDS = 5.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGENT = "Otjang/1"

SENTENCES = {
    "url_invalid": _("This is not the address of a page on the web. It begins with https:// and names a server."),
    "url_credentials": _("The address must not hold a user name or password."),
    "url_forbidden": _("The address leads into a network that is not public."),
    "host_unknown": _("There is no server of this name."),
    "unreachable": _("The server could not be reached, or broke the connection off."),
    "certificate_invalid": _("The certificate of the server is not valid."),
    "timed_out": _("The server took too long."),
    "answer_too_large": _("What the server sent is larger than what is taken."),
    "too_many_redirects": _("The server sent us on to other addresses too often."),
}

# What Python's and the library's lists of special addresses lack: an old way to write IPv4, networks of a site, and
# where Azure's machines reach their host.
_NOT_PUBLIC = (*EXTRA_BLOCKED_NET_RANGES, *map(ipaddress.ip_network, ("::/96", "fec0::/10", "168.63.129.16/32")))

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class CallFailed(Refused):
    """A call that brought no answer; the code is one of `SENTENCES`."""


def _failed(code: str) -> CallFailed:
    return CallFailed(code, SENTENCES[code])


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may take.

    Args:
        seconds: from its begin to the last byte of the answer.
        size: bytes of the answer.
        redirects: how often the server may send us on to another address.
        cut: whether a longer answer is cut off there, instead of being refused.
    """

    seconds: float
    size: int
    redirects: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: the address that it came from at last, and the body as it was sent."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class _Deadline:
    """Cuts the connections of a call off when its time is over, whatever they are waiting for."""

    seconds: float
    over: bool = False
    _sockets: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds; more than none, because a timeout of none means never."""
        return max(self._end - time.monotonic(), 0.01)

    def watch(self, connected: socket.socket) -> None:
        """Cut this one off, too."""
        with self._lock:
            self._sockets.append(connected)
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        with self._lock:
            for connected in self._sockets:
                try:
                    # Not the TLS socket's own, which another thread must not call while this one reads.
                    socket.socket.shutdown(connected, socket.SHUT_RDWR)
                except OSError:  # it has ended
                    continue

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run during the block."""
        timer = threading.Timer(self.seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def _is_allowed(host: str, address: _Address) -> bool:
    """Whether the setting names the host, the address, or a network that the address is in."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    for entry in settings.OTJANG_OUTGOING_ALLOWED:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError:
            if host.lower().rstrip(".") == entry.lower():
                return True
        else:
            if address in network:
                return True
    return False


def _addresses(host: str, port: int) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, port, family=allowed_gai_family(), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _failed("host_unknown") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


class _Response(http.client.HTTPResponse):
    """An answer in chunks none of which is -1 bytes long: Python would read all that comes into memory."""

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]  # which the type stubs lack
        if size < 0:
            raise http.client.BadStatusLine("a chunk of less than nothing")
        return size


class _Adapter(HTTPAdapter):
    """Connects to public addresses, and to those of the allow-list."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Use connections whose time the call's deadline ends."""
        super().init_poolmanager(*args, **kwargs)
        deadline = self._deadline

        class Plain(HTTPConnection):
            response_class = _Response

            def connect(self) -> None:
                super().connect()
                deadline.watch(self.sock)

        class Encrypted(HTTPSConnection):
            response_class = _Response

            def connect(self) -> None:
                super().connect()
                deadline.watch(self.sock)

        plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": Plain})
        encrypted = type("Encrypted", (HTTPSConnectionPool,), {"ConnectionCls": Encrypted})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": encrypted}

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """Say where to connect to: an address that was checked, whatever the host's name means a moment later.

        Raises:
            CallFailed: `host_unknown`, `url_forbidden`.
        """
        parts, options = super().build_connection_pool_key_attributes(request, verify, cert)
        host, port, scheme = str(parts["host"]).strip("[]"), parts["port"], parts["scheme"]
        addresses = _addresses(host, port or (443 if scheme == "https" else 80))
        if not all(_is_public(address) or _is_allowed(host, address) for address in addresses):
            raise _failed("url_forbidden")
        named = f"[{host}]" if ":" in host else host
        request.headers["Host"] = f"{named}:{port}" if port else named
        if scheme == "https":  # the certificate is the name's
            options |= {"assert_hostname": host, "server_hostname": host}
        parts["host"] = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
        return parts, options


class _Session(HTTPSession):
    """One call. The environment says nothing to it: no proxy, which would connect for us, and no password file."""

    def __init__(self, deadline: _Deadline) -> None:
        super().__init__(
            Config(
                ip_filter_enable=False,  # the adapters mounted below do it, with the allow-list
                ip_filter_allow_loopback_ips=False,
                never_redirect=True,  # they are followed here: the library would read each one's body whole
                default_timeout=(_CONNECT_SECONDS, deadline.seconds),
                user_agent_override=_AGENT,
            )
        )
        self.trust_env = False
        self.mount("http://", _Adapter(deadline))
        self.mount("https://", _Adapter(deadline))


def check_url(url: str) -> str:
    """Look at a URL as far as that needs no network, and return it without blanks around it.

    Raises:
        Invalid: `url_invalid`, `url_credentials`, `url_forbidden` (an address of no public network, written in it).
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid("url_invalid", SENTENCES["url_invalid"]) from error
    printable = url.isprintable() and not any(character.isspace() for character in url)
    if parts.scheme not in {"http", "https"} or not host or len(url) > MOST_CHARACTERS or not printable:
        raise Invalid("url_invalid", SENTENCES["url_invalid"])
    if parts.username is not None or parts.password is not None:
        raise Invalid("url_credentials", SENTENCES["url_credentials"])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return url
    if not (_is_public(address) or _is_allowed(host, address)):
        raise Invalid("url_forbidden", SENTENCES["url_forbidden"])
    return url


def call(
    method: str, url: str, *, limits: Limits, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request to an address that somebody named, and return the answer, whatever its status.

    Args:
        method: of HTTP. After a redirect it is repeated as it is.
        url: http or https.
        limits: of time, size and redirects.
        body: what to send.
        headers: to send beside our own.

    Raises:
        CallFailed: with a code of `SENTENCES`.
    """
    deadline = _Deadline(limits.seconds)
    with deadline.running(), _Session(deadline) as session:
        try:
            return _followed(session, deadline, method, url, limits, body, headers or {})
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _failed(_code_of(error, deadline)) from error


def _followed(
    session: _Session,
    deadline: _Deadline,
    method: str,
    url: str,
    limits: Limits,
    body: bytes | None,
    headers: Mapping[str, str],
) -> Answer:
    for _hop in range(limits.redirects + 1):
        try:
            url = check_url(url)
        except Invalid as refused:
            raise _failed(refused.code) from refused
        with session.request(
            method,
            url,
            data=body,
            headers={"Accept-Encoding": "identity", **headers},
            stream=True,
            timeout=(min(_CONNECT_SECONDS, deadline.left), deadline.left),
        ) as response:
            target = response.headers.get("Location")
            if not limits.redirects or response.status_code not in _REDIRECTS or not target:
                return Answer(url, response.status_code, dict(response.headers), _read(response, deadline, limits))
        url = urljoin(url, target)
    raise _failed("too_many_redirects")


def _read(response: requests.Response, deadline: _Deadline, limits: Limits) -> bytes:
    """The body as it was sent: nothing is unpacked, so nothing grows."""
    parts: list[bytes] = []
    size = 0
    while size <= limits.size and (chunk := response.raw.read(_CHUNK, decode_content=False)):
        parts.append(chunk)
        size += len(chunk)
    if deadline.over:
        raise _failed("timed_out")  # a cut connection looks like the end of the answer
    if size > limits.size and not limits.cut:
        raise _failed("answer_too_large")
    return b"".join(parts)[: limits.size]


def _code_of(error: Exception, deadline: _Deadline) -> str:
    if deadline.over or isinstance(error, requests.Timeout):
        return "timed_out"
    if isinstance(error, requests.exceptions.SSLError):
        return "certificate_invalid"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema | ValueError):
        return "url_invalid"
    return "unreachable"
