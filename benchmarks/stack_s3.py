#!/usr/bin/env python
"""An S3 server for the stack: moto's, that is slow, fails or hangs when it is told to.

moto checks no signatures; this refuses objects to whoever shows none, so a URL without one is of no use. Each request
looks into a file for one line:

    ok               answer
    slow SECONDS     answer after so long
    fail             answer 500
    hang             answer nothing for a minute
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

HANG_SECONDS = 60
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Troubled:
    """A WSGI application that does what the file says, and lets nobody in without a signature."""

    def __init__(self, application: Application, trouble: Path) -> None:
        self.application = application
        self.trouble = trouble

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        said = self.trouble.read_text().split() if self.trouble.exists() else ["ok"]
        if said[0] == "slow":
            time.sleep(float(said[1]))
        elif said[0] == "hang":
            time.sleep(HANG_SECONDS)
        if said[0] in {"fail", "hang"}:
            start_response("500 Internal Server Error", [("Content-Type", "application/xml")])
            return [b"<Error><Code>InternalError</Code></Error>"]
        if "Signature=" not in environ.get("QUERY_STRING", "") and "HTTP_AUTHORIZATION" not in environ:
            start_response("403 Forbidden", [("Content-Type", "application/xml")])
            return [b"<Error><Code>AccessDenied</Code></Error>"]
        return self.application(environ, start_response)


def main() -> None:
    """Serve at the port of the first argument; the second one is the file."""
    port, trouble = int(sys.argv[1]), Path(sys.argv[2])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = Troubled(DomainDispatcherApplication(create_backend_app), trouble)
    make_server("127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler).serve_forever()


if __name__ == "__main__":
    main()
