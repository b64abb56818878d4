"""The servers of a stack on this machine: Redis, RabbitMQ, an S3 server and nginx, from Debian's packages.

Each is a process of its own in a folder of its own, at a free port of 127.0.0.1, and leaves nothing behind.
"""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.celery_servers import RABBIT
from benchmarks.kill import ROOT
from benchmarks.outage_site import free_port, program

HOST = "127.0.0.1"
PATIENCE_SECONDS = 120.0  # for a start; the machine may be busy with other things
STOP_SECONDS = 40.0


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass
class Process:
    """A program that listens at a port.

    Attributes:
        log: where it writes to; a later start goes on in the same file.
    """

    name: str
    command: Sequence[str]
    port: int
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _child: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Start it, and wait until it listens; returns itself. Raises RuntimeError where it ends instead."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for who started it, who then ends it
            )
        until = time.monotonic() + PATIENCE_SECONDS
        while self.port and not listens(self.port):
            if self._child.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.name} did not start: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        return self

    @property
    def pid(self) -> int:
        """Its process. It must run."""
        assert self._child is not None
        return self._child.pid

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, with its children; returns when it has ended."""
        if self._child is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        self._child = None


def redis(folder: Path, name: str = "redis") -> Process:
    """A Redis that keeps nothing on the disk."""
    port = free_port(HOST)
    options = ["--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    return Process(name, [program("redis-server", "stack"), *options], port, folder / f"{name}.log")


class RabbitMQ(Process):
    """A RabbitMQ node with a port mapper of its own, which is ended with it."""

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End both."""
        super().stop(number)
        subprocess.run(["epmd", "-kill"], env=os.environ | self.environment, capture_output=True, check=False)


def rabbitmq(folder: Path) -> RabbitMQ:
    """A broker whose queues are in the folder; user and password are guest."""
    home = folder / "rabbitmq"
    home.mkdir(exist_ok=True)
    port, mapper, between = free_port(HOST), free_port(HOST), free_port(HOST)
    variables = {
        "HOME": str(home),  # for the cookie of its nodes
        "RABBITMQ_NODENAME": f"stack{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(between),
        "RABBITMQ_MNESIA_BASE": str(home),
        "RABBITMQ_LOG_BASE": str(home),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(home / "none"),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",  # one core is enough
    }
    if not RABBIT.exists():
        raise RuntimeError("rabbitmq-server is not installed (scripts/system_packages stack)")
    return RabbitMQ("rabbitmq", [str(RABBIT)], port, folder / "rabbitmq.log", variables)


BUCKET = "images"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "stack", "AWS_SECRET_ACCESS_KEY": "stack-stack"}


def s3(folder: Path, trouble: Path) -> Process:
    """A server of S3; what is written into the file `trouble` is what it does (`stack_s3`). Make a bucket first."""
    port = free_port(HOST)
    command = [sys.executable, str(ROOT / "benchmarks" / "stack_s3.py"), str(port), str(trouble)]
    return Process("s3", command, port, folder / "s3.log")


def make_bucket(port: int) -> None:
    """Make BUCKET in the server at that port."""
    import boto3

    keys = {name.lower(): value for name, value in CREDENTIALS.items()}
    client = boto3.client("s3", endpoint_url=f"http://{HOST}:{port}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket=BUCKET)


_NGINX = """
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
    include /etc/nginx/mime.types;
    access_log {folder}/access.log;
    client_body_temp_path {folder}/nginx-bodies;
    proxy_temp_path {folder}/nginx-answers;
    fastcgi_temp_path {folder}/nginx-unused;
    uwsgi_temp_path {folder}/nginx-unused;
    scgi_temp_path {folder}/nginx-unused;
    include {folder}/site.conf;
}}
"""


def nginx(folder: Path, ports: Sequence[int]) -> Process:
    """The proxy as deploy/nginx.conf has it, before the web processes at these ports.

    Raises RuntimeError where that file does not say what is replaced here: its port, and where its upstreams are.
    """
    port = free_port(HOST)
    site = (ROOT / "deploy" / "nginx.conf").read_text()
    upstream = (ROOT / "deploy" / "upstream.conf").read_text()
    wanted = {"include /etc/nginx/otjang/upstream.conf;": f"include {folder}/upstream.conf;"}
    wanted |= {"listen 80;": f"listen {HOST}:{port};"}
    for before, after in wanted.items():
        if before not in site:
            raise RuntimeError(f"deploy/nginx.conf lacks {before!r}")
        site = site.replace(before, after, 1)
    for number, own in enumerate(ports, start=8001):
        if f"{HOST}:{number} " not in upstream:
            raise RuntimeError(f"deploy/upstream.conf lacks {HOST}:{number}")
        upstream = upstream.replace(f"{HOST}:{number} ", f"{HOST}:{own} ")
    (folder / "site.conf").write_text(site)
    (folder / "upstream.conf").write_text(upstream)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=getpass.getuser()))
    command = [program("nginx", "stack"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")]
    return Process("nginx", command, port, folder / "nginx.log")
