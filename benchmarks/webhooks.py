"""Proof of the webhooks: every event arrives at least once, and receivers that hang slow no classification.

Run it by `make webhooks-proof`, on MariaDB, with a real web process and real workers.

1. Products are decided upon while the receiver is down for a while, answers 500 now and then, and two workers are
   killed with SIGKILL and started again in turns. In the end each version that was written has arrived, signed, and the
   versions of each product never fell.
2. Images are classified with nobody to tell, then with as many hanging receivers as a worker has threads, then again
   with nobody: images a second of each.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bulk_site import image
from benchmarks.processes import Site
from benchmarks.sides import ROOT

PRODUCTS, ROUNDS = 20, 10
DOWN_SECONDS = 20.0
KILL_SECONDS, KILLING_SECONDS = 10.0, 90.0
FAILS = 0.05  # of the receiver's answers
IMAGES = int(os.environ.get("IMAGES", "120"))
HANGING = 4  # as many as a worker has threads for webhooks
SLOWEST = 0.8  # of the images a second without anybody to tell
PATIENCE_SECONDS = 300.0

_WAITING = """
from webhooks.models import Delivery
print(Delivery.objects.filter(state="pending").count(), Delivery.objects.filter(state="failed").count())
"""


@dataclass
class Receiver:
    """What came, and how it answers."""

    secret: str = ""
    fails: float = FAILS
    hang: threading.Event | None = None
    versions: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    ids: set[str] = field(default_factory=set)
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Keep a message and return the status of the answer; a wrong signature raises."""
        with self.lock:
            self.calls += 1
        if self.hang is not None:
            self.hang.wait()
            return 204
        if random.random() < self.fails:
            return 500
        said = Webhook(self.secret).verify(body, headers)
        with self.lock:
            if headers["webhook-id"] not in self.ids:  # a second time says nothing of the order
                self.versions[said["data"]["product"]["id"]].append(said["data"]["product"]["version"])
            self.ids.add(headers["webhook-id"])
        return 204


