"""Orders of the chaos proof to the processes of its site, as files in a folder: both sides of it.

A process asks whether there is an order for it where it matters: at a point by name, when it uses the storage, when
it looks at the clock. So a kill comes exactly there, whatever the machine is busy with.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = "CHAOS_ORDERS"  # the environment variable that names the folder
READ_SECONDS = 0.2  # how old what a process knows of storage and clock may be
_KILL, _KILLED, _STORAGE = "kill-", "killed-", "storage"


@dataclass(frozen=True)
class Weather:
    """What the storage is like: how long every access takes, in seconds, and which share of them fails."""

    slow: float = 0.0
    failing: float = 0.0


@dataclass(frozen=True)
class Killed:
    """A process that killed itself, as it was told to."""

    point: str
    pid: int
    at: float  # of the monotonic clock, which processes of one machine share


class Orders:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def kill_at(self, point: str) -> None:
        """Let the next process that comes to this point kill itself there."""
        (self.folder / f"{_KILL}{point}").touch()

    def is_open(self, point: str) -> bool:
        """Whether no process has come to the point since `kill_at`."""
        return (self.folder / f"{_KILL}{point}").exists()

    def cancel(self, point: str) -> None:
        """Take `kill_at` back."""
        (self.folder / f"{_KILL}{point}").unlink(missing_ok=True)

    def killed(self) -> list[Killed]:
        """Return all that have killed themselves, in the order of their ends."""
        found = []
        for path in self.folder.glob(f"{_KILLED}*"):
            pid, _sign, point = path.name.removeprefix(_KILLED).partition("-")
            found.append(Killed(point, int(pid), float(path.read_text() or time.monotonic())))
        return sorted(found, key=lambda one: one.at)

    def set_weather(self, weather: Weather) -> None:
        """Say what the storage is like from now on."""
        self._write(_STORAGE, json.dumps(asdict(weather)))

    def move_clock(self, process: str, seconds: float) -> None:
        """Let the clock of the process of that name be wrong by so much."""
        self._write(f"clock-{process}", str(seconds))

    def _write(self, name: str, text: str) -> None:
        new = self.folder / f"new-{name}"
        new.write_text(text)
        new.replace(self.folder / name)  # or a reader could see half of it

    def arrive(self, point: str) -> None:
        """Say, in a process, that it is at this point: here it ends if it was told to."""
        with suppress(FileNotFoundError):  # there is no such order, or another process was quicker
            os.unlink(self.folder / f"{_KILL}{point}")
            self.die(point)

    def die(self, point: str) -> None:
        """Note the point, and end by SIGKILL."""
        (self.folder / f"{_KILLED}{os.getpid()}-{point}").write_text(str(time.monotonic()))
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)  # another thread must not go on beyond this point meanwhile

    def weather(self) -> Weather:
        """Return what the storage is like."""
        with suppress(FileNotFoundError):
            return Weather(**json.loads((self.folder / _STORAGE).read_text()))
        return Weather()

    def clock(self, process: str) -> float:
        """Return by how many seconds the clock of the process of that name is wrong."""
        with suppress(FileNotFoundError):
            return float((self.folder / f"clock-{process}").read_text())
        return 0.0


def orders() -> Orders:
    """The orders to this process."""
    return Orders(Path(os.environ[FOLDER]))
