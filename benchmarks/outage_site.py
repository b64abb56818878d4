"""A private site for the outage proof: its own MariaDB, and the real processes under the real supervisor.

The database can be stopped, killed and started again on the same data; the processes can be found and killed.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.kill import ROOT
from benchmarks.outage_clients import Access

PATIENCE_SECONDS = 120.0  # for anything that must happen; the machine may be busy with other things
LOOK_SECONDS = 0.05
BUSY_SECONDS = 0.15
THRESHOLD = 0.6  # of confidence, from which values are accepted automatically: so there are decisions to double
SERVERS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

_SUPERVISE = """
import os, sys
from pathlib import Path
from config.supervisor import Supervisor, read_procfile
sys.exit(Supervisor(read_procfile(sys.argv[1]), Path.cwd(), os.environ).run())
"""


def program(name: str, packages: str = "test") -> str:
    """Return where a program is. Raises RuntimeError, which names the set of `packages`, where it is not installed."""
    found = shutil.which(name, path=SERVERS)
    if found is None:
        raise RuntimeError(f"{name} is not installed (scripts/system_packages {packages})")
    return found


def free_port(address: str) -> int:
    """A port that is free now at an address of this machine."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port


def _processor_ticks(pid: int) -> int:
    """How long a process has been computing, in the kernel's ticks; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(fields[11]) + int(fields[12])


class Database:
    """A MariaDB server in a folder: own data, own socket, no network port unless an address is given.

    What it has committed survives its end. From another machine `otjang` connects, without a password.
    """

    def __init__(self, folder: Path, address: str = "") -> None:
        self.folder = folder
        self.address = address
        self.socket = folder / "socket"
        self.url = f"mysql://root@/otjang?unix_socket={self.socket}"
        self.port = free_port(address) if address else 0
        self.remote_url = f"mysql://otjang@{address}:{self.port}/otjang"
        self._server: subprocess.Popen[bytes] | None = None
        self._base = [f"--user={getpass.getuser()}", f"--datadir={folder}/data"]
        command = [program("mariadb-install-db"), "--no-defaults", *self._base, "--skip-test-db"]
        command += ["--auth-root-authentication-method=normal"]
        with (folder / "log").open("wb") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, env=os.environ | {"PATH": SERVERS})

    def start(self) -> None:
        """Start the server, and wait until it answers. Raises RuntimeError where it ends instead."""
        options = [f"--socket={self.socket}", f"--pid-file={self.folder}/pid", "--skip-log-bin"]
        options += [f"--bind-address={self.address}", f"--port={self.port}"] if self.address else ["--skip-networking"]
        options += ["--innodb-buffer-pool-size=128M", "--character-set-server=utf8mb4"]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [program("mariadbd"), "--no-defaults", *self._base, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the proof, which then ends it
            )
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"MariaDB did not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(LOOK_SECONDS)

    def _answers(self) -> bool:
        statement = "CREATE DATABASE IF NOT EXISTS otjang"
        if self.address:
            statement += "; GRANT ALL ON otjang.* TO otjang@'%' IDENTIFIED BY ''"
        return self._client(statement).returncode == 0

    def _client(self, statement: str) -> subprocess.CompletedProcess[str]:
        command = [program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root", "-N", "-e"]
        return subprocess.run([*command, statement], capture_output=True, text=True, check=False)

    def stop(self, *, kill: bool = False) -> None:
        """End the server: in order, or as by a crash. Returns when it has ended."""
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._server.wait()
            self._server = None

    def kill_connections(self) -> int:
        """End every connection, whatever it is doing; returns how many."""
        own = "ID <> CONNECTION_ID() AND USER = 'root' AND COMMAND <> 'Daemon'"
        listed = self._client(f"SELECT ID FROM information_schema.PROCESSLIST WHERE {own}")
        return sum(self._client(f"KILL CONNECTION {number}").returncode == 0 for number in listed.stdout.split())


@dataclass
class Kill:
    """A process that was killed, and how long it took until another one of its kind was there."""

    kind: str
    pid: int
    at: float  # of the monotonic clock
    seconds: float | None = None


@dataclass
class Site:
    """The web process and its workers, kept up by the supervisor."""

    folder: Path
    workers: int = 2
    port: int = 0
    kills: list[Kill] = field(default_factory=list)
    drained: int = 0  # processes that were asked to end, and did
    _supervisor: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Choose a port that is free now."""
        self.port = free_port("127.0.0.1")

    @property
    def log(self) -> Path:
        """What supervisor and processes wrote."""
        return self.folder / "site.log"

    def procfile(self) -> str:
        """What the supervisor runs."""
        web = f"web: {sys.executable} -m config.server\n"
        return web + "".join(f"worker{n}: {sys.executable} manage.py worker\n" for n in range(1, self.workers + 1))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run them beside the block, with the environment of this process."""
        variables = {"BIND_ADDRESS": "127.0.0.1", "PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        with self.log.open("wb") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-c", _SUPERVISE, self.procfile()],
                cwd=ROOT,
                env=os.environ | variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield
        finally:
            self._supervisor.terminate()
            self._supervisor.wait()

    def pids(self) -> dict[str, list[int]]:
        """The processes that run, by kind: `web` and `worker`."""
        found: dict[str, list[int]] = {"web": [], "worker": []}
        assert self._supervisor is not None
        children = Path(f"/proc/{self._supervisor.pid}/task/{self._supervisor.pid}/children")
        with suppress(FileNotFoundError):
            for pid in children.read_text().split():
                with suppress(FileNotFoundError, ProcessLookupError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                    for kind, word in (("web", b"config.server"), ("worker", b"worker")):
                        if word in words:
                            found[kind].append(int(pid))
        return found

    def is_complete(self) -> bool:
        """Whether every process runs."""
        pids = self.pids()
        return len(pids["web"]) == 1 and len(pids["worker"]) == self.workers

    def busiest_worker(self) -> int:
        """The process id of the worker that uses the processor most now: it has images in hand."""
        before = {pid: _processor_ticks(pid) for pid in self.pids()["worker"]}
        time.sleep(BUSY_SECONDS)
        return max(before, key=lambda pid: _processor_ticks(pid) - before[pid])

    def kill(self, kind: str, pid: int) -> Kill:
        """Kill a process with SIGKILL."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        self.kills.append(Kill(kind, pid, time.monotonic()))
        return self.kills[-1]

    def has_returned(self, kill: Kill) -> bool:
        """Whether every process runs again; notes how long that took."""
        if kill.seconds is None and self.is_complete() and kill.pid not in self.pids()[kill.kind]:
            kill.seconds = time.monotonic() - kill.at
        return kill.seconds is not None


