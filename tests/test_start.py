"""How the web process comes to its address: from `.env` and the environment, for gunicorn and for `make run`."""

import os
import runpy
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from config.supervisor import Supervisor

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "start.py"
GUNICORN = """
import runpy
web = runpy.run_path("config/gunicorn.py")
print(web["bind"], web["workers"], web["threads"])
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
    shutil.copy(ROOT / "Procfile", tmp_path)
    (tmp_path / ".env").write_text("PORT=8765\nBIND_ADDRESS=127.0.0.2\nWEB_CONCURRENCY=2\nWEB_THREADS=3\n")
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


def test_gunicorn_reads_the_file(copied):
    assert copied(GUNICORN).stdout == "127.0.0.2:8765 2 3\n"
    assert copied(GUNICORN, PORT="9000").stdout == "127.0.0.2:9000 2 3\n"


def test_gunicorn_says_which_setting_is_wrong(copied):
    result = copied(GUNICORN, WEB_THREADS="x")
    assert result.returncode == 1
    assert result.stderr == "Otjang cannot start: WEB_THREADS must be a whole number, not 'x'.\n"


def test_make_run_reads_the_file(copied):
    assert int(copied(START).stdout) >= 8765
