"""The outage proof's side of the wire: requests, their answers, and connections that break off."""

from __future__ import annotations

import http.client
import json
import random
import socket
import struct
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_SECONDS = 90
HOST = "127.0.0.1"

Part = tuple[str, str, bytes]  # of a form: field, file name or '', content


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The JSON object in the body; an empty one where it holds none."""
        try:
            data = json.loads(self.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


@dataclass
class Observed:
    """Counts over all answers, from every thread."""

    answers: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def fault(self, name: str, example: str) -> None:
        """Count something that must not happen, and keep the first example of it."""
        with self._lock:
            self.faults[name] += 1
            self.examples.setdefault(name, example)

    def answer(self, path: str, answer: Answer) -> None:
        """Count an answer, and what is wrong with its form."""
        with self._lock:
            self.answers[answer.status] += 1
        said = f"{path}: {answer.status} {answer.body[:200]!r}"
        if answer.status >= 500 and answer.status != 503:
            self.fault("answers 500", said)
        if answer.status == 503 and path != "/healthz" and not answer.headers.get("retry-after", "").isdigit():
            self.fault("answers 503 without Retry-After", said)
        is_json = answer.headers.get("content-type", "").startswith(("application/json", "application/problem+json"))
        if path.startswith("/api/") and not (is_json and answer.data):
            self.fault("answers under /api/ that are not JSON", said)


def form(parts: Sequence[Part]) -> tuple[bytes, str]:
    """Encode a form; returns its body and content type."""
    boundary = uuid.uuid4().hex
    body = b""
    for name, file, content in parts:
        named = f'; filename="{file}"' if file else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'.encode()
        body += (b"Content-Type: image/jpeg\r\n" if file else b"") + b"\r\n" + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Wire:
    """Requests to the site, one connection each.

    Args:
        port: where the site listens, on this machine.
        observed: counts the answers.
        losing: share of writing requests whose answer gets lost on the way: they arrive, and the caller does not know.
    """

    def __init__(self, port: int, observed: Observed, losing: float = 0) -> None:
        self.port = port
        self.observed = observed
        self.losing = losing

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request, and return its answer. Raises OSError or HTTPException where none comes."""
        is_lost = method != "GET" and random.random() < self.losing
        connection = http.client.HTTPConnection(HOST, self.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            if is_lost and random.random() < 0.5:  # hang up while it is being worked on
                time.sleep(random.uniform(0, 0.2))
                raise ConnectionAbortedError
            response = connection.getresponse()
            fields = [(name.lower(), value) for name, value in response.getheaders()]
            pairs = (value.partition(";")[0].partition("=") for name, value in fields if name == "set-cookie")
            cookies = {name: value for name, _sign, value in pairs}
            answer = Answer(response.status, dict(fields), response.read(), cookies)
        finally:
            connection.close()
        self.observed.answer(path.partition("?")[0], answer)
        if is_lost:
            raise ConnectionAbortedError
        return answer

    def open(self, data: bytes) -> socket.socket:
        """Open a connection and send something. Raises OSError where nothing listens."""
        connection = socket.create_connection((HOST, self.port), timeout=TIMEOUT_SECONDS)
        connection.sendall(data)
        return connection

    def cut(self, path: str, body: bytes, headers: Mapping[str, str], at: int, *, reset: bool) -> int | None:
        """Begin a request, and end the connection after `at` bytes of its body: by FIN, or by RST.

        Returns the status that came back, if one did. Raises OSError where nothing listens.
        """
        head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        with self.open(head.encode()) as connection:
            middle = at // 2
            connection.sendall(body[:middle])
            time.sleep(random.uniform(0, 0.3))  # so that it is not one packet
            connection.sendall(body[middle:at])
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return None
            connection.shutdown(socket.SHUT_WR)
            words = connection.recv(64).split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
