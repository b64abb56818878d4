"""Start the processes of the Procfile together, the web on PORT (8000 by default) or the next port that is free."""

import os
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORTS_TRIED = 50


def is_free(port: int) -> bool:
    """Whether nothing listens on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("BIND_ADDRESS", "127.0.0.1"), port))
        except OSError:
            return False
    return True


def main() -> None:
    """Replace this process by honcho."""
    wanted = os.environ.get("PORT", "8000")
    if not wanted.isdigit():
        sys.exit(f"PORT must be a number, not {wanted!r}.")
    port = next((port for port in range(int(wanted), int(wanted) + PORTS_TRIED) if is_free(port)), None)
    if port is None:
        sys.exit(f"No port from PORT={wanted} on is free.")
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "honcho", "start", "-p", str(port)])


if __name__ == "__main__":
    main()
