"""The server under load, and when it is told to stop."""

import threading

from config import server
from tests.support.live_servers import head_of, running_server

WAIT = 20


class Blocking:
    """An application that answers when it is let; `/healthz` at once."""

    def __init__(self):
        self.entered, self.let = threading.Semaphore(0), threading.Event()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] != "/healthz":
            self.entered.release()
            assert self.let.wait(WAIT)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
        return [b"ok"]


def test_health_is_answered_while_all_threads_are_busy():
    application = Blocking()
    with running_server(application, threads=2) as site:
        busy = [site.connect(head_of("GET", "/")) for _number in range(6)]
        assert application.entered.acquire(timeout=WAIT)
        assert application.entered.acquire(timeout=WAIT)
        assert site.ask("GET", "/healthz").body == b"ok"
        application.let.set()
        for connection in busy:
            assert site.read(connection).body == b"ok"
            connection.close()


def test_readiness_that_hangs_holds_up_no_health():
    application = Blocking()
    with running_server(application, threads=1) as site:
        waiting = [site.connect(head_of("GET", "/readyz")) for _number in range(3)]
        assert application.entered.acquire(timeout=WAIT)
        assert site.ask("GET", "/healthz").body == b"ok"
        application.let.set()
        assert site.ask("GET", "/").body == b"ok"
        for connection in waiting:
            assert site.read(connection).body == b"ok"
            connection.close()


def test_more_than_can_be_served_soon_is_turned_away():
    application = Blocking()
    with running_server(application, threads=1, queue=8) as site:
        first = site.connect(head_of("GET", "/"))
        assert application.entered.acquire(timeout=WAIT)
        waiting = [site.connect(head_of("GET", "/")) for _number in range(8)]
        # Connections are looked at in turn; one more round of the loop, and all of those wait.
        assert site.ask("GET", "/healthz").status == 200
        answer = site.ask("GET", "/api/v1/products")
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["code"] == "service_unavailable"
        application.let.set()
        for connection in [first, *waiting]:
            assert site.read(connection).status == 200
            connection.close()


def test_running_requests_finish_when_it_stops():
    application = Blocking()
    with running_server(application, stop_seconds=WAIT) as site:
        connection, idle = site.connect(head_of("GET", "/")), site.connect()
        receiving = site.connect(head_of("POST", "/login", Content_Length=4) + b"ab")
        assert application.entered.acquire(timeout=WAIT)
        assert site.ask("GET", "/healthz").status == 200
        site.site.stop()
        assert idle.recv(1) == b""  # it has begun to stop
        application.let.set()
        assert site.read(connection).body == b"ok"
        receiving.sendall(b"cd")
        assert site.read(receiving).body == b"ok"
        for one in (connection, idle, receiving):
            one.close()


def test_it_waits_no_longer_than_it_was_told():
    application = Blocking()
    with running_server(application, stop_seconds=0) as site:
        receiving = site.connect(head_of("POST", "/login", Content_Length=4) + b"ab")
        assert site.ask("GET", "/healthz").status == 200
        site.site.stop()
        assert receiving.recv(1) == b""
        receiving.close()


def test_a_stop_while_it_ends_writes_to_nothing_that_is_closed(monkeypatch):
    monkeypatch.setattr(server, "LOOP_SECONDS", 0.01)
    with running_server(Blocking()) as site:
        wake, loop = site.site.servers[0].pull_trigger, site.loop

        def wake_late():
            loop.join(0.5)  # it ends by itself meanwhile, unless it waits for this
            wake()

        monkeypatch.setattr(site.site.servers[0], "pull_trigger", wake_late)
        site.site.stop()
        loop.join(WAIT)
        assert not loop.is_alive()
        site.site.stop()
