"""`make run` stays up: a process that ends is started again, alone; what cannot start at all ends everything."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
# The web process of these tests lives as long as its pipe; the other one is what a test makes of it.
SUPERVISE = """
import sys
from pathlib import Path
from config.supervisor import Limits, Supervisor, read_procfile
limits = Limits(stop={stop}, settled={settled}, failures=3, first_pause=0.01, longest_pause=0.05)
procfile = Path(sys.argv[1])
environment = {{"PATH": sys.argv[2]}}
sys.exit(Supervisor(read_procfile(procfile.read_text()), procfile.parent, environment, limits).run())
"""
IDLE = "import signal, time\nprint('up', flush=True)\nwhile True: signal.pause()\n"


@pytest.fixture
def supervise(tmp_path):
    """Run scripts under a supervisor, by name; yields the supervisor's process."""
    started = []

    def run(stop=5.0, settled=0.0, **scripts):
        lines = []
        for name, script in scripts.items():
            (tmp_path / f"{name}.py").write_text(script)
            lines.append(f"{name}: {sys.executable} {name}.py")
        (tmp_path / "Procfile").write_text("\n".join(lines))
        code = SUPERVISE.format(stop=stop, settled=settled)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "Procfile"), "/usr/bin:/bin"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _until(process, sign, times=1):
    """Read what the supervisor writes until a line holds the sign for so many times."""
    seen = []
    for line in process.stdout:
        seen.append(line)
        times -= sign in line
        if not times:
            return seen
    raise AssertionError("".join(seen))


@pytest.mark.parametrize("end", ["sys.exit(0)", "sys.exit(7)", "os.kill(os.getpid(), 9)"])
def test_what_ends_starts_again_and_takes_no_other_with_it(supervise, end):
    settled = "import os, sys, time\ntime.sleep(0.3)\nprint('round', flush=True)\n" + end
    process = supervise(web=IDLE, worker=settled)

    lines = _until(process, "| round", times=5)

    assert sum("web" in line for line in lines) == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM


def test_what_cannot_start_at_all_ends_everything_and_says_why(supervise):
    process = supervise(settled=60, web=IDLE, worker="import sys\nsys.exit('Otjang cannot start: PORT')")

    output, _errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert output.count("Otjang cannot start: PORT") == 3
    assert "worker | ended 3 times at its start, the last time with 1." in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_lets_each_process_end_what_it_is_doing(supervise, number):
    drains = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(print('drained')))\n" + IDLE
    process = supervise(web=drains, worker=drains)
    _until(process, "| up", times=2)

    process.send_signal(number)

    output, _errors = process.communicate(timeout=30)
    assert output.count("| drained") == 2
    assert process.returncode == 128 + number


def test_it_kills_what_does_not_end(supervise):
    process = supervise(stop=0.1, web="import signal\nsignal.signal(15, signal.SIG_IGN)\n" + IDLE)
    _until(process, "| up")

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 128 + signal.SIGTERM
