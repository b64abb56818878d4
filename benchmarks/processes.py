"""The real processes, started as operators start them: how much memory they take, and how soon a result is there."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.sides import ROOT

HEAVY = ("torch", "torchvision", "ultralytics", "openvino", "onnxruntime", "cv2")
PAGES = 60

# One line on stdout: what the requests need to be let in.
_PREPARE = """
import json
from django.test import Client
from accounts.models import ApiKey, Membership, Merchant, User
from catalog.services.taxonomy import load_taxonomy
load_taxonomy()
merchant = Merchant.objects.create(name="Benchmark")
user = User.objects.create_user("bench@example.com", "bench-bench-bench")
Membership.objects.create(user=user, merchant=merchant, role="owner")
secret, prefix, key_hash = ApiKey.generate()
ApiKey.objects.create(merchant=merchant, name="bench", prefix=prefix, key_hash=key_hash)
client = Client()
client.force_login(user)
print(json.dumps({"key": secret, "session": client.cookies["sessionid"].value}))
"""
_MODULES = """
import sys
import config.wsgi
from django.test import Client
for path in ("/", "/login", "/admin/login/", "/api/v1/products", "/healthz"):
    Client(SERVER_NAME="localhost").get(path, follow=True)
print(" ".join(name for name in sys.argv[1:] if name in sys.modules))
"""


class Site:
    """A private site in a temporary folder, on a database of its own there unless another one is named."""

    def __init__(self, folder: str, weights: Path | None = None, database: str | None = None) -> None:
        self.environment = os.environ | {
            "DATABASE_URL": database or f"sqlite:///{folder}/otjang.sqlite3",
            "MEDIA_ROOT": f"{folder}/media",
            "SECRET_KEY": "only-for-benchmarks-" * 4,
            "LOG_LEVEL": "WARNING",
            "BIND_ADDRESS": "127.0.0.1",
            "PORT": str(20_000 + os.getpid() % 20_000),
            "WEIGHTS": str(weights or ROOT / "weights"),
        }
        self.run("manage.py", "migrate", "-v0")
        self.access: dict[str, str] = json.loads(self.run("manage.py", "shell", "-v0", "-c", _PREPARE))

    def run(self, *arguments: str) -> str:
        """Run a Python program of the site to its end; returns what it prints."""
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def heavy_modules(self) -> list[str]:
        """Which of the networks' libraries the site has imported after answering requests."""
        return self.run("-c", _MODULES, *HEAVY).split()

    @contextmanager
    def process(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=sys.stderr)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", int(self.environment["PORT"]), timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        response = connection.getresponse()
        return response.status, response.read()

    def wait(self) -> None:
        for _attempt in range(600):  # a minute: a busy machine is slow, not wrong
            try:
                self.request("GET", "/healthz")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("the site did not start")

    def upload(self, images: Sequence[Path]) -> dict[str, Any]:
        """Create a product of these images through the API."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="images"; filename="{path.name}"\r\n'
            "Content-Type: image/jpeg\r\n\r\n".encode()
            + path.read_bytes()
            + b"\r\n"
            for path in images
        ]
        status, answer = self.request(
            "POST",
            "/api/v1/products",
            b"".join(parts) + f"--{boundary}--\r\n".encode(),
            Authorization=f"Bearer {self.access['key']}",
            Content_Type=f"multipart/form-data; boundary={boundary}",
        )
        assert status == 201, answer
        created: dict[str, Any] = json.loads(answer)
        return created

    def product(self, public_id: str) -> dict[str, Any]:
        _status, answer = self.request(
            "GET", f"/api/v1/products/{public_id}", Authorization=f"Bearer {self.access['key']}"
        )
        found: dict[str, Any] = json.loads(answer)
        return found


def peak_megabytes(pid: int) -> int:
    """The most memory that a running process ever had, with its children's."""
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max([peak // 1024, *(peak_megabytes(int(child)) for child in children)])


def web_process(images: Sequence[Path]) -> dict[str, Any]:
    """The web process after pages, API calls and uploads: its memory, and what it has imported."""
    with tempfile.TemporaryDirectory(prefix="otjang-web-") as folder:
        site = Site(folder)
        with site.process("-m", "config.server") as process:
            site.wait()
            for number in range(PAGES):
                status, _page = site.request("GET", "/", Cookie=f"sessionid={site.access['session']}")
                assert status == 200, status
                if number < len(images):
                    product = site.upload(images[number : number + 1])
                    site.product(product["id"])
            requests = PAGES + 2 * min(PAGES, len(images))
            return {
                "megabytes": peak_megabytes(process.pid),
                "requests": requests,
                "uploads": min(PAGES, len(images)),
                "heavy": site.heavy_modules(),
            }


def worker_process(weights: Path, images: Sequence[Path]) -> dict[str, Any]:
    """`manage.py worker`: seconds from an accepted upload to its result, and its memory after many images."""
    with tempfile.TemporaryDirectory(prefix="otjang-worker-") as folder:
        site = Site(folder, weights)
        with (
            site.process("-m", "config.server"),
            site.process("manage.py", "worker") as worker,
        ):
            site.wait()
            _seconds_to_result(site, images[:1])  # the worker may still be starting
            seconds = sorted(_seconds_to_result(site, [path]) for path in images[:9])
            whole = _seconds_to_result(site, images)
            return {
                "seconds_to_result": round(seconds[len(seconds) // 2], 2),
                "images": len(images) + 10,
                "seconds_for_all": round(whole, 2),
                "megabytes": peak_megabytes(worker.pid),
            }


def _seconds_to_result(site: Site, images: Sequence[Path]) -> float:
    product = site.upload(images)
    started = time.perf_counter()
    while site.product(product["id"])["status"] == "classifying":
        if time.perf_counter() - started > 300:
            raise TimeoutError("no result within five minutes")
        time.sleep(0.05)
    return time.perf_counter() - started
