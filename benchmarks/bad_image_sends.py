"""The bad images' ways into a site that runs: portal, API, classify, import, command line; and the memory of each."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bulk_site import Browser, wait_for
from benchmarks.import_site import peak_megabytes
from benchmarks.kill import ROOT
from benchmarks.outage_http import Answer
from benchmarks.outage_site import Site
from tests.support.bad_images import TAKEN, BadImage, form

_RESET_PEAK = "5"  # what clear_refs takes for: forget the peak
_SECONDS = 120


@dataclass
class Said:
    """What became of one image: by channel the code that it was refused by, TAKEN, or what went wrong."""

    bad: BadImage
    size: int
    by_channel: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)  # MB, of `web` and `worker`


def measured(site: Site) -> Mapping[str, int]:
    """The processes whose memory is looked at."""
    pids = site.pids()
    return {kind: pids[kind][0] for kind in ("web", "worker") if pids[kind]}


@contextmanager
def peaks(site: Site, into: dict[str, float]) -> Iterator[None]:
    """Note the most memory that web process and worker have during the block."""
    pids = measured(site)
    for pid in pids.values():
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
    yield
    after = measured(site)
    for kind, pid in pids.items():
        into[kind] = peak_megabytes(pid) if after.get(kind) == pid else float("inf")  # it died


@dataclass
class Sender:
    """Somebody with a session and a key, who sends files under names of any bytes."""

    site: Site
    browser: Browser

    def _headers(self, content_type: str, *, key: bool) -> dict[str, str]:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if key:
            return headers | {"Authorization": f"Bearer {self.browser.key}"}
        cookies = f"sessionid={self.browser.session}; csrftoken={self.browser.token}"
        return headers | {"Cookie": cookies, "X-CSRFToken": self.browser.token}

    def _post(self, path: str, files: Sequence[tuple[bytes, bytes]], *, key: bool, name: str = "images") -> Answer:
        body, content_type = form(files, name)
        return self.browser.wire.ask("POST", path, body, self._headers(content_type, key=key))

    def portal(self, bad: BadImage, data: bytes) -> str:
        """Send it on the page for a new product."""
        answer = self._post("/products/new", [(bad.sent_name, data)], key=False)
        received = answer.data.get("received")
        if not received:
            return str(answer.data.get("code") or f"status {answer.status}")
        return str(received[0]["code"] or TAKEN)

    def api(self, bad: BadImage, data: bytes) -> str:
        """Send it as a new product's photo."""
        answer = self._post("/api/v1/products", [(bad.sent_name, data)], key=True)
        uploads = answer.data.get("uploads")
        if not uploads:
            return str(answer.data.get("code") or f"status {answer.status}")
        return str(uploads[0]["error"]["code"] if uploads[0]["error"] else TAKEN)

    def classify(self, bad: BadImage, data: bytes) -> str:
        """Let a worker look at the file itself, as it was sent."""
        answer = self._post("/api/v1/classify", [(bad.sent_name, data)], key=True)
        until = time.monotonic() + _SECONDS
        while answer.status in {200, 202} and answer.data.get("state") not in {"done", "failed"}:
            if time.monotonic() > until:
                return "no answer"
            path = f"/api/v1/classify/{answer.data['id']}?wait=5"
            answer = self.browser.wire.ask("GET", path, b"", self._headers("application/json", key=True))
        results = answer.data.get("results")
        if not results:
            return str(answer.data.get("code") or f"status {answer.status}")
        return str(results[0]["error"]["code"] if results[0]["error"] else TAKEN)

    def imported(self, some: Mapping[str, bytes]) -> dict[str, str]:
        """Import a ZIP file of photos named after their products' SKUs; TAKEN or the code of each."""
        from catalog.models import ImportLine, ProductImage, ProductImport

        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in some.items():
                archive.writestr(f"{name}.jpg", data)
        answer = self._post("/products/import/", [(b"photos.zip", file.getvalue())], key=False, name="files")
        number = str(answer.data.get("page", "")).rsplit("/", 1)[-1]
        over = ProductImport.objects.filter(public_id=number, operation__finished_at__isnull=False)
        for move in ("", "import"):
            if move:
                self.browser.ask("POST", f"/products/import/{number}/moves/{move}", ("x", "", b"1"))
            wait_for(over.exists, "an import")
        said = {}
        stored = set(ProductImage.objects.filter(product__sku__in=some).values_list("product__sku", flat=True))
        for line in ImportLine.objects.filter(of__public_id=number):
            # Also of a photo that is stored something may be said: that another product has it as well.
            codes = ", ".join(_innermost(problem) for problem in line.problems) or "neither"
            said[line.sku] = TAKEN if line.sku in stored else codes
        return {name: said.get(name, "no line") for name in some}


def _innermost(problem: Mapping[str, object]) -> str:
    """The code of a line's problem; of an image that was refused the image's."""
    params = problem.get("params")
    reason = params.get("reason") if isinstance(params, dict) else None
    return str(reason.get("code") if isinstance(reason, dict) else problem["code"])


def command_line(folder: Path, *arguments: str) -> tuple[str, int, float]:
    """Run a command of the site on a folder of images; returns what it prints, its status and its most memory in MB."""
    with (folder.parent / "printed").open("w+b") as printed:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ,
            stdout=printed,
            stderr=subprocess.DEVNULL,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        return printed.read().decode(errors="replace"), process.returncode, usage.ru_maxrss / 1024


def classified(printed: str) -> dict[str, str]:
    """What `manage.py classify --format jsonl` said of each file: TAKEN or a code, by the file's name."""
    lines = (json.loads(line) for line in printed.splitlines())
    return {Path(line["file"]).name: line["error"]["code"] if line["error"] else TAKEN for line in lines}