@contextmanager
def serving(receiver: Receiver, port: int = 0) -> Iterator[int]:
    """Let it receive beside the block; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(headers, body))
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Worker:
    """A worker that can be killed."""

    site: Site
    weights: Path = ROOT / "weights"
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        command, environment = [sys.executable, "manage.py", "worker"], {"WEIGHTS": str(self.weights)}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.site.environment | environment, stderr=subprocess.DEVNULL
        )

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it, at once unless told otherwise."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


def _ask(site: Site, method: str, path: str, body: Any = None) -> Any:
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {site.access['key']}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", int(site.environment["PORT"]), timeout=60)
    connection.request(method, f"/api/v1{path}", data, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
    return json.loads(said) if said else None


def _shell(site: Site, code: str) -> str:
    return site.run("manage.py", "shell", "-v0", "-c", code).strip()


def _arrives(site: Site, folder: Path) -> list[str]:
    """The first part; returns what went wrong."""
    products = [_ask(site, "POST", "/products", {"name": f"Coat {number}"})["id"] for number in range(PRODUCTS)]
    receiver = Receiver()
    with serving(receiver) as port:
        pass
    webhook = _ask(site, "POST", "/webhooks", {"url": f"http://127.0.0.1:{port}/", "events": ["product.decided"]})
    receiver.secret = webhook["secret"]
    workers, kills, stop = [Worker(site, folder / "none"), Worker(site, folder / "none")], 0, threading.Event()
    for worker in workers:
        worker.start()

    def kill_in_turns() -> None:
        nonlocal kills
        while time.monotonic() - began < KILLING_SECONDS and not stop.wait(KILL_SECONDS):
            worker = workers[kills % 2]
            worker.end()
            worker.start()
            kills += 1

    began = time.monotonic()
    killer = threading.Thread(target=kill_in_turns)
    killer.start()
    try:
        for number in range(ROUNDS):
            for product in products:
                value = ("Jacket", "Jumper")[number % 2]
                _ask(site, "PUT", f"/products/{product}/attributes/category", {"value": value})
        time.sleep(max(0.0, DOWN_SECONDS - (time.monotonic() - began)))
        with serving(receiver, port):
            while len(receiver.ids) < PRODUCTS * ROUNDS and time.monotonic() - began < PATIENCE_SECONDS:
                time.sleep(0.5)
            stop.set()
            killer.join()
            while (left := _shell(site, _WAITING)) != "0 0" and time.monotonic() - began < PATIENCE_SECONDS:
                time.sleep(2)
    finally:
        stop.set()
        killer.join()
        for worker in workers:
            worker.end()
    print(
        f"{len(receiver.ids)} of {PRODUCTS * ROUNDS} events arrived in {receiver.calls} calls, {kills} workers killed, "
        f"receiver down for {DOWN_SECONDS:.0f} s; all done after {time.monotonic() - began:.0f} s",
        flush=True,
    )
    faults = [f"left pending and failed: {left}"] if left != "0 0" else []
    for product in products:
        seen = receiver.versions[product]
        if len(seen) != ROUNDS or seen != sorted(seen):
            faults.append(f"{product}: versions {seen}")
    _ask(site, "DELETE", f"/webhooks/{webhook['id']}")
    return faults


def _rate(site: Site, folder: Path) -> float:
    """Images a second of one worker."""
    paths = []
    for number in range(IMAGES):
        path = folder / f"{number}.jpg"
        path.write_bytes(image())
        paths.append(path)
    made = [site.upload(paths[at : at + 10])["id"] for at in range(0, IMAGES, 10)]
    worker = Worker(site)
    worker.start()
    began, first = 0.0, 0
    try:
        while True:
            done = sum(site.product(one)["status"] != "classifying" for one in made)
            if done and not began:
                began, first = time.monotonic(), done  # it is warm now
            if done == len(made):
                return float((done - first) * 10 / (time.monotonic() - began))
            time.sleep(0.1)
    finally:
        worker.end(signal.SIGTERM)


def _slows(site: Site, folder: Path) -> list[str]:
    """The second part; returns what went wrong."""
    before = _rate(site, folder)
    receiver = Receiver(hang=threading.Event())
    with serving(receiver) as port:
        for _number in range(HANGING):
            _ask(site, "POST", "/webhooks", {"url": f"http://127.0.0.1:{port}/"})
        hanging = _rate(site, folder)
        for webhook in _ask(site, "GET", "/webhooks")["results"]:
            _ask(site, "DELETE", f"/webhooks/{webhook['id']}")
        assert receiver.hang is not None
        receiver.hang.set()
    after = _rate(site, folder)
    alone = (before + after) / 2
    print(
        f"images a second: {before:.1f} with nobody to tell, {hanging:.1f} with {HANGING} hanging receivers "
        f"({receiver.calls} calls), {after:.1f} with nobody again: {hanging / alone:.2f}",
        flush=True,
    )
    if not receiver.calls:
        return ["no receiver was called"]
    return [] if hanging >= SLOWEST * alone else [f"{hanging / alone:.2f} of the images a second; at least {SLOWEST}"]


def main() -> int:
    """Run both parts, print what they met, and say by the exit status whether all went well."""
    with tempfile.TemporaryDirectory(prefix="otjang-webhooks-") as folder, ExitStack() as stack:
        os.environ |= {"OTJANG_OUTGOING_ALLOWED": "127.0.0.1", "API_RATE": "1000000/min"}
        site = Site(folder, ROOT / "weights", os.environ["DATABASE_URL"])
        stack.enter_context(site.process("-m", "config.server"))
        site.wait()
        faults = [*_arrives(site, Path(folder)), *_slows(site, Path(folder))]
    print("\n".join(faults) if faults else "every event arrived, and nothing was slowed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
