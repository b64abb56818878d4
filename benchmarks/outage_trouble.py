"""What the outage proof does to the site: what, how often, and how the site takes it."""

from __future__ import annotations

import random
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException

from benchmarks.outage_clients import PRODUCTS, Access
from benchmarks.outage_http import Wire
from benchmarks.outage_site import LOOK_SECONDS, PATIENCE_SECONDS, Database, Site

SLOW_CONNECTIONS = 50
TRIES = 3
WATCH_SECONDS = 60.0  # how long what a killed worker had in hand is followed
IN_HAND = 4  # images that workers have at least when one is killed
BURST = 4  # how often in a row all connections are killed: each time others are in the middle of a transaction


@dataclass(frozen=True)
class Plan:
    """How often what happens."""

    outages: tuple[float, ...]  # how long the database is away each time, in seconds; every third ends by SIGKILL
    lost_connections: int
    web_kills: int
    worker_kills: int
    cuts: int

    @property
    def steps(self) -> list[tuple[str, float]]:
        """What to do, not yet in its order."""
        outages = [("outage" if number % 3 else "crash", seconds) for number, seconds in enumerate(self.outages)]
        kills = [("web", 0.0)] * self.web_kills + [("worker", 0.0)] * self.worker_kills
        return [*outages, *kills, *[("connections", 0.0)] * self.lost_connections, ("slow", 0.0)]


FULL = Plan(outages=(2, 2, 60, 2, 2), lost_connections=2, web_kills=4, worker_kills=6, cuts=20)
QUICK = Plan(outages=(2, 4), lost_connections=1, web_kills=1, worker_kills=1, cuts=4)


@dataclass
class Trouble:
    """Makes it, step by step, and measures how the site takes it."""

    database: Database
    site: Site
    wire: Wire
    access: Access
    chance: random.Random
    connections_killed: int = 0
    refusals: int = 0  # answers while the database was away
    health: list[float] = field(default_factory=list)  # s, beside slow connections
    taken_over: list[float] = field(default_factory=list)  # s from a kill until a job of the dead worker was free
    first_in_hand: list[float] = field(default_factory=list)  # s until somebody looked at the first one of a worker's
    last_in_hand: list[float] = field(default_factory=list)  # s until somebody looked at it

    def make(self, step: str, seconds: float) -> None:
        """Do one step, and wait until the site is whole again."""
        from django.db import connection

        connection.close()
        before = len(self.site.kills)
        match step:
            case "outage" | "crash":
                self.stop_database(seconds, kill=step == "crash")
            case "connections":
                for _time in range(BURST):
                    self.connections_killed += self.database.kill_connections()
                    time.sleep(self.chance.uniform(0.1, 0.6))
            case "web":
                self.site.kill("web", self.site.pids()["web"][0])
            case "worker":
                self.kill_workers()
            case "slow":
                self.ask_beside_slow_connections()
        self.await_return(before)
        connection.close()
        self.await_health()

    def await_return(self, since: int) -> None:
        """Wait for the processes that were killed after the first `since` ones to run again."""
        for kill in self.site.kills[since:]:
            until = kill.at + PATIENCE_SECONDS
            while not self.site.has_returned(kill):
                if time.monotonic() > until:
                    self.wire.observed.fault("processes that did not come back", kill.kind)
                    break
                time.sleep(LOOK_SECONDS)

    def await_health(self) -> None:
        """Wait until the site says that it is well."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with suppress(OSError, HTTPException):
                if self.wire.ask("GET", "/healthz").status == 200:
                    return
            time.sleep(0.2)
        self.wire.observed.fault("times that the site did not become well again", "")

    def stop_database(self, seconds: float, *, kill: bool) -> None:
        """Take the database away for so long, and ask the site meanwhile."""
        self.database.stop(kill=kill)
        until = time.monotonic() + seconds
        key = {"Authorization": f"Bearer {self.access.key}"}
        json = key | {"Content-Type": "application/json"}
        asked = [("GET", PRODUCTS, b"", key), ("POST", PRODUCTS, b'{"name": "away"}', json)]
        asked += [("GET", "/", b"", {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"})]
        while time.monotonic() < until:
            for method, path, body, headers in asked:
                answer = self.wire.ask(method, path, body, headers)
                self.refusals += 1
                if answer.status != 503:
                    said = f"{method} {path}: {answer.status}"
                    self.wire.observed.fault("answers other than 503 while the database was away", said)
            time.sleep(0.2)
        self.database.start()

    def kill_workers(self) -> None:
        """Kill workers until one had images in hand: one that has just written its results has none."""
        for _time in range(TRIES):
            before = len(self.site.kills), len(self.taken_over)
            self.kill_worker()
            self.await_return(before[0])
            if len(self.taken_over) > before[1]:
                return

    def kill_worker(self) -> None:
        """Kill a worker while jobs are running, and see how soon its jobs are another one's."""
        from classifier.models import Classification

        running = Classification.objects.filter(state="running")
        until = time.monotonic() + PATIENCE_SECONDS
        while running.count() < IN_HAND and time.monotonic() < until:
            time.sleep(0.02)
        pid = self.site.busiest_worker()
        held = dict(running.values_list("pk", "attempts"))
        kill = self.site.kill("worker", pid)
        leased, broken_off = set(held), set[int]()
        again: set[int] = set()
        first = WATCH_SECONDS
        while (leased or broken_off - again) and time.monotonic() - kill.at < WATCH_SECONDS:
            jobs = Classification.objects.filter(pk__in=held).values_list("pk", "state", "attempts")
            passed = time.monotonic() - kill.at
            for pk, state, attempts in jobs:
                if pk in leased and (state != "running" or attempts > held[pk]):
                    leased.discard(pk)
                    if state == "queued" or attempts > held[pk]:
                        broken_off.add(pk)
                        self.taken_over.append(passed)
                if pk in broken_off - again and (attempts > held[pk] or state == "failed"):
                    first = min(first, passed)
                    again.add(pk)
                    self.last_in_hand.append(passed)
            self.site.has_returned(kill)
            time.sleep(0.1)
        if again:
            self.first_in_hand.append(first)
        for pk in leased:
            self.wire.observed.fault("jobs of a killed worker that nobody took over", str(pk))

    def ask_beside_slow_connections(self) -> None:
        """Ask for the site's health while connections hang that have sent nothing, half a head, or half a body."""
        head = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n"
        starts = (b"", head, head + b"\r\nx")
        slow = [self.wire.open(starts[number % 3]) for number in range(SLOW_CONNECTIONS)]
        for _time in range(20):
            began = time.monotonic()
            self.wire.ask("GET", "/healthz")
            self.health.append(time.monotonic() - began)
            time.sleep(0.1)
        for connection in slow:
            with closing(connection), suppress(OSError):
                connection.sendall(b"x")
