"""Servers of the Celery proof: Redis and RabbitMQ from Debian on a machine of their own, and S3 from moto."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.celery_net import NETWORK, Machine
from benchmarks.outage_site import PATIENCE_SECONDS, free_port

BUCKET = "otjang"
RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # the one in /usr/sbin keeps its files in /var
LOOK_SECONDS = 0.1


def wait_for_port(address: str, port: int, what: str) -> None:
    """Wait until something listens there. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            time.sleep(LOOK_SECONDS)
        else:
            return
    raise TimeoutError(f"{what} does not listen at {address}:{port}")


class BrokerServer(ABC):
    """A broker on a machine of its own. What it holds is lost with it."""

    name = ""
    port = 0

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.folder = folder / self.name
        self.folder.mkdir()

    @property
    @abstractmethod
    def url(self) -> str:
        """What CELERY_BROKER_URL says."""

    @abstractmethod
    def command(self) -> tuple[list[str], dict[str, str]]:
        """The program, and its environment."""

    def start(self) -> None:
        """Start it, and wait until it answers. Raises TimeoutError."""
        words, environment = self.command()
        with (self.folder / "log").open("ab") as log:
            self.machine.start(words, os.environ | environment, log, self.folder)
        wait_for_port(self.machine.address, self.port, self.name)

    def crash(self) -> None:
        """End it as a power cut does."""
        self.machine.kill_all()


class Redis(BrokerServer):
    """Redis, without a copy on disk."""

    name, port = "redis", 6379

    @property
    def url(self) -> str:
        """What CELERY_BROKER_URL says."""
        return f"redis://{self.machine.address}:{self.port}/0"

    def command(self) -> tuple[list[str], dict[str, str]]:
        """The program, and its environment."""
        options = ["--port", str(self.port), "--bind", "0.0.0.0", "--protected-mode", "no", "--save", ""]
        return ["redis-server", *options, "--dir", str(self.folder)], {}


class RabbitMQ(BrokerServer):
    """RabbitMQ, with its queues on disk and our messages in memory."""

    name, port = "rabbitmq", 5672

    @property
    def url(self) -> str:
        """What CELERY_BROKER_URL says."""
        return f"amqp://guest:guest@{self.machine.address}:{self.port}//"

    def command(self) -> tuple[list[str], dict[str, str]]:
        """The program, and its environment."""
        if not RABBIT.exists():
            raise RuntimeError("RabbitMQ is not installed (scripts/system_packages stack)")
        (self.folder / "rabbitmq.conf").write_text("loopback_users = none\ndisk_free_limit.absolute = 50MB\n")
        (self.folder / "plugins").write_text("[].\n")
        return [str(RABBIT)], {
            "HOME": str(self.folder),  # the cookie
            "RABBITMQ_NODENAME": "otjang@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1",  # one core is enough
        }


BROKERS: dict[str, type[BrokerServer]] = {server.name: server for server in (RabbitMQ, Redis)}


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """An S3 server with an empty bucket, at the bridge; yields the variables with which the site uses it."""
    address = f"{NETWORK}.1"
    port = free_port(address)
    keys = {"AWS_ACCESS_KEY_ID": "proof", "AWS_SECRET_ACCESS_KEY": "proof"}
    with (folder / "s3.log").open("wb") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", address, "-p", str(port)],
            env=os.environ | keys,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for_port(address, port, "S3")
        os.environ |= keys
        import boto3

        endpoint = f"http://{address}:{port}"
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket=BUCKET)
        yield keys | {"MEDIA_STORAGE": f"s3://{BUCKET}?region_name=us-east-1&endpoint_url={endpoint}"}
    finally:
        program.kill()
        program.wait()
