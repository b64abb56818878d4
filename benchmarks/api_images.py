#!/usr/bin/env python
"""What 1,000 images sent through the API cost those who send them, and the worker that classifies them meanwhile.

Real processes: one web process, one worker, eight clients with a connection each, every image a request of its own.

1. Idle: one client sends an image and waits for its result before it sends the next one.
2. Alone: the images wait in the queue, nobody sends anything, and the worker starts.
3. Together: eight clients send other images while the worker classifies them, each as soon as it is answered; with
   --pace at most so many a second together, with --kept as many as the worker has to keep up with.

Then it counts: every acknowledged image has exactly one row, one finished job and its files; none is there twice.
Prints a table and one JSON line; exits with 1 if an image is lost or there twice, if the p95 of an answer to an upload
is over three times the idle one, or if the worker falls below 60 % of what it does alone.

    scripts/with_mariadb python benchmarks/api_images.py --data ../shared/garments --worn ../shared/worn
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.processes import Site

IMAGES = 1_000
CLIENTS = 8
IDLE = 60  # images sent one after the other
PER_PRODUCT = 10
MOST_TIMES_IDLE = 3.0
LEAST_OF_ALONE = 0.6
PACE = 0.64  # of what the worker does alone: what it must keep up with, and what it takes to begin and end

# Prints [rows, distinct digests, jobs that are done, jobs of another state, rows without their files].
_COUNT = """
import json
from django.core.files.storage import default_storage
from catalog.models import ProductImage
from classifier.models import Classification
images = list(ProductImage.objects.all())
done = Classification.objects.filter(state="done").count()
missing = sum(not default_storage.exists(name) for image in images for name in image.files.values())
keys = {(image.product_id, image.sha256) for image in images}
print(json.dumps([len(images), len(keys), done, Classification.objects.exclude(state="done").count(), missing]))
"""


@dataclass(frozen=True)
class Answered:
    """One upload: how long its answer took, and the image that it names."""

    seconds: float
    image: str


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    idle_p50_ms: float
    idle_p95_ms: float
    busy_p50_ms: float
    busy_p95_ms: float
    times_idle: float
    alone_per_second: float
    sending_per_second: float  # classified while images were being sent
    together_per_second: float  # from the first image sent to the last one classified
    kept: float
    sent_per_second: float
    cpu_ms_per_upload: float  # of the web process
    acknowledged: int
    lost: int
    twice: int


class Client:
    """One caller with one connection."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._connection = http.client.HTTPConnection("127.0.0.1", int(site.environment["PORT"]), timeout=120)
        self._key = {"Authorization": f"Bearer {site.access['key']}"}

    def _asked(self, method: str, path: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
        self._connection.request(method, f"/api/v1/{path}", body, {**self._key, "Content-Type": content_type})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status not in {200, 201}:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:300]!r}")
        return answer

    def new_product(self) -> str:
        """Create a product without images; returns its id."""
        return str(json.loads(self._asked("POST", "products", b"{}"))["id"])

    def send(self, product: str, image: Path) -> Answered:
        """Add an image to a product."""
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="images"; filename="{image.name}"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = head.encode() + image.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        started = time.perf_counter()
        answer = self._asked("POST", f"products/{product}/images", body, f"multipart/form-data; boundary={boundary}")
        return Answered(time.perf_counter() - started, json.loads(answer)["uploads"][0]["image"]["id"])

    def state(self, product: str) -> str:
        """Return the product's status."""
        return str(json.loads(self._asked("GET", f"products/{product}"))["status"])


