"""The chaos proof's site: the outage proof's processes as `chaos_process` runs them, and a small disk of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos_orders import FOLDER, Orders
from benchmarks.outage_clients import Access
from benchmarks.outage_site import Database, Kill, Site, configure

DISK = "1g"
LEASE_SECONDS = 8
FILLED_AT_ONCE = 16 * 1024 * 1024  # bytes


@dataclass
class Disk:
    """A small file system for uploads, where this process may mount one; else a plain folder, which never gets full."""

    folder: Path
    is_own: bool = False

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Have it there for the block."""
        self.folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "otjang-chaos", str(self.folder)]
        self.is_own = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        try:
            yield
        finally:
            if self.is_own:
                subprocess.run(["umount", "--lazy", str(self.folder)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no byte of it free for the block."""
        ballast = self.folder / "ballast"
        try:
            with ballast.open("wb") as file:
                size = FILLED_AT_ONCE
                while size >= 4096:
                    try:
                        os.posix_fallocate(file.fileno(), file.tell(), size)
                        file.seek(size, os.SEEK_CUR)
                    except OSError:
                        size //= 2
            yield
        finally:
            ballast.unlink()


@dataclass
class ChaosSite(Site):
    """A site whose processes follow orders."""

    orders: Orders = field(kw_only=True)

    def procfile(self) -> str:
        """What the supervisor runs."""
        kinds = {"web": "config.server"} | {f"worker{number}": "worker" for number in range(1, self.workers + 1)}
        run = f"{sys.executable} -m benchmarks.chaos_process"
        return "".join(f"{name}: {run} {name} {kind}\n" for name, kind in kinds.items())

    def pid_of(self, name: str) -> int:
        """The process id of a process by its name. Raises LookupError where it does not run now."""
        for pids in self.pids().values():
            for pid in pids:
                with suppress(FileNotFoundError, ProcessLookupError):
                    if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                        return pid
        raise LookupError(name)

    def note_kills(self) -> int:
        """Note the processes that killed themselves since the last time; returns how many."""
        known = {kill.pid for kill in self.kills}
        new = [one for one in self.orders.killed() if one.pid not in known]
        self.kills += [Kill("web" if one.point.startswith("web") else "worker", one.pid, one.at) for one in new]
        return len(new)

    def ask_to_end(self, kind: str, pid: int, seconds: float) -> bool:
        """Send SIGTERM, and wait for the end; says whether it came in time."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + seconds
        while pid in self.pids()[kind]:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        self.drained += 1
        return True


def configure_chaos(folder: Path, disk: Disk, database: Database) -> tuple[Access, Orders]:
    """Set the site up as the outage proof does, with its uploads on that disk, for processes that follow orders."""
    orders = Orders(folder / "orders")
    orders.folder.mkdir()
    os.environ |= {FOLDER: str(orders.folder), "OTJANG_LEASE_SECONDS": str(LEASE_SECONDS)}
    return configure(disk.folder, database), orders
