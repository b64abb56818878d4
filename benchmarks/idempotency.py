"""Proof of the Idempotency-Key: 200 parallel posts with 20 keys make 20 products while web processes are killed.

Run it by `make idempotency-proof`: two web processes on one MariaDB, which are killed with SIGKILL and started again,
up to three times in a round, while the posts are under way. Each caller does as a careful client does: when the
connection breaks, or the answer says that the request is under way or the site busy, it sends the same again, to either
process.

Every second key creates a product from JSON, the others from a form with a photo. In each round: exactly 20 products,
ten times the same answer for each key, and no photo too many.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.outage_http import form
from benchmarks.processes import Site
from benchmarks.sides import ROOT

KEYS, POSTS, ROUNDS = 20, 200, int(os.environ.get("ROUNDS", "5"))
PROCESSES = 2
CYCLES = 3  # in which each process is killed once, or fewer where all is answered before
PATIENCE_SECONDS = 180.0
TIMEOUT_SECONDS = 20

_COUNT = """
import json
from catalog.models import Product, ProductImage
from accounts.models import AuditEvent, IdempotentRequest
print(json.dumps({
    "products": Product.objects.count(),
    "images": ProductImage.objects.count(),
    "created": AuditEvent.objects.filter(action="product.create").count(),
    "unanswered": IdempotentRequest.objects.filter(status=None).count(),
}))
"""


@dataclass
class Web:
    """A web process that can be killed."""

    site: Site
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it answers a few seconds later."""
        command = [sys.executable, "-m", "config.server"]
        environment = self.site.environment | {"PORT": str(self.port), "API_RATE": "1000000/min"}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def wait(self) -> None:
        """Wait until it answers. Raises TimeoutError."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.answers():
            if time.monotonic() > until:
                raise TimeoutError("a web process did not start")
            time.sleep(0.1)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


@dataclass
class Round:
    """What the callers of one round met."""

    answers: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    met: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str) -> None:
        """Count something."""
        with self.lock:
            self.met[what] += 1


def _photo() -> bytes:
    colour = tuple(random.randrange(256) for _ in range(3))
    file = io.BytesIO()
    Image.new("RGB", (900, 1200), colour).save(file, "JPEG")
    return file.getvalue()


@dataclass(frozen=True)
class Job:
    """A request, which ten callers send with one key."""

    key: str
    body: dict[str, str]
    photo: bytes | None

    def encoded(self) -> tuple[bytes, str]:
        """The body and its type; a form has another boundary each time."""
        if self.photo is None:
            return json.dumps(self.body).encode(), "application/json"
        fields = [(name, "", value.encode()) for name, value in self.body.items()]
        return form([*fields, ("images", "front.jpg", self.photo)])


def _send(job: Job, port: int, secret: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    body, content_type = job.encoded()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": content_type, "Idempotency-Key": job.key}
    try:
        connection.request("POST", "/api/v1/products", body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def _call(job: Job, ports: list[int], secret: str, seen: Round) -> None:
    """Send a request until it is answered. Raises TimeoutError, AssertionError."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        pause = 0.2
        try:
            status, headers, body = _send(job, random.choice(ports), secret)
        except (OSError, http.client.HTTPException):
            seen.note("broken connections")
        else:
            if status == 201:
                seen.note("replayed" if "idempotent-replayed" in headers else "carried out")
                with seen.lock:
                    seen.answers[job.key].add(body)
                return
            assert status in {409, 429, 503}, (status, body[:500])
            seen.note(f"answers {status}")
            pause = float(headers.get("retry-after", "1"))
        time.sleep(pause * random.uniform(0.5, 1.0))
    raise TimeoutError(job.key)


def _kill_in_turns(webs: list[Web], stop: threading.Event, seen: Round) -> None:
    """Kill the processes shortly after each other while the posts are under way, and again as soon as all are up."""
    for _cycle in range(CYCLES):
        for web in webs:
            if stop.wait(random.uniform(0.1, 0.5)):
                return
            web.kill()
            seen.kills += 1
            web.start()
        for web in webs:
            web.wait()


def _round(site: Site, webs: list[Web]) -> Round:
    seen = Round()
    jobs = [
        Job(
            str(uuid.uuid4()),
            {"name": f"Coat {number}", "sku": uuid.uuid4().hex[:12]},
            _photo() if number % 2 else None,
        )
        for number in range(KEYS)
    ]
    stop = threading.Event()
    killer = threading.Thread(target=_kill_in_turns, args=(webs, stop, seen))
    ports = [web.port for web in webs]
    with ThreadPoolExecutor(POSTS) as callers:
        calls = [callers.submit(_call, jobs[number % KEYS], ports, site.access["key"], seen) for number in range(POSTS)]
        killer.start()
        try:
            for call in calls:
                call.result()
        finally:
            stop.set()
            killer.join()
    for web in webs:
        web.wait()
    return seen


def _faults(site: Site, rounds: list[Round]) -> list[str]:
    counts: dict[str, int] = json.loads(site.run("manage.py", "shell", "-v0", "-c", _COUNT))
    done = len(rounds)
    expected = {"products": KEYS * done, "created": KEYS * done, "images": KEYS // 2 * done, "unanswered": 0}
    faults = [
        f"{name}: {counts[name]} instead of {number}" for name, number in expected.items() if counts[name] != number
    ]
    for seen in rounds:
        different = [key for key, answers in seen.answers.items() if len(answers) != 1]
        if different or len(seen.answers) != KEYS:
            faults.append(f"{len(different)} keys with different answers, {len(seen.answers)} keys answered")
        if not seen.kills:
            faults.append("no process was killed")
    return faults


def main() -> int:
    """Run the rounds, print what they met, and say by the exit status whether all went well."""
    with tempfile.TemporaryDirectory(prefix="otjang-idempotency-") as folder, ExitStack() as stack:
        site = Site(folder, Path(folder), os.environ["DATABASE_URL"])
        first = int(site.environment["PORT"])
        webs = [Web(site, first + number) for number in range(PROCESSES)]
        rounds: list[Round] = []
        for web in webs:
            web.start()
            stack.callback(web.kill)
        for web in webs:
            web.wait()
        for number in range(1, ROUNDS + 1):
            began = time.monotonic()
            seen = _round(site, webs)
            rounds.append(seen)
            met = ", ".join(f"{count} {what}" for what, count in sorted(seen.met.items()))
            print(f"round {number}: {seen.kills} kills in {time.monotonic() - began:.0f} s; {met}", flush=True)
        faults = _faults(site, rounds)
    print("\n".join(faults) if faults else f"{ROUNDS} times {POSTS} posts with {KEYS} keys: {KEYS * ROUNDS} products")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
