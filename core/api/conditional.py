"""Conditional requests: 304 for what the caller has, 412 instead of overwriting what the caller has not seen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core.api.problems import PreconditionFailed

_LENGTH = 20


def tag_of(data: Any, version: int | None = None) -> str:
    """Return a strong ETag of a body, before it its version if it has one.

    If-Match asks for the version alone where there is one: a body may change in parts that are not overwritten, such as
    how far its images are classified.
    """
    written = json.dumps(data, cls=JSONEncoder, sort_keys=True).encode()
    digest = hashlib.sha256(written).hexdigest()[:_LENGTH]
    return f'"{digest}"' if version is None else f'"{version}-{digest}"'


def _state(tag: str) -> str:
    return tag.strip('"').partition("-")[0]


def check_match(request: Request, tag: str) -> None:
    """Compare If-Match with the ETag of what is stored; call it where that can no longer change.

    Raises:
        PreconditionFailed: the caller knows another state.
    """
    said = request.META.get("HTTP_IF_MATCH")
    if said is None:
        return
    tags = parse_etags(said)
    if tags != ["*"] and _state(tag) not in {_state(one) for one in tags if not one.startswith("W/")}:
        raise PreconditionFailed


def check_version(request: Request, version: int) -> None:
    """As `check_match`, for a thing whose ETags have its version."""
    check_match(request, f'"{version}-"')


def conditional(request: Request, data: Any, version: int | None = None) -> Response:
    """Answer a GET: the body with its ETag, or 304 where If-None-Match names it."""
    tag = tag_of(data, version)
    known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in known or f"W/{tag}" in known or known == ["*"]:
        return Response(status=304, headers=headers)
    return Response(data, headers=headers)
