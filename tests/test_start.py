import os
import runpy
import socket
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "start.py"


@pytest.fixture
def start(monkeypatch):
    """Run the script with PORT set, and return the arguments that honcho would get."""
    started = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: started.append(arguments))

    def start(port):
        monkeypatch.setenv("PORT", str(port))
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return started[0]

    return start


@pytest.fixture
def taken():
    """Return a port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_it_takes_the_next_port_where_one_is_taken(start, taken):
    arguments = start(taken)
    assert arguments[:4] == [sys.executable, "-m", "honcho", "start"]
    assert int(arguments[-1]) > taken


def test_it_names_a_port_that_is_no_number(start):
    with pytest.raises(SystemExit, match=r"^PORT must be a number"):
        start("http")
