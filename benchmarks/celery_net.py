"""Machines for the Celery proof: network namespaces at one bridge, each with an address, whose cable can be pulled."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

NETWORK = "10.77.0"  # .1 is this machine's own end of the bridge
END_SECONDS = 20.0


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}; network namespaces need root and iproute2")


@dataclass
class Machine:
    """A network namespace with its programs, at the bridge under an address."""

    name: str
    number: int  # of its address
    bridge: str
    is_apart: bool = False
    _programs: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    @property
    def address(self) -> str:
        """Its address."""
        return f"{NETWORK}.{self.number}"

    @property
    def _cable(self) -> str:
        return f"{self.bridge}h{self.number}"

    def connect(self) -> None:
        """Make it, and put it at the bridge."""
        inside = f"{self.bridge}n{self.number}"
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", inside)
        _ip("link", "set", inside, "netns", self.name)
        _ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", inside)
        for device in ("lo", inside):
            _ip("-n", self.name, "link", "set", device, "up")
        _ip("link", "set", self._cable, "master", self.bridge, "up")

    def part(self) -> None:
        """Pull the cable: nothing comes or goes any more, and nobody is told."""
        _ip("link", "set", self._cable, "nomaster")
        self.is_apart = True

    def rejoin(self) -> None:
        """Plug the cable in again."""
        _ip("link", "set", self._cable, "master", self.bridge)
        self.is_apart = False

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: IO[bytes], cwd: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program on it; its process id is the program's own."""
        program = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            env=environment,
            stdout=log,
            stderr=log,
            cwd=cwd,
            start_new_session=True,
        )
        self._programs.append(program)
        return program

    def pids(self) -> list[int]:
        """Every process on it."""
        done = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(pid) for pid in done.stdout.split()]

    def kill_all(self, number: int = signal.SIGKILL) -> None:
        """End everything on it at once, as a power cut does; or as another signal does. Returns when all has ended."""
        until = time.monotonic() + END_SECONDS
        while pids := self.pids():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL if time.monotonic() > until else number)
            time.sleep(0.1)
        for program in self._programs:
            program.wait()
        self._programs.clear()

    def remove(self) -> None:
        """End what runs on it, and take it away."""
        self.kill_all()
        with suppress(RuntimeError):
            _ip("netns", "del", self.name)


@contextmanager
def network(*names: str) -> Iterator[list[Machine]]:
    """Machines of these names at a bridge, for the block. Raises RuntimeError where this user may not make them."""
    bridge = f"otj{os.getpid() % 10_000}"
    with ExitStack() as stack:
        _ip("link", "add", "name", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        machines = []
        for number, name in enumerate(names, start=11):
            machine = Machine(f"{bridge}-{name}", number, bridge)
            stack.callback(machine.remove)
            machine.connect()
            machines.append(machine)
        yield machines
