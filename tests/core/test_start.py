"""How the web process comes to its address: from `.env` and the environment, for the server and for `make run`."""

import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from config.supervisor import Supervisor

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "start.py"
SERVER = """
from config import environment
print(*environment.web())
"""
START = """
import runpy
from config import supervisor
supervisor.Supervisor.run = lambda self: print(self.environment["PORT"])
runpy.run_path("scripts/start.py", run_name="__main__")
"""


@pytest.fixture
def start(monkeypatch):
    """Run the script with PORT set, and return the supervisor that it would have run."""
    started = []
    monkeypatch.setattr(Supervisor, "run", lambda self: started.append(self))

    def start(port):
        monkeypatch.setenv("PORT", str(port))
        with suppress(SystemExit):  # with what `run` returns
            runpy.run_path(str(SCRIPT), run_name="__main__")
        return started[0]

    return start


@pytest.fixture
def taken():
    """Return a port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def copied(tmp_path):
    """Run Python in a copy of the project with a `.env`, and with these variables."""
    for folder in ("config", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / ".env").write_text("PORT=8765\nBIND_ADDRESS=127.0.0.2\nWEB_STOP_SECONDS=2\nWEB_THREADS=3\n")
    shutil.copy(ROOT / "Procfile", tmp_path)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}

    def run(code, **variables):
        return subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=kept | variables, capture_output=True, text=True
        )

    return run


def test_it_takes_the_next_port_where_one_is_taken(start, taken):
    supervisor = start(taken)
    assert [process.name for process in supervisor.processes] == ["web", "worker"]
    assert int(supervisor.environment["PORT"]) > taken


def test_it_names_a_port_that_is_no_number(monkeypatch):
    monkeypatch.setenv("PORT", "http")
    with pytest.raises(SystemExit, match=r"^Otjang cannot start: PORT must be a whole number"):
        runpy.run_path(str(SCRIPT), run_name="__main__")


def test_the_server_reads_the_file(copied):
    assert copied(SERVER).stdout == "127.0.0.2 8765 3 2 48 2\n"
    assert copied(SERVER, PORT="9000").stdout == "127.0.0.2 9000 3 2 48 2\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("WEB_THREADS", "x", "WEB_THREADS must be a whole number, not 'x'."),
        ("WEB_CONCURRENCY", "2", "WEB_CONCURRENCY must be 1 or not set: a web process is one process."),
        ("BIND_ADDRESS", "no.such.host.invalid", "Invalid host/port specified."),
    ],
)
def test_the_server_says_which_setting_is_wrong(name, value, said):
    result = subprocess.run(
        [sys.executable, "-m", "config.server"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"Otjang cannot start: {said}")


def test_it_says_where_it_is_and_stops_when_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-m", "config.server"],
        cwd=ROOT,
        env=os.environ | {"PORT": str(port), "BIND_ADDRESS": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout.readline().startswith(f"Otjang is at http://localhost:{port}/ ")
            with socket.create_connection(("127.0.0.1", port)):  # an idle one holds nothing up
                server.send_signal(signal.SIGTERM)
                assert server.wait(10) == 0
        finally:
            server.kill()
        assert server.stderr.read() == ""


def test_make_run_reads_the_file(copied):
    assert int(copied(START).stdout) >= 8765