def configure(folder: Path, database: Database) -> Access:
    """Set the site up in `folder` as `prepare` does, with a merchant, its owner and a key."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database.url,
        "MEDIA_ROOT": str(folder / "media"),
        "UPLOAD_TEMP_DIR": str(folder / "uploads"),
        "SECRET_KEY": "only-for-benchmarks-" * 4,
        "API_RATE": "100000/min",
        "LOG_LEVEL": "WARNING",
    }
    (folder / "uploads").mkdir()
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.models import ApiKey, Membership, Merchant, User
    from classifier.registry import model_sets

    call_command("prepare", no_demo=True, verbosity=0)
    model_sets.serve_shipped()
    accept_automatically()
    merchant = Merchant.objects.create(name="옷장 데모 상점", is_demo=True)
    user = User.objects.create_user("outage@example.com", "outage-outage-outage")
    Membership.objects.create(user=user, merchant=merchant, role="owner")
    secret, prefix, key_hash = ApiKey.generate()
    ApiKey.objects.create(merchant=merchant, name="outage", prefix=prefix, key_hash=key_hash)
    return Access(secret, user.email, "outage-outage-outage")


def accept_automatically() -> None:
    """Let sure values be accepted, as calibration would after enough decisions of people."""
    from django.utils import timezone

    from catalog.models import Attribute
    from classifier.models import AcceptanceThreshold, Deployment

    for version in Deployment.objects.get().active.versions.all():
        for attribute in Attribute.objects.all():
            AcceptanceThreshold.objects.create(
                attribute=attribute,
                model_version=version,
                scope=AcceptanceThreshold.scope_of(None, attribute.pk, None, version.pk),
                precision=0.5,
                decisions=200,
                threshold=THRESHOLD,
                calibrated_at=timezone.now(),
            )
