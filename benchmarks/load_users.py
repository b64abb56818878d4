#!/usr/bin/env python
"""The load test's callers, by locust: people who browse, review and upload, and programs that call the API.

A process of its own, because locust lets gevent change how everything in it waits. Reads a `Wanted` as JSON from stdin,
lets so many callers work in each stage, and prints a `Measured` as JSON, a line a stage. A last stage without an end
ends with SIGTERM.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, between, task
from locust.env import Environment
from locust.runners import Runner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.load_figures import Measured, Stage, Wanted
from benchmarks.outage_http import form

TOKEN = "t" * 32
LISTS = ("", "status=to_review", "status=published", "category=Jacket", "material=denim", "sort=name", "sort=doubt")
WORDS = ("q=코트", "q=니트", "q=오버핏+코트", "q=블라우", "q=sku-0012345", "q=셔츠+54321")
THUMBNAILS = 8  # of a page's, that a browser does not have yet
VALUES = ("Coat", "Jacket", "Jumper")
REVIEWED_AT_A_TIME = 5

wanted: Wanted


class Caller(FastHttpUser):
    """Somebody with a session, or a program with a key."""

    abstract = True
    connection_timeout = 30.0
    network_timeout = 60.0
    default_headers = {"Accept-Language": "ko"}
    _numbers = itertools.count()

    def on_start(self) -> None:
        """Become somebody."""
        self.number = next(Caller._numbers)
        self.chance = random.Random(self.number)
        self.products: list[str] = []
        self.photos = photos(self.number)

    def signed(self, session: str, *, script: bool = False) -> dict[str, str]:
        """Return the headers of a person's browser; `script` for what a page's script asks for."""
        cookie = {"Cookie": f"sessionid={session}; csrftoken={TOKEN}"}
        return cookie | ({"Accept": "application/json", "X-CSRFToken": TOKEN} if script else {"Accept": "text/html"})

    def ask(self, kind: str, method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
        """Send a request, and return its answer; how it ended is counted under `kind`."""
        return self.client.request(
            method, path, name=kind, headers=self.default_headers | headers, data=body, allow_redirects=False
        )


class Browsing(Caller):
    """Looks at lists, at what they show, and for words."""

    weight = 5
    wait_time = between(1, 3)

    def on_start(self) -> None:
        """Log in."""
        super().on_start()
        self.headers = self.signed(wanted.sessions[self.number % len(wanted.sessions)])

    def page(self, path: str) -> str:
        """Open a page with its images; returns its HTML."""
        answer = self.ask("page", "GET", path, self.headers)
        text: str = answer.text if answer.status_code == 200 else ""
        images = list(dict.fromkeys(re.findall(r"/media/\w+/(?:small|thumbnail)", text)))[:THUMBNAILS]
        headers = self.headers | {"Accept": "image/*"}
        gevent.joinall([gevent.spawn(self.ask, "image", "GET", image, headers) for image in images])
        return text

    @task(4)
    def list_products(self) -> None:
        """A list, its rows and thumbnails."""
        text = self.page(f"/products/?{self.chance.choice(LISTS)}")
        self.products = re.findall(r'data-row="(\w+)"', text) or self.products

    @task(2)
    def search(self) -> None:
        """Words."""
        self.page(f"/products/?{self.chance.choice(WORDS)}")

    @task(3)
    def product(self) -> None:
        """One of those that the last list showed."""
        if self.products:
            self.page(f"/products/{self.chance.choice(self.products)}")

    @task(1)
    def home(self) -> None:
        """The first page."""
        self.page("/")


class Reviewing(Caller):
    """Answers one product after the other, as the review's page does."""

    weight = 2
    wait_time = between(1, 2)

    def on_start(self) -> None:
        """Log in."""
        super().on_start()
        self.headers = self.signed(wanted.reviewers[self.number % len(wanted.reviewers)], script=True)
        self.waiting: list[dict[str, Any]] = []
        self.after = ""

    @task
    def review(self) -> None:
        """Answer the next product."""
        if not self.waiting:
            body, headers = _form(want=str(REVIEWED_AT_A_TIME), after=self.after)
            answer = self.ask("review", "POST", "/review/batch", self.headers | headers, body)
            if answer.status_code != 200:
                return
            handed = answer.json()
            self.waiting, self.after = handed["items"], "" if handed["ended"] else handed["after"]
        if self.waiting:
            item = self.waiting.pop(0)
            said = {"version": str(item["version"]), "top_category": "Outer", "value-category": "Coat"}
            body, headers = _form(**said)
            self.ask("review", "POST", f"/review/{item['id']}/answer", self.headers | headers, body)


