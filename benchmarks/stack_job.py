"""What is tried with the stack: the main job through nginx, and then with parts that are slow, fail, hang or end."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from benchmarks.kill import ROOT
from benchmarks.outage_book import Photos
from benchmarks.outage_clients import Access
from benchmarks.outage_http import Answer, Observed, Wire, form
from benchmarks.stack_servers import HOST

if TYPE_CHECKING:
    from benchmarks.stack import Stack

PATIENCE_SECONDS = 180.0
PRODUCTS = "/api/v1/products"
GARMENT = ROOT / "demo" / "images" / "jacket-denim-blue.jpg"
HEALTH_SECONDS = 1.0
PAGES = 20  # of each try
YEAR = "max-age=315360000"


class Otherwise(Exception):
    """Something was not as it should be; the text says what."""


def expect(is_so: object, what: object) -> None:
    """Raise Otherwise unless it is so."""
    if not is_so:
        raise Otherwise(str(what))


def wait_until(is_so: Callable[[], object], what: str) -> float:
    """Look until it is so; returns the seconds that it took. Raises Otherwise."""
    began = time.monotonic()
    while not is_so():
        expect(time.monotonic() - began < PATIENCE_SECONDS, f"{what} took longer than {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - began


@dataclass
class Job:
    """Somebody with a browser and a program with a key, who come through nginx."""

    stack: Stack
    access: Access
    photos: Photos = field(default_factory=lambda: Photos(1))
    observed: Observed = field(default_factory=Observed)
    cookies: dict[str, str] = field(default_factory=dict)
    product: str = ""

    def __post_init__(self) -> None:
        self.proxy = Wire(self.stack.proxy.port, self.observed)
        self.webs = [Wire(web.port, self.observed) for web in self.stack.webs]

    def page(self, path: str, wire: Wire | None = None, **fields: str) -> Answer:
        """Open a page, or send a form with these fields, as the person's browser."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers["Accept-Language"] = "en"
        body = b""
        if fields:
            body = urlencode(fields | {"csrfmiddlewaretoken": self.cookies["csrftoken"]}).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = (wire or self.proxy).ask("POST" if fields else "GET", path, body, headers)
        self.cookies |= answer.cookies
        return answer

    def api(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> Answer:
        """Call the API with the key."""
        headers = {"Authorization": f"Bearer {self.access.key}", "Content-Type": content_type, "Accept-Language": "en"}
        return self.proxy.ask(method, path, body, headers)

    def upload(self, count: int = 2) -> Answer:
        """Create a product of new photos."""
        body, content_type = form([("images", photo.name, photo.data) for photo in self.photos.take(count)])
        return self.api("POST", PRODUCTS, body, content_type)

    def uploaded(self, count: int = 2) -> str:
        """Create a product; returns its id. Raises Otherwise."""
        answer = self.upload(count)
        expect(answer.status == 201, f"{answer.status} {answer.body[:300]!r}")
        return str(answer.data["id"])

    def status_of(self, product: str) -> str:
        """Where a product is."""
        return str(self.api("GET", f"{PRODUCTS}/{product}").data.get("status"))

    def classified(self, product: str) -> str:
        """Wait for the networks; returns how long that took. Raises Otherwise."""
        seconds = wait_until(lambda: self.status_of(product) not in {"classifying", "None"}, "a prediction")
        return f"{seconds:.1f} s"

    def pages(self) -> str:
        """Open the list some times, each of which must succeed; returns the longest time."""
        longest = 0.0
        for _number in range(PAGES):
            began = time.monotonic()
            answer = self.page("/products/")
            longest = max(longest, time.monotonic() - began)
            expect(answer.status == 200, f"a page: {answer.status}")
        return f"{PAGES} pages, the longest {1000 * longest:.0f} ms"


def sign_in(job: Job) -> str:
    """Log in through nginx; both processes know the session."""
    job.page("/login")
    answer = job.page("/login", username=job.access.email, password=job.access.password)
    expect(answer.status == 302, answer.status)
    found = [job.page("/products/", wire).status for wire in job.webs]
    expect(found == [200, 200], found)
    return "known to both web processes"


def upload(job: Job) -> str:
    """Upload a photo of one garment."""
    body, content_type = form([("images", GARMENT.name, GARMENT.read_bytes())])
    answer = job.api("POST", PRODUCTS, body, content_type)
    expect(answer.status == 201, f"{answer.status} {answer.body[:300]!r}")
    job.product = str(answer.data["id"])
    return job.product


def thumbnail(job: Job) -> str:
    """The thumbnail comes from the bucket, by a signed URL and by no other."""
    text = job.page(f"/products/{job.product}").body.decode()
    found = re.search(r"/media/\w+/(?:thumbnail|small|display)", text)
    expect(found, "the page shows no photo")
    assert found is not None
    sent_on = job.page(found[0])
    expect(sent_on.status == 302, sent_on.status)
    url = urlsplit(sent_on.headers["location"])
    expect(url.port == job.stack.storage.port and "Signature=" in url.query, url)
    signed, kind, size = _fetch(url.port, f"{url.path}?{url.query}")
    expect((signed, kind) == (200, "image/jpeg"), (signed, kind))
    unsigned, _kind, _size = _fetch(url.port, url.path)
    expect(unsigned == 403, f"without a signature: {unsigned}")
    return f"{size} bytes from the bucket; 403 without the signature"


def _fetch(port: int | None, path: str) -> tuple[int, str, int]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.request("GET", path)
    response = connection.getresponse()
    found = response.status, response.headers.get("Content-Type", ""), len(response.read())
    connection.close()
    return found


def prediction(job: Job) -> str:
    """A worker says what the photos show."""
    took = job.classified(job.product)
    value = job.api("GET", f"{PRODUCTS}/{job.product}/attributes/category").data
    expect(value.get("value"), value)
    return f"{value['value']} after {took}"


def override(job: Job) -> str:
    """Say another category than the networks."""
    path = f"{PRODUCTS}/{job.product}/attributes/category"
    before = job.api("GET", path).data["value"]
    value = "Jumper" if before != "Jumper" else "Jacket"
    answer = job.api("PUT", path, f'{{"value": "{value}"}}'.encode())
    expect(answer.status == 200 and answer.data["value"] == value, answer.body[:300])
    return f"{before} became {value}"


def publish(job: Job) -> str:
    """Publish."""
    answer = job.api("POST", f"{PRODUCTS}/{job.product}/publish")
    expect(answer.status == 200, f"{answer.status} {answer.body[:300]!r}")
    expect(job.status_of(job.product) == "published", answer.data)
    return "published"


def static(job: Job) -> str:
    """Style sheets come compressed by whitenoise, under names that change with their contents."""
    text = job.page("/products/").body.decode()
    found = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', text)
    expect(found, "no style sheet with a hash in its name")
    answer = job.proxy.ask("GET", found[0], b"", {"Accept-Encoding": "gzip"})
    expect(answer.status == 200 and YEAR in answer.headers.get("cache-control", ""), answer.headers)
    expect(answer.headers.get("content-encoding") == "gzip", answer.headers)
    return f"{found[0]}, gzip, kept for good"


def calls(job: Job) -> str:
    """Calls without a key are counted by both processes together."""
    from benchmarks.stack import ANONYMOUS_CALLS

    headers = {"X-Forwarded-For": "203.0.113.7"}
    asked = [job.webs[n % 2].ask("GET", PRODUCTS, b"", headers).status for n in range(2 * ANONYMOUS_CALLS)]
    expect(asked.count(401) == ANONYMOUS_CALLS and asked.count(429) == ANONYMOUS_CALLS, asked)
    return f"{ANONYMOUS_CALLS} of {len(asked)} let in"


def attempts(job: Job) -> str:
    """Wrong passwords are counted by both processes together."""
    wrong = {"username": job.access.email, "password": "wrong"}
    headers = {"X-Forwarded-For": "203.0.113.8", "Accept-Language": "en"}
    let = 0
    for number in range(14):
        wire = job.webs[number % 2]
        token = wire.ask("GET", "/login", b"", headers).cookies["csrftoken"]
        body = urlencode(wrong | {"csrfmiddlewaretoken": token}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
        let += b"Too many attempts" not in wire.ask("POST", "/login", body, headers | kind).body
    expect(let == 10, f"{let} of 14 were let in")
    return f"{let} of 14 tried"


def ready(job: Job) -> str:
    """All parts are well."""
    answer = job.proxy.ask("GET", "/readyz")
    states = {name: part["state"] for name, part in answer.data["parts"].items()}
    expect(answer.status == 200 and set(states.values()) == {"ok"}, answer.body)
    return ", ".join(states)


def slow_storage(job: Job) -> str:
    """Each request to S3 takes a second."""
    job.stack.let_storage("slow 1")
    began = time.monotonic()
    product = job.uploaded()
    took = time.monotonic() - began
    seen = job.pages()
    classified = job.classified(product)
    job.stack.let_storage("ok")
    return f"upload in {took:.1f} s; {seen}; classified {classified} later"


def _turned_away(job: Job) -> str:
    answer = job.upload()
    code = (answer.status, answer.data.get("code"))
    expect(code == (503, "storage_away") and "retry-after" in answer.headers, f"{code} {answer.body[:300]!r}")
    return "an upload: 503 storage_away"


def failing_storage(job: Job) -> str:
    """S3 answers 500 while photos wait."""
    for worker in job.stack.workers:
        os.kill(worker.pid, signal.SIGSTOP)
    product = job.uploaded(3)
    job.stack.let_storage("fail")
    for worker in job.stack.workers:
        os.kill(worker.pid, signal.SIGCONT)
    refused, seen = _turned_away(job), job.pages()
    _wait_for_trouble()
    job.stack.let_storage("ok")
    return f"{refused}; {seen}; 3 photos that waited were classified {job.classified(product)} after its return"


def _wait_for_trouble() -> None:
    """Wait until a worker has met the storage's trouble."""
    from classifier.models import Classification

    wait_until(lambda: Classification.objects.exclude(not_before=None).exists(), "a worker's look at the storage")


def hanging_storage(job: Job) -> str:
    """S3 answers nothing."""
    job.stack.let_storage("hang")
    wait_until(lambda: job.proxy.ask("GET", "/readyz").status == 503, "readyz's answer")
    failed = [name for name, part in job.proxy.ask("GET", "/readyz").data["parts"].items() if part["state"] == "failed"]
    expect(failed == ["storage"], failed)
    refused, seen = _turned_away(job), job.pages()
    began = time.monotonic()
    expect(job.proxy.ask("GET", "/healthz").status == 200, "healthz")
    expect(time.monotonic() - began < HEALTH_SECONDS, "healthz was late")
    job.stack.let_storage("ok")
    back = wait_until(lambda: job.proxy.ask("GET", "/readyz").status == 200, "readyz's return")
    return f"readyz names it; {refused}; {seen}; ready {back:.0f} s after its return"


def killed_web(job: Job) -> str:
    """A web process is killed; nginx asks the other one."""
    job.stack.webs[0].stop(signal.SIGKILL)
    seen = job.pages()
    job.stack.webs[0].start()
    return seen


def killed_worker(job: Job) -> str:
    """A worker is killed while photos wait."""
    product = job.uploaded(4)
    job.stack.workers[0].stop(signal.SIGKILL)
    took = job.classified(product)
    job.stack.workers[0].start()
    return f"4 photos classified {took} later"


def cache_away(job: Job) -> str:
    """Redis ends: people go on working, programs are not counted."""
    job.stack.cache.stop(signal.SIGKILL)
    seen = job.pages()
    parts = job.proxy.ask("GET", "/readyz").data["parts"]
    expect(parts["cache"]["state"] == "failed", parts)
    expect(job.api("GET", PRODUCTS).status == 200, "the API")
    job.stack.cache.start()
    back = wait_until(lambda: job.proxy.ask("GET", "/readyz").status == 200, "readyz's return")
    return f"{seen}; ready {back:.0f} s after its return"


def broker_away(job: Job) -> str:
    """RabbitMQ ends, and comes back: photos are classified without it and with it."""
    job.stack.broker.stop(signal.SIGKILL)
    without = job.classified(job.uploaded())
    job.stack.broker.start()
    return f"classified {without} later without it, {job.classified(job.uploaded())} later with it again"


def nothing_wrong(job: Job) -> str:
    """`audit_data` finds nothing, and nobody was answered 500."""
    from classifier.models import Classification

    wait_until(lambda: not Classification.objects.filter(applied_at=None).exists(), "emptying the queue")
    command = [sys.executable, "manage.py", "audit_data"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    expect(found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:])
    bad = {name: job.observed.examples[name] for name in job.observed.faults if "answers 50" in name}
    expect(not bad, bad)
    return ", ".join(f"{count} × {status}" for status, count in sorted(job.observed.answers.items()))


TRIED: tuple[Callable[[Job], str], ...] = (
    *(sign_in, upload, thumbnail, prediction, override, publish, static, calls, attempts, ready),
    *(slow_storage, failing_storage, hanging_storage, killed_web, killed_worker, cache_away, broker_away),
    nothing_wrong,
)


def prove(stack: Stack, access: Access) -> int:
    """Try all of it, print what came of each, and return how much failed."""
    job, failed = Job(stack, access), 0
    print("| what | s | result |\n|---|---:|---|", flush=True)
    for tried in TRIED:
        began = time.monotonic()
        try:
            said: Any = tried(job)
        except (Otherwise, OSError, HTTPException, LookupError) as error:
            failed += 1
            said = f"**FAILED** {type(error).__name__}: {error}"
            stack.let_storage("ok")
        what = (tried.__doc__ or "").rstrip(".")
        print(f"| {what} | {time.monotonic() - began:.1f} | {said} |", flush=True)
    return failed
