"""What the web server itself answers, before the site sees a request."""

from __future__ import annotations

import json

from django.utils import translation
from waitress.task import ErrorTask
from waitress.utilities import Error

from core.ids import public_id
from core.metrics import Counter

REFUSED = Counter("otjang_http_refused_total", "Requests that the server turned away itself.", ("status",))

RETRY_SECONDS = 2
_CODES = {413: "too_large", 500: "server_error"}


class Busy(Error):  # type: ignore[misc]  # waitress has no types
    """More requests came than can be served soon."""

    code = 503
    reason = "Service Unavailable"

    def __init__(self) -> None:
        super().__init__("Too many requests at once. Try again in a moment.")


def _problem(error: Error) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the body and headers of what `core.api.problems` would answer; there is no request for it to look at."""
    from core.api.problem_types import ADDRESS, MEDIA_TYPE, title_of  # need the settings
    from core.api.request_ids import HEADER

    code, request_id = _CODES.get(error.code) or error.reason.lower().replace(" ", "_"), public_id()
    with translation.override("en"):  # as waitress's own sentences
        title = title_of(error.code)
    body = {
        "type": f"{ADDRESS}{code}",
        "title": title,
        "status": error.code,
        "detail": error.body,
        "code": code,
        "request_id": request_id,
        "errors": [],
    }
    return json.dumps(body).encode(), [("Content-Type", MEDIA_TYPE), (HEADER, request_id)]


class Refusal(ErrorTask):  # type: ignore[misc]  # as above
    """What the server itself answers: JSON below /api/, else a line of text."""

    def execute(self) -> None:
        """Send the answer and end the connection."""
        error = self.request.error
        REFUSED.add(status=str(error.code))
        self.status, headers, body = error.to_response("Otjang")
        if getattr(self.request, "path", "").startswith("/api/"):
            body, headers = _problem(error)
        if isinstance(error, Busy):
            headers.append(("Retry-After", str(RETRY_SECONDS)))
        self.response_headers.extend(headers)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
