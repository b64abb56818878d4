"""`/metrics`: who may see it, what it counts of requests, and what it says of the queue."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as site_settings
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from classifier.models import Classification
from config import measuring
from core import metrics
from tests.support.drawn_images import upload
from tests.support.factories import ProductImageFactory
from tests.support.live_servers import running_server

ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture(autouse=True)
def _on(settings):
    settings.METRICS = True
    metrics.forget()
    measuring.STATE.forget()
    yield
    metrics.forget()
    measuring.STATE.forget()


@pytest.fixture
def figures(client):
    """Ask for the figures: those of a name by their labels."""

    def figures(name):
        answer = client.get("/metrics")
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        found = [sample for family in families for sample in family.samples if sample.name == name]
        return {tuple(sorted(sample.labels.items())): sample.value for sample in found}

    return figures


def _by(**labels):
    return tuple(sorted(labels.items()))


def test_it_is_not_there_unless_asked_for(client, settings, db):
    settings.METRICS = False
    assert client.get("/metrics").status_code == 404


def test_without_a_token_it_is_for_this_machine_alone(client, db):
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200
    assert client.get("/metrics", **ELSEWHERE).status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 403
    assert client.post("/metrics").status_code == 405


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_what_a_proxy_of_this_machine_passes_on_does_not_come_from_it(client, db, header):
    assert client.get("/metrics", headers={header: "203.0.113.9"}).status_code == 403


def test_behind_a_proxy_nobody_counts_as_this_machine(client, db, settings):
    settings.BEHIND_PROXY = True
    assert client.get("/metrics").status_code == 403


def test_with_a_token_it_is_for_who_shows_it(client, db, settings):
    settings.METRICS_TOKEN = "let-me-see"
    assert client.get("/metrics", headers={"Authorization": "Bearer let-me-see"}, **ELSEWHERE).status_code == 200
    for wrong in ("Bearer let-me", "Basic let-me-see", "let-me-see", "Bearer ", "Bearer é"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 403
    assert client.get("/metrics").status_code == 403


def test_requests_are_counted_by_route_method_and_status(client, db, figures):
    client.get("/login")
    client.get("/login?next=/products")
    client.get("/nowhere/else")
    client.generic("BREW", "/login")
    client.get("/products/0123456789abcdefghjk")
    counted = figures("otjang_http_requests_total")
    assert counted[_by(route="/login", method="GET", status="200")] == 2
    assert counted[_by(route="unknown", method="GET", status="404")] == 1
    assert counted[_by(route="/login", method="other", status="405")] == 1
    assert not any("0123456789" in str(labels) or "nowhere" in str(labels) for labels in counted)
    assert figures("otjang_http_request_seconds_count")[_by(route="/login", method="GET")] == 2


def test_errors_of_the_api_are_counted_by_code(client, api, product, figures):
    client.get("/api/v1/products")
    api.send("get", "/products/0123456789abcdefghjk")
    counted = figures("otjang_api_problems_total")
    assert counted == {_by(code="not_authenticated"): 1, _by(code="not_found"): 1}


def test_uploads_are_counted_with_what_was_turned_away(api, product, figures, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        api.upload("/products", upload(), upload("a.txt", data=b"words"), name="Coat")
    assert figures("otjang_uploads_stored_total") == {(): 1}
    assert figures("otjang_uploads_refused_total") == {_by(code="not_an_image"): 1}


@pytest.mark.django_db(transaction=True)
def test_the_queue_is_shown_by_priority(figures):
    for state, priority in (("queued", 0), ("queued", 0), ("running", 10), ("queued", 10)):
        image = ProductImageFactory()
        image.classifications.all().delete()
        Classification.objects.create(image=image, priority=priority, state=state, open_key=f"{image.pk}:live")
    jobs = figures("otjang_queue_jobs")
    assert jobs[_by(priority="interactive", state="waiting")] == 2
    assert jobs[_by(priority="bulk", state="waiting")] == 1
    assert jobs[_by(priority="bulk", state="running")] == 1
    oldest = figures("otjang_queue_oldest_seconds")
    assert set(oldest) == {_by(priority="interactive"), _by(priority="bulk")}
    assert all(0 <= seconds < 60 for seconds in oldest.values())
    assert figures("otjang_database_up") == {(): 1}


def test_without_a_database_the_rest_is_shown(client, db, figures, monkeypatch):
    def away():
        raise OperationalError(2006, "Server has gone away")

    monkeypatch.setattr(measuring, "depths", away)
    client.get("/login")
    assert figures("otjang_database_up") == {(): 0}
    assert figures("otjang_queue_jobs") == {}
    assert figures("otjang_http_requests_total")


def test_what_the_server_turns_away_is_counted(figures, db):
    with running_server(lambda _environ, _start: []) as site:
        site.ask("GET", "/", Content_Length="x")
    assert figures("otjang_http_refused_total") == {_by(status="400"): 1}


def test_off_it_counts_nothing_and_loads_nothing():
    code = """
import sys
from config.wsgi import application
from django.test import Client
Client().get("/login")
print(sorted({"prometheus_client", "opentelemetry", "sentry_sdk"} & set(sys.modules)))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=site_settings.BASE_DIR, env=os.environ, capture_output=True, text=True
    )
    assert ended.stdout.splitlines()[-1] == "[]", ended.stderr


def test_processes_that_share_a_folder_count_together(tmp_path):
    code = """
import os, signal, sys
import django
django.setup()
from core.metrics import Counter, Times, exposition
Counter("otjang_things_total", "Things.", ("kind",)).add(int(sys.argv[1]), kind="a")
Times("otjang_thing_seconds", "Time.").add(0.5)
if sys.argv[1] == "2":
    os.kill(os.getpid(), signal.SIGKILL)
print(exposition().decode())
"""
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "METRICS": "true",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    for number in ("2", "3"):
        ended = subprocess.run(
            [sys.executable, "-c", code, number], cwd=site_settings.BASE_DIR, env=env, capture_output=True, text=True
        )
    assert 'otjang_things_total{kind="a"} 5.0' in ended.stdout, ended.stderr
    assert "otjang_thing_seconds_count 2.0" in ended.stdout
