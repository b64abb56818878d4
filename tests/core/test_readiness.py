"""`/readyz` says of each part that the site needs whether it works, and writes to the storage seldom."""

import threading
from datetime import timedelta
from threading import Event

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone
from fakeredis import TcpFakeServer

from classifier.jobs.queue import seconds_waited
from classifier.models import Classification
from config import environment, health, readiness
from tests.support.factories import ProductImageFactory


@pytest.fixture(autouse=True)
def _nothing_known():
    for part in readiness.PARTS:
        part.forget()
    yield
    for part in readiness.PARTS:
        part.forget()


@pytest.fixture
def ready(client):
    """Ask, and return the status and the parts."""

    def ready():
        answer = client.get("/readyz")
        assert answer.json()["status"] == ("ok" if answer.status_code == 200 else "failed")
        assert (answer.status_code == 503) == ("Retry-After" in answer.headers)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.status_code, answer.json()["parts"]

    return ready


def _waiting(priority, age):
    """Add a job that has waited for so long."""
    image = ProductImageFactory()
    image.classifications.all().delete()
    job = Classification.objects.create(
        image=image, priority=priority, open_key=f"{image.pk}:live", merchant=image.product.merchant
    )
    Classification.objects.filter(pk=job.pk).update(queued_at=timezone.now() - timedelta(seconds=age))


def test_it_shows_every_part_with_its_milliseconds(db, ready):
    status, parts = ready()
    assert (status, list(parts)) == (200, ["database", "storage", "cache", "queue"])
    assert {name: part["state"] for name, part in parts.items()} == {
        "database": "ok",
        "storage": "ok",
        "cache": "unused",
        "queue": "ok",
    }
    assert all(part["ms"] >= 0 for part in parts.values())
    assert parts["queue"]["oldest_seconds"] == 0
    assert default_storage.listdir("probe")[1] == []


def test_it_writes_to_the_storage_once_in_a_while(db, ready, monkeypatch):
    written = []
    save = default_storage.save
    monkeypatch.setattr(default_storage, "save", lambda *arguments: written.append(arguments[0]) or save(*arguments))
    for _time in range(5):
        ready()
    assert len(written) == 1
    monkeypatch.setattr(readiness.PARTS[1], "_seconds", 0)
    ready()
    assert len(written) == 2
    assert written[0] == written[1]  # a kill leaves no more than one file of a process


def test_a_storage_that_cannot_be_written_is_named_without_its_address(db, ready, monkeypatch):
    def refuse(*_arguments):
        raise OSError(28, "no space on s3://user:secret@bucket")

    monkeypatch.setattr(default_storage, "save", refuse)
    status, parts = ready()
    assert (status, parts["storage"]["state"], parts["storage"]["reason"]) == (503, "failed", "OSError")
    assert set(parts["storage"]) == {"state", "ms", "reason"}
    assert parts["database"]["state"] == "ok"


def test_a_storage_that_gives_back_something_else_has_failed(db, ready, monkeypatch, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(b"other")
    monkeypatch.setattr(default_storage, "open", lambda _name: other.open("rb"))
    assert ready()[1]["storage"]["reason"] == "OtherContent"
    assert default_storage.listdir("probe")[1] == []


def test_a_part_that_hangs_is_waited_for_once(db, ready, monkeypatch):
    release = Event()
    monkeypatch.setattr(readiness, "TIMEOUT", 0.5)
    monkeypatch.setattr(default_storage, "save", lambda *_arguments: release.wait(20))
    before = threading.active_count()
    try:
        for _time in range(5):
            status, parts = ready()
            assert (status, parts["storage"]["reason"]) == (503, "Timeout")
        assert threading.active_count() <= before + 5
    finally:
        release.set()
    asked, _age = readiness.PARTS[1].look()
    asked.result(20)


def test_a_database_that_is_away_fails_it(db, ready, monkeypatch):
    def away():
        raise OperationalError(2002, "cannot connect to mysql://otjang:secret@db")

    monkeypatch.setattr(health, "_ask", away)
    status, parts = ready()
    assert (status, parts["database"]["reason"]) == (503, "OperationalError")
    assert "secret" not in str(parts)


def test_a_queue_that_stands_still_fails_it(db, ready, settings, monkeypatch):
    monkeypatch.setattr(readiness, "seconds_waited", lambda: 1000.4)
    status, parts = ready()
    assert (status, parts["queue"]["reason"], parts["queue"]["limit_seconds"]) == (503, "TooOld", 900)
    assert parts["queue"]["oldest_seconds"] == 1000
    settings.OTJANG_READY_QUEUE_SECONDS = 0
    readiness.PARTS[3].forget()
    assert ready()[0] == 200


def test_only_work_that_somebody_waits_for_counts(db):
    assert seconds_waited() == 0
    _waiting(Classification.Priority.BULK, 100_000)
    assert seconds_waited() == 0
    _waiting(Classification.Priority.INTERACTIVE, 1000)
    _waiting(Classification.Priority.INTERACTIVE, 10)
    assert 1000 <= seconds_waited() < 1100


def test_a_shared_cache_is_asked(db, ready, settings, monkeypatch):
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CACHE_URL", f"redis://127.0.0.1:{server.server_address[1]}/0")
    settings.CACHES = {**settings.CACHES, "default": environment.cache("CACHE_URL")}
    assert ready()[1]["cache"]["state"] == "ok"
    server.shutdown()
    server.server_close()
    monkeypatch.setenv("CACHE_URL", "redis://:hidden@127.0.0.1:1/0")
    settings.CACHES = {**settings.CACHES, "default": environment.cache("CACHE_URL")}
    readiness.PARTS[2].forget()
    status, parts = ready()
    assert (status, parts["cache"]["state"], parts["cache"]["reason"]) == (503, "failed", "ConnectionError")
    assert "hidden" not in str(parts)


def test_it_is_answered_over_plain_http_too(db, client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("by", [timedelta(hours=2), -timedelta(hours=2)])
def test_a_wrong_clock_is_said(db, ready, monkeypatch, by):
    right_now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right_now() + by)
    status, parts = ready()
    assert (status, parts["database"]["reason"]) == (503, "WrongClock")
    assert abs(parts["database"]["seconds_ahead"] - by.total_seconds()) < 60
