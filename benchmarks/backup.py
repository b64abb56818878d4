"""Proof that a backup is made beside a site that is being used, and restores to the same answers.

Run it by `make backup-proof`, which gives it a private MariaDB. Products with photos are sent to a web process and
classified by a worker; what the API says of them is kept. Then more are sent, one after the other by two clients, while
`manage.py backup` runs. It is restored into another database of the server and another folder, and a web process and
a worker are started there. It exits with 1 unless

- the restored site says of the first products, byte by byte, what the first one said, and has the same files;
- it has everything that was acknowledged before the backup began, and no upload failed meanwhile;
- `manage.py audit_data` finds nothing once the worker there has done what waited.

    make backup-proof
    make backup-proof ARGS="--products 1000"
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.processes import Site
from benchmarks.sides import ROOT

CLIENTS = 2
PHOTOS = 2  # of a product
PATIENCE_SECONDS = 600.0
RESTORED = "otjang_restored"
_WAITING = """
from classifier.models import Classification
print(Classification.objects.filter(open_key__isnull=False).count())
"""


@dataclass
class Load:
    """Products that clients send until they are stopped: their ids with the moment of the answer, and what failed."""

    site: Site
    folder: Path
    stop: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[tuple[float, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def send(self, client: int) -> None:
        """Send one product."""
        photos = [self.folder / f"{client}-{place}.jpg" for place in range(PHOTOS)]
        for path in photos:
            path.write_bytes(_photo())
        began = time.monotonic()
        try:
            made = self.site.upload(photos)
        except (AssertionError, OSError) as error:
            self.failed.append(str(error))
            return
        self.seconds.append(time.monotonic() - began)
        self.acknowledged.append((time.monotonic(), made["id"]))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send all the time while the block runs."""

        def client(number: int) -> None:
            while not self.stop.is_set():
                self.send(number)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(1, CLIENTS + 1)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


def _photo() -> bytes:
    image = Image.new("RGB", (900, 1200), _colour())
    image.paste(_colour(), (200, 200, 700, 1000))
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def _colour() -> tuple[int, int, int]:
    return random.randrange(256), random.randrange(256), random.randrange(256)


def _wait_for_worker(site: Site) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while int(site.run("manage.py", "shell", "-v0", "-c", _WAITING)):
        if time.monotonic() > until:
            raise TimeoutError("jobs still wait")
        time.sleep(2)


def _answers(site: Site, products: list[str]) -> dict[str, tuple[int, bytes]]:
    """What the API says of products. The name of the host is in addresses of files, so it is the same everywhere."""
    paths = [
        f"/api/v1/products/{product}{part}"
        for product, part in itertools.product(products, ("", "/images", "/attributes", "/decisions"))
    ]
    key = f"Bearer {site.access['key']}"
    return {path: site.request("GET", path, Authorization=key, Host="127.0.0.1") for path in paths}


def _files(site: Site, products: list[str]) -> dict[str, str]:
    media = Path(site.environment["MEDIA_ROOT"])
    return {
        str(path.relative_to(media)): hashlib.sha256(path.read_bytes()).hexdigest()
        for product in products
        for path in sorted((media / "products" / product).iterdir())
    }


def _restored(site: Site, folder: str) -> Site:
    """An empty second site on the same server."""
    server, _separator, options = site.environment["DATABASE_URL"].partition("?")
    statement = f"CREATE DATABASE {RESTORED} CHARACTER SET utf8mb4"
    socket = options.partition("unix_socket=")[2]
    subprocess.run(["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e", statement], check=True)
    other = copy.copy(site)
    other.environment = site.environment | {
        "DATABASE_URL": f"{server.rpartition('/')[0]}/{RESTORED}?{options}",
        "MEDIA_ROOT": f"{folder}/restored",
        "PORT": str(int(site.environment["PORT"]) + 1),
    }
    return other


def _report(**figures: object) -> None:
    print("\n| | |\n|---|---:|")
    for name, figure in figures.items():
        print(f"| {name.replace('_', ' ')} | {figure} |")


def _audit(site: Site) -> str:
    command = [sys.executable, "manage.py", "audit_data", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=site.environment, stdout=subprocess.PIPE, text=True)
    kinds = json.loads(done.stdout)["kinds"]
    return ", ".join(f"{kind}: {found['count']}" for kind, found in kinds.items() if found["count"])


def prove(folder: str, products: int) -> list[str]:
    """Run all of it, print the figures, and return what is wrong."""
    site = Site(folder, database=os.environ["DATABASE_URL"])
    site.environment |= {"API_RATE": "1000000/min"}
    place = f"{folder}/backups"
    with site.process("-m", "config.server"), site.process("manage.py", "worker"):
        site.wait()
        first = Load(site, Path(folder))
        for _number in range(products):
            first.send(0)
        _wait_for_worker(site)
        known = [public_id for _moment, public_id in first.acknowledged]
        before, files = _answers(site, known), _files(site, known)
        load = Load(site, Path(folder))
        with load.running():
            time.sleep(5)
            began = time.monotonic()
            site.run("manage.py", "backup", place)
            backed_up = time.monotonic()
            time.sleep(2)
    other = _restored(site, folder)
    restoring = time.monotonic()
    other.run("manage.py", "restore", place)
    restored = time.monotonic()
    early = [public_id for moment, public_id in load.acknowledged if moment < began]
    meanwhile = [public_id for moment, public_id in load.acknowledged if began <= moment < backed_up]
    with other.process("-m", "config.server"), other.process("manage.py", "worker"):
        other.wait()
        after = _answers(other, known)
        there = [path for path, (status, _body) in _answers(other, early).items() if status == 200]
        _wait_for_worker(other)
    found = _audit(other)
    _report(
        products_before=len(known),
        products_sent_during_the_backup=len(meanwhile),
        seconds_of_the_backup=f"{backed_up - began:.1f}",
        seconds_of_the_restore=f"{restored - restoring:.1f}",
        files=len(list(Path(place, "files").rglob("*.*"))),
        bytes_of_the_dump=max(path.stat().st_size for path in Path(place).glob("*.sql.gz")),
        longest_upload_meanwhile=f"{max(load.seconds, default=0):.2f} s",
        answers_compared=len(before),
    )
    return [
        *(f"{path}: another answer" for path in before if after[path] != before[path]),
        *(["files of the first products differ"] if _files(other, known) != files else []),
        *(f"upload failed: {error}" for error in [*first.failed, *load.failed]),
        *(["acknowledged before the backup, and not in it"] if len(there) != 4 * len(early) else []),
        *(["nothing was sent during the backup"] if not meanwhile else []),
        *([f"audit_data: {found}"] if found else []),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=200, help="before the backup; by default %(default)s")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("mysql://"):
        sys.exit("run it by make backup-proof, which gives it a MariaDB")
    with tempfile.TemporaryDirectory(prefix="otjang-backup-proof-") as folder:
        faults = prove(folder, options.products)
    print("\n".join(faults) if faults else "restored: the same answers, the same files, and the audit finds nothing")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
