"""How far a command is, on stderr."""

from __future__ import annotations

import time
from typing import Any

WIDTH = 30


class ProgressBar:
    """A bar that redraws itself on a terminal; elsewhere, in a log say, a line every few seconds.

    Made from a command's `stderr`, or None to say nothing.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._terminal = stream is not None and stream.isatty()
        self._started = self._shown = time.monotonic()
        self._first: int | None = None

    def __call__(self, done: int, total: int, rejected: int = 0) -> None:
        """Show that `done` of `total` are done; the speed leaves out what was done before the first call."""
        if self._first is None:
            self._first = done
        now = time.monotonic()
        if self._stream is None or (done < total and now - self._shown < (0.2 if self._terminal else 5)):
            return
        self._shown = now
        speed = (done - self._first) / max(now - self._started, 1e-9)
        filled = WIDTH * done // max(total, 1)
        text = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}, {rejected} rejected, {speed:.0f} a second"
        if speed and done < total:
            text += f", {(total - done) / speed:.0f} s left"
        ending = "\r" if self._terminal and done < total else "\n"
        self._stream.write(f"{text:<100}" if self._terminal else text, style_func=str, ending=ending)
        self._stream.flush()
