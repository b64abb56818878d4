"""A server that receives calls of the site: what came, and what it answers."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Call:
    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Receiver:
    """Keeps the calls, and answers each by `answer(call)`: a status, or status, headers and parts of a body."""

    answer: object = 204
    calls: list = field(default_factory=list)
    port: int = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def answer_to(self, call):
        said = self.answer(call) if callable(self.answer) else self.answer
        return (said, {}, ()) if isinstance(said, int) else said


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _take(self):
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = Call(self.command, self.path, headers, self.rfile.read(length))
        receiver = self.server.receiver
        receiver.calls.append(call)
        status, headers, parts = receiver.answer_to(call)
        self.close_connection = True
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            for part in parts:
                self.wfile.write(part)
                self.wfile.flush()
        except OSError:  # the caller has gone
            return

    do_GET = do_POST = _take  # noqa: N815 - the base looks for these names

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def receiving(answer=204, port=0):
    """Run a receiver at this port, or a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    server.receiver = Receiver(answer, port=server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
