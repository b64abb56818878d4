"""What the chaos proof does to its site: kills at chosen points, bad disks, wrong clocks, poison."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.chaos_clients import Poisoner
from benchmarks.chaos_orders import Orders, Weather
from benchmarks.chaos_process import POISON, REST_POINTS, WEB_POINTS, WORKER_POINTS
from benchmarks.chaos_site import ChaosSite, Disk
from benchmarks.outage_site import PATIENCE_SECONDS
from benchmarks.outage_trouble import IN_HAND, Trouble

REACH_SECONDS = 45.0  # until some process comes to a point
CLOCKS = (26 * 3600.0, -26 * 3600.0)  # more than a day: the times of most that is swept
WRONG_SECONDS = 8.0  # how long a clock is wrong, or the disk is bad
DRAIN_SECONDS = 60.0
SLOW, FAILING = Weather(slow=0.7), Weather(slow=0.05, failing=0.4)
RETRIES_SECONDS = 40.0
TAKE_OVER, _RENEWAL, *OPERATION_POINTS = REST_POINTS


@dataclass(frozen=True)
class ChaosPlan:
    """How often what happens."""

    rounds: int  # in which a worker is killed at each of its points once
    web_rounds: int
    poisons: int
    outages: tuple[float, ...]  # how long the database is away; as in the outage proof every third ends by SIGKILL
    lost_connections: int
    full: int
    slow: int
    failing: int
    clocks: int  # in which the clock of a worker and that of the web process are wrong, each in both directions
    drains: int  # of a worker, and of the web process
    images: int  # that are acknowledged at least

    @property
    def steps(self) -> list[tuple[str, float]]:
        """What to do, not yet in its order."""
        named = [*WORKER_POINTS * self.rounds, *REST_POINTS * min(1, self.rounds), *WEB_POINTS * self.web_rounds]
        steps = [(point, 0.0) for point in named]
        steps += [("outage" if number % 3 else "crash", seconds) for number, seconds in enumerate(self.outages)]
        for what, times in (
            (POISON, self.poisons),
            ("connections", self.lost_connections),
            ("full", self.full),
            ("slow disk", self.slow),
            ("failing disk", self.failing),
            ("drain worker", self.drains),
            ("drain web", self.drains),
        ):
            steps += [(what, 0.0)] * times
        steps += [(f"clock {name}", by) for name in ("web", "worker1") for by in CLOCKS] * self.clocks
        return [*steps, ("reclassify", 0.0), ("reclassify", 0.0)]


@dataclass
class Chaos(Trouble):
    """Makes it, step by step."""

    site: ChaosSite
    orders: Orders = field(kw_only=True)
    disk: Disk = field(kw_only=True)
    poisoner: Poisoner = field(kw_only=True)
    made: Counter[str] = field(default_factory=Counter)
    poisoned: list[str] = field(default_factory=list)  # SHA-256 of the images that kill
    beside_poison: int = 0  # images that were done while one of them was tried
    full_answers: int = 0  # uploads that were put off while the disk was full

    def make(self, step: str, seconds: float) -> None:
        """Do one step, and wait until the site is whole again."""
        from django.db import connection

        before = len(self.site.kills)
        if step in (*WORKER_POINTS, *REST_POINTS, *WEB_POINTS):
            self.kill_at(step)
        elif step == POISON:
            self.poison()
        elif step == "full":
            self.fill_disk()
        elif step in {"slow disk", "failing disk"}:
            self.spoil_storage(SLOW if step == "slow disk" else FAILING)
        elif step.startswith("clock"):
            self.move_clock(step.partition(" ")[2], seconds)
        elif step.startswith("drain"):
            self.drain(step.partition(" ")[2])
        elif step == "reclassify":
            self.reclassify()
        else:
            super().make(step, seconds)
        self.made[step] += 1
        self.site.note_kills()
        self.await_return(before)
        connection.close()
        self.await_health()

    def kill_at(self, point: str) -> None:
        """Let a process kill itself at a point. Images that were broken off before are looked at first.

        Else bad luck could break the same image off three times, which gives it up as poison.
        """
        if point in WORKER_POINTS:
            self.await_retries()
        if point == TAKE_OVER:
            self.kill_at("worker in the networks")
        if point in OPERATION_POINTS:
            self.reclassify()
        self.orders.kill_at(point)
        until = time.monotonic() + REACH_SECONDS
        while self.orders.is_open(point):
            if time.monotonic() > until:
                self.orders.cancel(point)
                self.wire.observed.fault("points that no process came to", point)
                return
            time.sleep(0.05)
        until = time.monotonic() + REACH_SECONDS
        while not self.site.note_kills() and time.monotonic() < until:
            time.sleep(0.05)

    def await_retries(self) -> None:
        """Wait until no image that was broken off waits, or is looked at again."""
        from django.db.models import Q

        from classifier.models import Classification

        again = Classification.objects.filter(
            Q(state="queued", attempts__gt=0) | Q(state="running", attempts__gt=1), not_before=None
        )
        until = time.monotonic() + RETRIES_SECONDS
        while again.exists() and time.monotonic() < until:
            time.sleep(0.1)

    def poison(self) -> None:
        """Upload an image that kills each worker that looks at it, and see that it is given up and holds up nobody."""
        from catalog.models import ProductImage
        from classifier.models import Classification

        self.await_retries()
        sent = self.poisoner.poison()
        bad = sent.photos[0].sha256
        self.poisoned.append(bad)
        done = Classification.objects.filter(state="done")
        before = done.count()
        waits = ProductImage.objects.filter(sha256=bad, classifications__open_key__isnull=False)
        until = time.monotonic() + PATIENCE_SECONDS
        while waits.exists() and time.monotonic() < until:
            self.site.note_kills()
            for kill in self.site.kills:
                self.site.has_returned(kill)
            time.sleep(0.2)
        self.beside_poison += done.count() - before

    def fill_disk(self) -> None:
        """Leave no room for uploads for a while; not on a disk that others use, too."""
        if not self.disk.is_own:
            return
        answers = self.wire.observed.answers
        before = answers[503]
        with self.disk.full():
            time.sleep(WRONG_SECONDS)
        self.full_answers += answers[503] - before

    def spoil_storage(self, weather: Weather) -> None:
        """Let the disk be slow, or fail, for a while."""
        self.orders.set_weather(weather)
        time.sleep(WRONG_SECONDS)
        self.orders.set_weather(Weather())

    def move_clock(self, name: str, seconds: float) -> None:
        """Let the clock of a process be wrong for a while, in which it is started: its hourly work begins with that."""
        self.orders.move_clock(name, seconds)
        time.sleep(1)
        kind = "web" if name == "web" else "worker"
        self.end(kind, self.site.pid_of(name))
        time.sleep(WRONG_SECONDS)
        if kind == "worker":  # what it ended last has not counted yet: another one with a right clock must see that
            self.kill_at("worker after the commit of results")
        self.orders.move_clock(name, 0)

    def drain(self, kind: str) -> None:
        """End a process by SIGTERM in the middle of its work; what it has in hand is brought to its end."""
        from classifier.models import Classification

        if kind == "web":
            self.end(kind, self.site.pids()["web"][0])
            return
        running = Classification.objects.filter(state="running")
        before = list(running.values_list("pk", flat=True))  # some may be of a worker that was killed
        until = time.monotonic() + RETRIES_SECONDS
        while running.filter(pk__in=before).exists() and time.monotonic() < until:
            time.sleep(0.1)
        self.await_retries()
        until = time.monotonic() + PATIENCE_SECONDS
        while running.count() < IN_HAND and time.monotonic() < until:
            time.sleep(0.02)
        held = dict(running.values_list("pk", "attempts"))
        self.end(kind, self.site.busiest_worker())
        until = time.monotonic() + RETRIES_SECONDS
        while running.filter(pk__in=held).exists() and time.monotonic() < until:
            time.sleep(0.1)
        for pk, attempts in Classification.objects.filter(pk__in=held).values_list("pk", "attempts"):
            if attempts > held[pk]:
                self.wire.observed.fault("images that a worker that was asked to end has left", str(pk))

    def end(self, kind: str, pid: int) -> None:
        """Ask a process to end, and wait until it runs again."""
        if not self.site.ask_to_end(kind, pid, DRAIN_SECONDS):
            self.wire.observed.fault("processes that did not end within a minute of SIGTERM", kind)
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.site.is_complete() and time.monotonic() < until:
            time.sleep(0.1)

    def reclassify(self) -> None:
        """Let the active models look at the whole catalogue once more, if nobody has asked for that already."""
        from accounts.actors import system
        from classifier.jobs.operations import start_reclassify
        from core.errors import Conflict

        try:
            start_reclassify(actor=system())
        except Conflict:
            return
