"""Start the processes of the Procfile together, the web on PORT (8000 by default) or the next port that is free."""

import os
import signal
import socket
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import environment  # noqa: E402  (found by the line before)
from config.supervisor import Supervisor, read_procfile  # noqa: E402

PORTS_TRIED = 50
STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)  # by Ctrl-C or a service manager: the ways to stop it


def is_free(address: str, port: int) -> bool:
    """Whether nothing listens on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def main() -> None:
    """Run them until Ctrl-C or SIGTERM; see `config.supervisor`."""
    try:
        web = environment.web()
    except ImproperlyConfigured as error:
        sys.exit(f"Otjang cannot start: {error}")
    port = next((port for port in range(web.port, web.port + PORTS_TRIED) if is_free(web.address, port)), None)
    if port is None:
        sys.exit(f"No port from PORT={web.port} on is free.")
    processes = read_procfile((ROOT / "Procfile").read_text())
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    variables = os.environ | {"PORT": str(port), "PATH": programs, "PYTHONUNBUFFERED": "1"}
    status = Supervisor(processes, ROOT, variables).run()
    sys.exit(0 if status in STOPPED else status)


if __name__ == "__main__":
    main()
