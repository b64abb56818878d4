"""Where webhooks and fetched images of the fuzzing go: a server here, so that nobody else is called."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.bulk_site import image


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer with an image that no other is like."""
        data = image()
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        """Take a webhook."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_said: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[str]:
    """Serve beside the block; yields an address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/front.jpg"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
