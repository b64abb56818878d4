"""Several web processes count together in one Redis."""

import threading

import pytest
from django.core.cache import cache, caches
from django.test import Client
from fakeredis import TcpFakeServer

from accounts import attempts
from config import environment
from core import rates
from core.rates import Rate
from tests.support.api_clients import ApiClient


@pytest.fixture
def shared(settings, monkeypatch):
    """The site's cache in a Redis of the test's own, as CACHE_URL makes it."""
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("CACHE_URL", f"redis://127.0.0.1:{server.server_address[1]}/0")
    settings.CACHES = {**settings.CACHES, "default": environment.cache("CACHE_URL")}
    yield cache
    cache.close()
    server.shutdown()
    server.server_close()


def test_threads_lose_no_count(shared, monkeypatch):
    monkeypatch.setattr(rates.time, "time", lambda: 1_000_000_020.0)
    rate = Rate.of("caller", "1000/min")
    counted = []

    def take():
        counted.extend(rates.take(rate, "key-1").used for _ in range(20))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == list(range(1, 81))


@pytest.mark.django_db
def test_the_api_counts_there(shared, api_key, settings):
    settings.API_RATE = "2/hour"
    client = ApiClient(api_key[1])
    assert [client.send("get", "/attributes").status_code for _ in range(3)] == [200, 200, 429]


def _next_process():
    """Forget what is kept in memory, as another web process does not know it."""
    caches[attempts.CACHE].clear()


def _log_in(user, password):
    client = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.1")
    return client.post("/login", {"username": user.email, "password": password})


@pytest.mark.django_db
def test_attempts_to_log_in_are_counted_by_all_processes(shared, alice, settings):
    settings.OTJANG_LOGIN_ATTEMPTS = 2
    for _attempt in range(2):
        assert "Too many attempts" not in _log_in(alice, "wrong").text
        _next_process()
    assert "Too many attempts" in _log_in(alice, "correct horse battery").text


@pytest.mark.django_db
def test_who_has_logged_in_is_counted_afresh_by_all(shared, alice, settings):
    settings.OTJANG_LOGIN_ATTEMPTS = 2
    for _round in range(2):
        _log_in(alice, "wrong")
        _next_process()
        assert _log_in(alice, "correct horse battery").status_code == 302
        _next_process()


@pytest.mark.django_db
def test_attempts_are_counted_while_redis_is_away(settings, monkeypatch, alice):
    monkeypatch.setenv("CACHE_URL", "redis://127.0.0.1:1/0")
    settings.CACHES = {**settings.CACHES, "default": environment.cache("CACHE_URL")}
    settings.OTJANG_LOGIN_ATTEMPTS = 2
    for _attempt in range(2):
        assert "Too many attempts" not in _log_in(alice, "wrong").text
    assert "Too many attempts" in _log_in(alice, "correct horse battery").text
