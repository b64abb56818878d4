"""Spans for OpenTelemetry: none, and without its packages, unless OTEL_EXPORTER_OTLP_ENDPOINT is set.

The context of a span is a context variable: work that is handed to another thread takes it along by
`contextvars.copy_context`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

_provider: Any = None


def start(service: str) -> None:
    """Send the spans of this process from now on to OTEL_EXPORTER_OTLP_ENDPOINT, if that is set.

    Args:
        service: what the process is called there, unless OTEL_SERVICE_NAME says otherwise.
    """
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        send_to(BatchSpanProcessor(OTLPSpanExporter()), service)


def send_to(processor: Any, service: str) -> None:
    """Hand the spans of this process to a processor of OpenTelemetry's SDK."""
    global _provider
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    _provider = TracerProvider(
        resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or service})
    )
    _provider.add_span_processor(processor)


def stop() -> None:
    """Send what is left, and begin no spans any more."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None


@contextmanager
def span(name: str, *, headers: Mapping[str, str] | None = None, **attributes: Any) -> Iterator[None]:
    """Let the block be a span below the current one; what it raises is noted.

    Args:
        name: what is done; one of few.
        headers: of a request that is served, whose `traceparent` says which span asked for it.
        attributes: what it is about. `a__b` becomes `otjang.a.b`.
    """
    if _provider is None:
        yield
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    kind, context = (SpanKind.INTERNAL, None) if headers is None else (SpanKind.SERVER, extract(headers))
    with _tracer().start_as_current_span(name, context=context, kind=kind):
        note(**attributes)
        yield


def begin(name: str, **attributes: Any) -> None:
    """Begin a span that becomes the current one of this context until `end`, which may be called much later.

    For a context of its own (`contextvars.copy_context().run`): nothing puts the span before back.
    """
    if _provider is None:
        return
    from opentelemetry import context, trace

    context.attach(trace.set_span_in_context(_tracer().start_span(name)))
    note(**attributes)


def end() -> None:
    """End the span that `begin` began in this context."""
    if _provider is not None:
        _current().end()


def note(**attributes: Any) -> None:
    """Add to what the current span is about; `a__b` becomes `otjang.a.b`, and None is left out."""
    if _provider is None:
        return
    for name, value in attributes.items():
        if value is not None:
            _current().set_attribute(f"otjang.{name.replace('__', '.')}", value)


def describe(name: str, status: int, **attributes: Any) -> None:
    """Say what the current span of a request turned out to be.

    Args:
        name: `GET products/<id>`.
        status: of the answer; from 500 on it is an error.
        attributes: `http_request_method` becomes `http.request.method`, as OpenTelemetry's conventions have it.
    """
    if _provider is None:
        return
    from opentelemetry.trace import StatusCode

    current = _current()
    current.update_name(name)
    current.set_attribute("http.response.status_code", status)
    for key, value in attributes.items():
        current.set_attribute(key.replace("_", "."), value)
    if status >= 500:
        current.set_status(StatusCode.ERROR)


def trace_id() -> str:
    """Return the id of the trace that the current span belongs to, as headers write it; empty without one."""
    if _provider is None:
        return ""
    context = _current().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else ""


def _tracer() -> Any:
    return _provider.get_tracer("otjang")


def _current() -> Any:
    from opentelemetry.trace import get_current_span

    return get_current_span()
