"""What is measured of requests, and `/metrics`, where Prometheus reads it together with the state of the queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from classifier.jobs.depth import depths
from classifier.models import Deployment
from config.readiness import OK, Part
from core import tracing
from core.api.problem_types import MEDIA_TYPE
from core.api.request_ids import request_id_of
from core.metrics import CONTENT_TYPE, Counter, Gauge, Times, exposition
from core.metrics_access import may_see

REQUESTS = Counter("otjang_http_requests_total", "Requests answered.", ("route", "method", "status"))
SECONDS = Times("otjang_http_request_seconds", "Until the answer began.", ("route", "method"))
PROBLEMS = Counter("otjang_api_problems_total", "Errors that the API answered, by code.", ("code",))

UP = Gauge("otjang_database_up", "Whether the queue could be asked for.")
JOBS = Gauge("otjang_queue_jobs", "Open jobs, `waiting` for a worker or `running` in one.", ("priority", "state"))
OLDEST = Gauge("otjang_queue_oldest_seconds", "How long the oldest job waits that no worker took.", ("priority",))
MODEL = Gauge("otjang_model_info", "The model set that serves: 1.", ("model_set", "fingerprint"))

STATE_SECONDS = 10.0  # how old what is shown of the queue may be, however many ask
TIMEOUT = 2.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MeasuringMiddleware:
    """Comes first of all, so that all that a request takes, and each of its lines in the log, is within its span."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        method = request.method if request.method in _METHODS else "other"
        assert method is not None
        with tracing.span(method, headers=_headers(request), request=request_id_of(request)):
            response = self.get_response(request)
            route = _route(request)
            tracing.describe(
                f"{method} {route}",
                response.status_code,
                http_route=route,
                http_request_method=method,
                url_path=request.path,
            )
        if settings.METRICS:
            SECONDS.add(time.perf_counter() - began, route=route, method=method)
            REQUESTS.add(route=route, method=method, status=str(response.status_code))
            _count_problem(response)
        return response


def _headers(request: HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _route(request: HttpRequest) -> str:
    """The pattern of the address, never the address itself: what strangers ask for has no end."""
    match = request.resolver_match
    return f"/{match.route}" if match is not None else "unknown"


def _count_problem(response: HttpResponseBase) -> None:
    if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE) and isinstance(response, HttpResponse):
        PROBLEMS.add(code=json.loads(response.content)["code"])


def _state() -> dict[str, Any]:
    """What everybody shares, as the database has it."""
    connection.close_if_unusable_or_obsolete()
    active = Deployment.objects.select_related("active").values("active__name", "active__fingerprint").first()
    return {"depths": [asdict(depth) for depth in depths()], "active": active}


STATE = Part("metrics", _state, STATE_SECONDS)


class Shared:
    """Shows what the processes share. One question is on its way at a time; while it hangs, the rest is shown."""

    def describe(self) -> list[Any]:
        """Name nothing before somebody looks: that would ask the database."""
        return []

    def collect(self) -> Iterator[Any]:
        """Return the gauges; only `otjang_database_up` where the database does not answer."""
        asked, _age = STATE.look()
        try:
            answer = asked.result(TIMEOUT)
        except TimeoutError:
            answer = None
        up = answer is not None and answer.state == OK
        yield UP.family([((), float(up))])
        if answer is None or not up:
            return
        found = answer.said["depths"]
        states = ("waiting", "running")
        yield JOBS.family([((one["priority"], state), one[state]) for one in found for state in states])
        yield OLDEST.family([((one["priority"],), one["oldest_seconds"]) for one in found])
        if active := answer.said["active"]:
            yield MODEL.family([((active["active__name"], active["active__fingerprint"][:12]), 1)])


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show all figures of this process and of the queue: 404 unless METRICS is true, 403 for who may not see them."""
    if not settings.METRICS:
        raise Http404
    if not may_see(request.META):
        return HttpResponse("Not for you: METRICS_TOKEN says who may.", status=403, content_type="text/plain")
    return HttpResponse(
        exposition(Shared()), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store", "Vary": "Authorization"}
    )
