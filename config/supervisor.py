"""Runs the processes of the Procfile side by side: each is started again when it ends, and takes no other with it.

Why not a library: honcho ends everything as soon as one process has ended, and others want a daemon of their own.

- **Again.** Whatever its exit status, a process that ended is started again, after a pause that doubles from one second
  to half a minute and is short again once the process has run for a while.
- **A wrong setting is told, not tried for ever.** A process that has never run for `SETTLED_SECONDS` and has ended
  `FAILURES_AT_START` times in a row ends everything: its own last lines say why. One that has run before may fail as
  often as it likes: what it lacks is something that comes back.
- **The end.** On SIGTERM or Ctrl-C every process gets SIGTERM, and what is left after `STOP_SECONDS`, or at the second
  signal, SIGKILL. Each is a process group of its own, so its children go with it.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

STOP_SECONDS = 10.0
SETTLED_SECONDS = 10.0
FAILURES_AT_START = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
_LOOK_SECONDS = 0.2
_PIPE_BYTES = 65_536
_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")


@dataclass(frozen=True)
class Limits:
    """The times of the module's description, in seconds, and the number of failures."""

    stop: float = STOP_SECONDS
    settled: float = SETTLED_SECONDS
    failures: int = FAILURES_AT_START
    first_pause: float = FIRST_PAUSE
    longest_pause: float = LONGEST_PAUSE


@dataclass
class Process:
    """One line of the Procfile: its name and command, and what became of it so far."""

    name: str
    command: str
    child: subprocess.Popen[bytes] | None = None
    unwritten: bytes = b""
    started: float = 0.0
    start_at: float = 0.0
    settled: bool = False
    failures: int = 0
    pause: float = 0.0


def read_procfile(text: str) -> list[Process]:
    """The processes of a Procfile, `name: command` a line. A command is one program with its arguments."""
    matches = (_LINE.match(line.strip()) for line in text.splitlines())
    return [Process(match[1], match[2]) for match in matches if match]


@dataclass
class Supervisor:
    """Runs processes until it is told to end, or one of them cannot be started at all."""

    processes: Sequence[Process]
    folder: Path
    environment: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    _told: int | None = None
    _at_once: bool = False
    _output: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> int:
        """Run them; returns the exit status: that of the process that could not be started, or 128 and the signal."""
        before = {number: signal.signal(number, self._tell) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            status = self._watch()
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)
        return status if self._told is None else 128 + self._told

    def _tell(self, number: int, _frame: FrameType | None) -> None:
        self._at_once = self._told is not None
        self._told = number

    def _watch(self) -> int:
        while self._told is None:
            now = time.monotonic()
            for process in self.processes:
                if process.child is None:
                    if now >= process.start_at:
                        self._start(process)
                elif (status := process.child.poll()) is not None and not self._start_again(process, status):
                    return abs(status) or 1
                elif now - process.started > self.limits.settled:
                    process.settled, process.failures, process.pause = True, 0, self.limits.first_pause
            self._copy(_LOOK_SECONDS)
        return 0

    def _start(self, process: Process) -> None:
        process.started = time.monotonic()
        process.child = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {process.command}"],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.child.stdout is not None
        self._output.register(process.child.stdout, selectors.EVENT_READ, process)

    def _start_again(self, process: Process, status: int) -> bool:
        """Say when a process that ended is started again; False if it shall not be."""
        process.child = None
        process.failures += 1
        self._copy(0)  # why
        if not process.settled and process.failures >= self.limits.failures:
            self._say(process.name, f"ended {process.failures} times at its start, the last time with {status}.")
            return False
        pause = process.pause or self.limits.first_pause
        process.pause = min(2 * pause, self.limits.longest_pause)
        process.start_at = time.monotonic() + pause
        self._say(process.name, f"ended with {status}; it starts again in {pause:g} s.")
        return True

    def _copy(self, seconds: float) -> None:
        """Wait for lines of the processes for so long at most, and write them behind their names."""
        if not self._output.get_map():
            time.sleep(seconds)
            return
        for key, _events in self._output.select(seconds):
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
            process: Process = key.data
            read = os.read(pipe.fileno(), _PIPE_BYTES)
            *lines, process.unwritten = (process.unwritten + read).split(b"\n")
            if not read:  # its end
                self._output.unregister(pipe)
                pipe.close()
                lines, process.unwritten = [line for line in [process.unwritten] if line], b""
            for line in lines:
                self._say(process.name, line.decode(errors="replace"))

    def _say(self, name: str, line: str) -> None:
        width = max(len(process.name) for process in self.processes)
        sys.stdout.write(f"{name:<{width}} | {line}\n")
        sys.stdout.flush()

    def _stop(self) -> None:
        """End what runs: SIGTERM, and SIGKILL for what is still there when the time is over."""
        self._signal(signal.SIGTERM)
        until = time.monotonic() + self.limits.stop
        while any(process.child and process.child.poll() is None for process in self.processes):
            if self._at_once or time.monotonic() > until:
                break
            self._copy(_LOOK_SECONDS)
        self._signal(signal.SIGKILL)  # also to children of those that have ended
        for process in self.processes:
            if process.child:
                process.child.wait()
        while self._output.get_map() and self._output.select(0):  # their last words
            self._copy(0)
        self._output.close()

    def _signal(self, number: int) -> None:
        for process in self.processes:
            if process.child:
                try:
                    os.killpg(process.child.pid, number)
                except ProcessLookupError:  # all of its group has ended
                    continue
