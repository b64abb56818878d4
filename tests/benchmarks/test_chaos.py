"""The chaos proof's own parts: orders kill exactly one process at their point, and the plan is as large as it says."""

import signal
import subprocess
import sys

import pytest

from benchmarks.chaos import FULL, QUICK
from benchmarks.chaos_orders import Orders, Weather
from benchmarks.chaos_process import REST_POINTS, WEB_POINTS, WORKER_POINTS
from benchmarks.sides import ROOT

ARRIVE = """
import sys
from pathlib import Path
from benchmarks.chaos_orders import Orders
Orders(Path(sys.argv[1])).arrive("there")
"""


@pytest.fixture
def orders(tmp_path):
    return Orders(tmp_path)


def arrive(orders):
    """Let a process come to the point; returns its status."""
    return subprocess.run([sys.executable, "-c", ARRIVE, str(orders.folder)], cwd=ROOT, check=False).returncode


def test_an_order_kills_the_first_process_that_comes(orders):
    assert arrive(orders) == 0
    orders.kill_at("there")
    assert orders.is_open("there")
    assert arrive(orders) == -signal.SIGKILL
    assert not orders.is_open("there")
    assert arrive(orders) == 0
    (killed,) = orders.killed()
    assert killed.point == "there"


def test_an_order_can_be_taken_back(orders):
    orders.kill_at("there")
    orders.cancel("there")
    assert arrive(orders) == 0


def test_what_is_wrong_is_told_by_name(orders):
    assert (orders.clock("web"), orders.weather()) == (0.0, Weather())
    orders.move_clock("web", 3600)
    orders.set_weather(Weather(slow=1, failing=0.5))
    assert (orders.clock("web"), orders.clock("worker1")) == (3600.0, 0.0)
    assert orders.weather() == Weather(slow=1, failing=0.5)


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_every_point_is_in_every_plan(plan):
    assert {*WORKER_POINTS, *REST_POINTS, *WEB_POINTS} <= {step for step, _seconds in plan.steps}


def test_the_whole_proof_is_as_large_as_it_says():
    steps = [step for step, _seconds in FULL.steps]
    calm = sum(step == "reclassify" for step in steps)
    assert len(steps) - calm >= 60
    assert FULL.images >= 2000
