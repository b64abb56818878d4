"""More requests than the server can serve: who waits does so for a bounded time, and health is always answered."""

import threading

import pytest

from config import environment, server
from tests.core.test_server_load import WAIT, Blocking
from tests.support.live_servers import head_of, running_server


@pytest.fixture
def application():
    """An application whose threads wait until the test ends at the latest."""
    blocking = Blocking()
    yield blocking
    blocking.let.set()


def _busy(site, application, count=1):
    connections = [site.connect(head_of("GET", "/")) for _number in range(count)]
    for _number in range(count):
        assert application.entered.acquire(timeout=WAIT)
    return connections


def test_nobody_waits_longer_for_a_thread_than_is_set(application):
    with running_server(application, threads=1, queue=8, queue_seconds=1) as site:
        _busy(site, application)
        answer = site.ask("GET", "/api/v1/products")  # while the only thread hangs
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["code"] == "service_unavailable"
        application.let.set()


def test_who_comes_where_others_have_waited_long_is_turned_away_at_once(application, monkeypatch):
    monkeypatch.setattr(server, "PATIENCE", 1e9)
    with running_server(application, threads=1, queue=8, queue_seconds=1e-6) as site:
        _busy(site, application)
        first = site.connect(head_of("GET", "/"))
        assert site.ask("GET", "/healthz").status == 200
        assert site.ask("GET", "/").status == 503
        application.let.set()
        assert site.read(first).status == 200
        first.close()


def test_without_a_queue_a_free_thread_serves(application):
    application.let.set()
    with running_server(application, threads=2, queue=0) as site:
        assert [site.ask("GET", "/").status for _number in range(6)] == [200] * 6


def test_threads_that_have_not_begun_yet_are_not_taken_for_busy(monkeypatch):
    begin, begins = threading.Event(), server.ThreadedTaskDispatcher.handler_thread

    def late(dispatcher, number):
        begin.wait(WAIT)
        begins(dispatcher, number)

    monkeypatch.setattr(server.ThreadedTaskDispatcher, "handler_thread", late)
    monkeypatch.setattr(server.time, "sleep", lambda _seconds: begin.set())  # they do as soon as they are waited for
    threads = server.Threads.start(2)
    assert threads.has_room(0, 1)
    begin.set()
    threads.stop()


def test_without_a_queue_the_next_one_is_turned_away_at_once(application):
    with running_server(application, threads=2, queue=0) as site:
        _busy(site, application, 2)
        assert site.ask("GET", "/").status == 503
        assert site.ask("GET", "/healthz").status == 200
        application.let.set()


def test_a_health_that_hangs_holds_up_no_refusal(application):
    entered = application.entered

    def hanging(environ, start_response):
        return application({**environ, "PATH_INFO": "/"}, start_response)

    with running_server(hanging, threads=1, queue=0) as site:
        _busy(site, application)
        asked = [site.connect(head_of("GET", "/healthz")) for _number in range(server.HEALTH_THREADS)]
        for _connection in asked:
            assert entered.acquire(timeout=WAIT)
        assert site.ask("GET", "/").status == 503
        application.let.set()
        for connection in asked:
            assert site.read(connection).status == 200
            connection.close()


def test_with_all_connections_taken_health_is_answered(application, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 4)
    application.let.set()
    with running_server(application) as site:
        idle = [site.connect() for _number in range(4)]
        assert site.ask("GET", "/healthz").status == 200
        answer = site.ask("GET", "/")
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        for connection in idle:
            connection.close()


def test_the_queue_grows_with_the_threads(monkeypatch):
    monkeypatch.setenv("WEB_THREADS", "4")
    assert (environment.web().queue, environment.web().queue_seconds) == (64, 2)
    monkeypatch.setenv("WEB_QUEUE", "5")
    monkeypatch.setenv("WEB_QUEUE_SECONDS", "7")
    assert (environment.web().queue, environment.web().queue_seconds) == (5, 7)
