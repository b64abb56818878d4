"""How the site reads requests before any middleware sees them."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


def _reads_texts(encoding: str) -> bool:
    """Whether bytes can be read as texts by an encoding: Python also knows some that pack, or that only fail."""
    try:
        return isinstance(bytes(range(256)).decode(encoding, "replace"), str)
    except (LookupError, ValueError):
        return False


class Request(WSGIRequest):
    """A request whose Content-Type names an encoding of texts, or none.

    Django believes any that Python knows, and reads the address by it: at `charset=hex` it breaks where nothing answers
    for it any more.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        kind, parameters = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        if _reads_texts(parameters.get("charset", "utf-8")):
            super()._set_content_type_params(meta)  # type: ignore[misc]  # which the stubs of Django lack
        else:
            super()._set_content_type_params({"CONTENT_TYPE": kind})  # type: ignore[misc]  # as above


class Handler(WSGIHandler):
    """The site as a WSGI application. Django has to be set up before."""

    request_class = Request
