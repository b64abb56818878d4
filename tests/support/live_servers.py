"""The site's own server, in a thread of the test."""

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse

from config.environment import Web
from config.handler import Handler
from config.server import Site

application = Handler()
"""The site. `config.wsgi` has the same one, but looks at the database when it is imported, which tests may not yet."""


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def head_of(method, path, **headers):
    """Return the head of a request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Served:
    """A running site, and the thread of its loop."""

    def __init__(self, site, loop):
        self.site, self.loop = site, loop

    def connect(self, data=b""):
        """Open a connection and send something."""
        connection = socket.create_connection(("127.0.0.1", self.site.port), timeout=20)
        connection.sendall(data)
        return connection

    def read(self, connection):
        """Read an answer."""
        response = HTTPResponse(connection)
        response.begin()
        return Answer(response.status, {name.lower(): v for name, v in response.getheaders()}, response.read())

    def ask(self, method, path, body=b"", **headers):
        """Send a request and return the answer."""
        length = {"Content_Length": len(body)} if body else {}
        with self.connect(head_of(method, path, **length, **headers) + body) as connection:
            return self.read(connection)


@contextmanager
def running_server(application, *, threads=2, stop_seconds=5, behind_proxy=False, queue=64, queue_seconds=20):
    """Serve an application at a free port."""
    site = Site(application, Web("127.0.0.1", 0, threads, stop_seconds, queue, queue_seconds), behind_proxy)
    thread = threading.Thread(target=site.run)
    thread.start()
    try:
        yield Served(site, thread)
    finally:
        if thread.is_alive():
            site.stop()
            site.stop()
        thread.join(20)
        assert not thread.is_alive()
