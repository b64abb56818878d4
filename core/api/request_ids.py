"""The id by which a caller and the site's log speak of the same request."""

from __future__ import annotations

import re

from django.http import HttpRequest

from core.ids import public_id

HEADER = "X-Request-ID"
_KEPT = "otjang.request_id"  # no header of a request can be called so
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def request_id_of(request: HttpRequest) -> str:
    """Return the request's id: the caller's own where that is short and plain, else a new one that stays the same."""
    known: str | None = request.META.get(_KEPT)
    if known is None:
        said = request.META.get("HTTP_X_REQUEST_ID", "")
        known = request.META[_KEPT] = said if _SANE.fullmatch(said) else public_id()
    return known


def is_api_path(request: HttpRequest) -> bool:
    """Whether the address is one of the API's, or looks like one."""
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, which reads no pages: below /api/, or anywhere with a key, real or not."""
    scheme = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")[0]
    return is_api_path(request) or scheme.lower() == "bearer"
