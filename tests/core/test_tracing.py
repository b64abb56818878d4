"""Spans of requests and of images on their way, as an exporter in memory gets them."""

import logging

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from catalog.services.uploads import add_images
from classifier.jobs import batches
from core import logs, tracing
from tests.support import fake_engines as engines
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def spans():
    """Return the spans that have ended, by name."""
    exporter = InMemorySpanExporter()
    tracing.send_to(SimpleSpanProcessor(exporter), "otjang-tests")
    yield lambda: {span.name: span for span in exporter.get_finished_spans()}
    tracing.stop()


def test_a_request_is_a_span_of_its_route(client, db, spans):
    answer = client.get("/login?email=kim@shop.example")
    (span,) = spans().values()
    assert span.name == "GET /login"
    assert span.kind.name == "SERVER"
    assert span.resource.attributes["service.name"] == "otjang-tests"
    said = span.attributes
    assert (said["http.route"], said["http.request.method"], said["http.response.status_code"]) == (
        "/login",
        "GET",
        200,
    )
    assert said["otjang.request"] == answer.headers["X-Request-ID"]
    assert "kim" not in str(dict(said))


def test_it_belongs_to_the_trace_of_who_called(client, db, spans):
    client.get("/healthz", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    span = spans()["GET /healthz"]
    assert format(span.context.trace_id, "032x") == TRACE
    assert format(span.parent.span_id, "016x") == PARENT


def test_its_lines_in_the_log_name_the_trace(client, db, spans, settings):
    settings.ACCESS_LOG = True
    seen = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(logs.JsonLines().format(record))
    logging.getLogger("otjang").addHandler(handler)
    client.get("/healthz", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
    logging.getLogger("otjang").removeHandler(handler)
    assert f'"trace": "{TRACE}"' in seen[0]


def test_what_broke_is_an_error(client, db, spans, monkeypatch):
    monkeypatch.setattr("config.views.database_problem", lambda: 1 / 0)
    client.raise_request_exception = False
    assert client.get("/healthz").status_code == 500
    assert spans()["GET /healthz"].status.status_code.name == "ERROR"


@pytest.mark.django_db
def test_a_batch_is_a_trace_with_its_phases(alice, actor_of, product, monkeypatch, spans):
    files = [upload(f"{color}.jpg", color=color) for color in ("red", "green")]
    stored = add_images(actor=actor_of(alice), product=product, files=files)
    monkeypatch.setattr(batches, "LANES", 1)
    engines.serve(monkeypatch, StubEngine(garment("Jacket")))
    batches.classify_waiting()
    found = spans()
    top = found.pop("classify batch")
    assert set(top.attributes["otjang.images"]) == {received.image.public_id for received in stored}
    assert set(found) == {"read images", "run networks", "store results", "apply to products"}
    assert {span.parent.span_id for span in found.values()} == {top.context.span_id}
    assert all(top.start_time <= span.start_time <= span.end_time <= top.end_time for span in found.values())


def test_without_the_setting_nothing_is_traced(client, db, settings):
    tracing.start("otjang-tests")
    client.get("/healthz")
    with tracing.span("nothing", what="ever"):
        assert tracing.trace_id() == ""


def test_the_setting_sends_to_a_collector(settings, monkeypatch):
    sent = []
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:9"
    exporter = "opentelemetry.exporter.otlp.proto.http.trace_exporter.OTLPSpanExporter"
    monkeypatch.setattr(f"{exporter}.export", lambda _self, spans: sent.extend(spans))
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    tracing.start("otjang-web")
    try:
        with tracing.span("something"):
            pass
    finally:
        tracing.stop()
    assert [(span.name, span.resource.attributes["service.name"]) for span in sent] == [("something", "shop")]