def chosen(data: Path, worn: Path) -> list[Path]:
    """Return the images that are sent, every time the same: seven flat ones to three worn ones."""
    flat, people = sorted((data / "images").glob("*.jpg")), sorted(worn.rglob("*.jpg"))
    numbers = random.Random(13)
    wanted = IDLE + 2 * IMAGES
    found = numbers.sample(flat, min(len(flat), wanted * 7 // 10))
    found += numbers.sample(people, min(len(people), wanted - len(found)))
    numbers.shuffle(found)
    return found


def idle(site: Site, images: Sequence[Path]) -> list[Answered]:
    """Send one image at a time to a site that has nothing else to do."""
    client, answers = Client(site), []
    for image in images:
        product = client.new_product()
        answers.append(client.send(product, image))
        while client.state(product) == "classifying":
            time.sleep(0.02)
    return answers


def send_all(site: Site, images: Sequence[Path], pace: float = 0.0) -> list[Answered]:
    """Send the images by all clients at once; at most `pace` a second, if it is not 0."""
    waiting: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for image in images:
        waiting.put(image)
    answers: list[Answered] = []
    failures: list[Exception] = []

    began, between = time.monotonic(), CLIENTS / pace if pace else 0.0

    def work(number: int) -> None:
        client, product, sent = Client(site), "", 0
        try:
            while True:
                image = waiting.get_nowait()
                time.sleep(max(began + (sent + number / CLIENTS) * between - time.monotonic(), 0.0))
                if sent % PER_PRODUCT == 0:
                    product = client.new_product()
                answers.append(client.send(product, image))
                sent += 1
        except queue.Empty:
            pass
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers


def counted(site: Site) -> tuple[int, int, int, int, int]:
    """Count what is in the database and in the storage; see `_COUNT`."""
    rows, distinct, done, others, missing = json.loads(site.run("manage.py", "shell", "-v0", "-c", _COUNT))
    return rows, distinct, done, others, missing


class Jobs:
    """How many jobs are done, asked of the database itself, so that asking costs the site nothing."""

    def __init__(self, address: str) -> None:
        os.environ["DATABASE_URL"] = address
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()

    def done(self) -> int:
        """Return how many jobs are done."""
        from classifier.models import Classification

        return Classification.objects.filter(state="done").count()

    def wait_for(self, count: int) -> float:
        """Wait until so many are done; returns when that was."""
        while self.done() < count:
            time.sleep(0.05)
        return time.perf_counter()


def percentile(answers: Sequence[Answered], share: float) -> float:
    """Return a percentile of the times in milliseconds."""
    times = sorted(answer.seconds for answer in answers)
    return 1000 * times[min(len(times) - 1, int(share * len(times)))]


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(site: Site, jobs: Jobs, images: Sequence[Path], pace: float | None) -> Figures:
    """Run the three parts."""
    first, second, third = images[:IDLE], images[IDLE : IDLE + IMAGES], images[IDLE + IMAGES :]
    with site.process("-m", "config.server") as web:
        site.wait()
        with site.process("manage.py", "worker"):
            one_by_one = idle(site, first)
        used = cpu_seconds(web)
        queued = send_all(site, second)
        used = cpu_seconds(web) - used
        done = jobs.done()
        with site.process("manage.py", "worker"):
            started = jobs.wait_for(done + len(second) // 10)
            alone = (len(second) - len(second) // 10) / (jobs.wait_for(done + len(second)) - started)
            before, began = jobs.done(), time.perf_counter()
            together = send_all(site, third, PACE * alone if pace is None else pace)
            sent, while_sending = time.perf_counter() - began, jobs.done() - before
            whole = jobs.wait_for(before + len(third)) - began
    answers = one_by_one + queued + together
    rows, distinct, finished, others, missing = counted(site)
    idle_p95, busy_p95 = percentile(one_by_one, 0.95), percentile(together, 0.95)
    return Figures(
        percentile(one_by_one, 0.5),
        idle_p95,
        percentile(together, 0.5),
        busy_p95,
        busy_p95 / idle_p95,
        alone,
        while_sending / sent,
        len(third) / whole,
        len(third) / whole / alone,
        len(third) / sent,
        1000 * used / len(queued),
        len({answer.image for answer in answers}),
        len(answers) - finished + others + missing,
        rows - distinct + rows - len(answers),
    )


def report(figures: Figures) -> int:
    """Print what was measured; returns the exit status."""
    rows: Iterator[tuple[str, str]] = iter(
        [
            ("answer to an upload, idle, p50 / p95 ms", f"{figures.idle_p50_ms:.0f} / {figures.idle_p95_ms:.0f}"),
            (f"with {CLIENTS} clients, p50 / p95 ms", f"{figures.busy_p50_ms:.0f} / {figures.busy_p95_ms:.0f}"),
            ("times idle, p95", f"{figures.times_idle:.1f}"),
            ("images sent per second", f"{figures.sent_per_second:.1f}"),
            ("CPU of the web process per upload, ms", f"{figures.cpu_ms_per_upload:.1f}"),
            ("worker alone, images per second", f"{figures.alone_per_second:.1f}"),
            ("worker while images are sent", f"{figures.sending_per_second:.1f}"),
            ("from the first image sent to the last classified", f"{figures.together_per_second:.1f}"),
            ("share of the worker alone", f"{figures.kept:.2f}"),
            ("acknowledged, lost, twice", f"{figures.acknowledged}, {figures.lost}, {figures.twice}"),
        ]
    )
    print("| | |\n|---|---:|")
    for name, figure in rows:
        print(f"| {name} | {figure} |")
    print(json.dumps({name: round(value, 3) for name, value in asdict(figures).items()}))
    good = figures.lost == figures.twice == 0
    return int(not (good and figures.times_idle <= MOST_TIMES_IDLE and figures.kept >= LEAST_OF_ALONE))


def main() -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--worn", type=Path, required=True)
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--pace", type=float, default=0.0, metavar="IMAGES", help="a second; 0: as fast as they can")
    pace.add_argument("--kept", dest="pace", action="store_const", const=None, help="what the worker must keep up with")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otjang-api-") as folder:
        site = Site(folder, database=os.environ["DATABASE_URL"])
        site.environment |= {"API_RATE": "1000000/min"}
        images = chosen(arguments.data, arguments.worn)
        return report(measure(site, Jobs(os.environ["DATABASE_URL"]), images, arguments.pace))


if __name__ == "__main__":
    sys.exit(main())
