"""The bulk proof's site: its processes, somebody who opens pages all the time, and what it takes to kill them."""

from __future__ import annotations

import io
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from benchmarks.bulk_rows import add_products
from benchmarks.outage_http import Answer, Observed, Wire, form
from benchmarks.outage_site import Database, Site, configure

PATIENCE_SECONDS = 1800


@dataclass
class Browser:
    """A person's requests, with the cookies of a session."""

    wire: Wire
    session: str
    key: str
    token: str = "t" * 32

    def ask(self, method: str, path: str, *parts: tuple[str, str, bytes], key: bool = False) -> Answer:
        """Send a request as a page's script does, or with the key as a program does."""
        headers = {"Accept": "application/json" if key or method == "POST" else "text/html"}
        if key:
            headers["Authorization"] = f"Bearer {self.key}"
        else:
            headers |= {"Cookie": f"sessionid={self.session}; csrftoken={self.token}", "X-CSRFToken": self.token}
        if not parts:
            return self.wire.ask(method, path, b"", headers)
        body, content_type = form(parts)
        return self.wire.ask(method, path, body, headers | {"Content-Type": content_type})

    def is_answered(self) -> bool:
        """Whether the site is there."""
        try:
            return self.ask("GET", "/healthz").status == 200
        except (OSError, HTTPException):
            return False


@dataclass
class Pages(threading.Thread):
    """Somebody who opens pages all the time; notes how long each took, and those that failed while all was well."""

    browser: Browser
    paths: list[str]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    phase: str = "before"
    failed: Counter[str] = field(default_factory=Counter)
    classified: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._ended = threading.Event()
        self._asking = threading.Lock()

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        """Ask for one page after the other, twice a second."""
        number = 0
        while not self._ended.wait(0.5):
            with self._asking:
                self._ask(self.paths[number % len(self.paths)])
            number += 1

    def _ask(self, path: str) -> None:
        started = time.perf_counter()
        try:
            status = self.browser.ask("GET", path).status
        except (OSError, HTTPException):
            status = 0
        if status == 200:
            self.seconds.setdefault(self.phase, []).append(time.perf_counter() - started)
        else:
            self.failed[f"{self.phase}: {path} {status or 'no answer'}"] += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Ask for nothing meanwhile."""
        with self._asking:
            yield

    def end(self) -> None:
        """Stop, and wait for it."""
        self._ended.set()
        self.join()

    def p95(self, phase: str) -> str:
        """The 95th percentile of a phase, in milliseconds, and of how many pages."""
        found = sorted(self.seconds.get(phase, ()))
        return f"{found[int(len(found) * 0.95)] * 1000:.0f} ms of {len(found)}" if found else "—"


def wait_for(condition: Callable[[], bool], what: str) -> float:
    """Wait until the condition holds; returns the seconds that it took. Raises RuntimeError if it takes too long."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise RuntimeError(f"{what} took too long")
        time.sleep(0.1)
    return time.monotonic() - started


def kill(site: Site, kind: str) -> None:
    """Kill a process, and wait until the supervisor has started another one."""
    killed = site.kill(kind, site.pids()[kind][0])
    wait_for(lambda: site.has_returned(killed), f"the next {kind}")


def image() -> bytes:
    """Draw a image that no other is like."""
    from PIL import Image

    noise = Image.frombytes("RGB", (16, 20), os.urandom(16 * 20 * 3)).resize((480, 600))
    data = io.BytesIO()
    noise.save(data, "JPEG")
    return data.getvalue()


def seconds_to_result(browser: Browser) -> float:
    """Upload an image, and wait until it was classified; returns the seconds from sending it."""
    started = time.monotonic()
    made = browser.ask("POST", "/api/v1/products", ("images", "one.jpg", image()), key=True)
    path = f"/api/v1/products/{made.data['id']}"
    wait_for(lambda: browser.ask("GET", path, key=True).data.get("status") != "classifying", "a classification")
    return time.monotonic() - started


@contextmanager
def site_with(folder: Path, count: int) -> Iterator[tuple[Site, Browser, Any]]:
    """A site that runs, with a merchant's products and somebody who is logged in."""
    database = Database(folder)
    database.start()
    try:
        access = configure(folder, database)
        from django.test import Client

        from accounts.models import Merchant, User

        merchant = Merchant.objects.get()
        add_products(merchant, count)
        client = Client()
        client.force_login(User.objects.get())
        site = Site(folder, workers=1)
        browser = Browser(Wire(site.port, Observed()), client.cookies["sessionid"].value, access.key)
        with site.running():
            wait_for(browser.is_answered, "the site")
            yield site, browser, merchant
    finally:
        from django.db import connections

        connections.close_all()
        database.stop(kill=True)
