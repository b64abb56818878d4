"""Every request has an id, which its answer and all of its lines in the log carry, and a line of its own at the end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from django.conf import settings
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.log_fields import caller_of
from core import logs
from core.api.request_ids import HEADER, request_id_of

logger = logging.getLogger("otjang.access")


def _forget(**_signal: object) -> None:
    """Let the thread's next lines belong to no request: Django writes its own after the middleware."""
    logs.begin()


request_finished.connect(_forget)


class AccessLogMiddleware:
    """Comes early, so that what others answer is seen as well, and what they log has the request's id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        request_id = request_id_of(request)
        logs.begin(request=request_id)
        response = self.get_response(request)
        response.headers[HEADER] = request_id
        if settings.ACCESS_LOG:
            _write_at_the_end(request, response, began)
        return response


def _write_at_the_end(request: HttpRequest, response: HttpResponseBase, began: float) -> None:
    """Write the line now, or, where the body is made while it is sent, when that is over."""
    if not response.streaming:
        _write(request, response.status_code, len(cast(HttpResponse, response).content), began)
        return
    streamed = cast(StreamingHttpResponse, response)
    sent = [int(streamed.headers.get("Content-Length", 0))]
    if not sent[0]:
        streamed.streaming_content = _counted(cast(Iterable[bytes], streamed.streaming_content), sent)
    closers: list[Callable[[], None]] = streamed._resource_closers  # type: ignore[attr-defined]  # run when it is sent
    closers.append(lambda: _write(request, streamed.status_code, sent[0], began))


def _counted(content: Iterable[bytes], sent: list[int]) -> Iterator[bytes]:
    for part in content:
        sent[0] += len(part)
        yield part


def _write(request: HttpRequest, status: int, size: int, began: float) -> None:
    shown: dict[str, Any] = {
        "request": request_id_of(request),
        "method": request.method,
        "path": request.path,  # without the query, which may hold words that people search for
        "status": status,
        "ms": round(1000 * (time.perf_counter() - began), 1),
        "bytes": 0 if request.method == "HEAD" else size,
        **caller_of(request),
    }
    line = "%s %r %d, %.1f ms, %d bytes, request %s"  # a path may hold line breaks
    values = (shown["method"], shown["path"], status, shown["ms"], shown["bytes"], shown["request"])
    logger.info(line, *values, extra=logs.fields(**shown))