class Uploading(Caller):
    """Creates products of two photos by the API, and adds a third one in the portal."""

    weight = 1
    wait_time = between(3, 6)

    @task
    def upload(self) -> None:
        """Create one."""
        key = {"Authorization": f"Bearer {wanted.upload_key}"}
        body, content_type = form([("images", f"{n}.jpg", next(self.photos)) for n in range(2)])
        answer = self.ask("upload", "POST", "/api/v1/products", key | {"Content-Type": content_type}, body)
        if answer.status_code == 201:
            person = self.signed(wanted.upload_session, script=True)
            body, content_type = form([("images", "3.jpg", next(self.photos))])
            path = f"/products/{answer.json()['id']}/images"
            self.ask("upload", "POST", path, person | {"Content-Type": content_type}, body)


class Program(Caller):
    """Reads products page by page, looks one up, and says values."""

    weight = 2
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Take a key."""
        super().on_start()
        self.headers = {"Authorization": f"Bearer {wanted.keys[self.number % len(wanted.keys)]}"}
        self.next = ""

    @task(3)
    def read_list(self) -> None:
        """The next page of all products."""
        answer = self.ask("API", "GET", self.next or "/api/v1/products?page_size=50", self.headers)
        if answer.status_code == 200:
            listed = answer.json()
            self.products = [row["id"] for row in listed["results"]]
            self.next = re.sub(r"^https?://[^/]+", "", listed["next"] or "")

    @task(3)
    def read_product(self) -> None:
        """One product."""
        if self.products:
            self.ask("API", "GET", f"/api/v1/products/{self.chance.choice(self.products)}", self.headers)

    @task(1)
    def decide(self) -> None:
        """A category."""
        if self.products:
            path = f"/api/v1/products/{self.chance.choice(self.products)}/attributes/category"
            body = json.dumps({"value": self.chance.choice(VALUES)})
            self.ask("API", "PUT", path, self.headers | {"Content-Type": "application/json"}, body)


def _form(**fields: str) -> tuple[bytes, dict[str, str]]:
    body, content_type = form([(name, "", value.encode()) for name, value in fields.items()])
    return body, {"Content-Type": content_type}


def photos(number: int) -> Iterator[bytes]:
    """Photos like no other: those of the demo shop, each with a comment of its own."""
    files = [path.read_bytes() for path in sorted(Path(wanted.photos).glob("*.jpg"))]
    for turn in itertools.count():
        comment = f"{number}-{turn}-{time.time_ns()}".encode()
        data = files[(number + turn) % len(files)]
        yield data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:]


class Stages:
    """Lets callers work stage by stage, and measures each."""

    def __init__(self, environment: Environment, runner: Runner) -> None:
        self.runner = runner
        self.measured = Measured(0)
        self.measuring = False
        self.ended = False
        environment.events.request.add_listener(self._note)  # type: ignore[no-untyped-call]  # locust gives its hooks no types

    def _note(self, name: str, response_time: float, response: Any, **_more: Any) -> None:
        if self.measuring:
            status = getattr(response, "status_code", 0) or 0
            headers = getattr(response, "headers", None) or {}
            self.measured.note(name, status, response_time, headers.get("retry-after"))

    def _until(self, is_over: Callable[[], bool]) -> None:
        while not self.ended and not is_over():
            gevent.sleep(0.1)

    def _for(self, seconds: float) -> float:
        began = time.monotonic()
        self._until(lambda: time.monotonic() - began >= seconds)
        return time.monotonic() - began

    def run(self, stage: Stage) -> Measured:
        """Let so many callers work; what they do before they are settled does not count."""
        self.runner.start(stage.users, spawn_rate=max(1, stage.users / 5))
        self._until(lambda: self.runner.user_count >= stage.users)
        self._for(stage.settle)
        self.measured, self.measuring = Measured(stage.users), True
        self.measured.seconds = self._for(stage.seconds or float("inf"))
        self.measuring = False
        return self.measured


def main() -> None:
    """Read what is wanted, and do it."""
    global wanted
    wanted = Wanted.from_json(sys.stdin.readline())
    kinds = {kind.__name__: kind for kind in (Browsing, Reviewing, Uploading, Program)}
    environment = Environment(user_classes=[kinds[name] for name in wanted.who], host=wanted.address)
    stages = Stages(environment, environment.create_local_runner())

    def end(*_signal: object) -> None:
        stages.ended = True

    signal.signal(signal.SIGTERM, end)
    for stage in wanted.stages:
        print(stages.run(stage).to_json(), flush=True)
    stages.runner.quit()


if __name__ == "__main__":
    main()
