"""What the load test makes of answers: who was served, who was turned away in order, and what must not be."""

import pytest

from benchmarks.load_figures import Measured, Stage, Wanted, knee


def _measured(users, *ms, refused=0):
    measured = Measured(users, seconds=10)
    for one in ms:
        measured.note("page", 200, one, None)
    for _number in range(refused):
        measured.note("page", 503, 3, "2")
    return measured


@pytest.mark.parametrize(
    ("status", "retry_after", "counted"),
    [
        (200, None, (1, 0, 0)),
        (302, None, (1, 0, 0)),
        (429, "30", (0, 1, 0)),
        (503, "2", (0, 1, 0)),
        (503, None, (0, 0, 1)),
        (500, "2", (0, 0, 1)),
        (404, None, (0, 0, 1)),
        (0, None, (0, 0, 1)),
    ],
)
def test_each_answer_counts_once(status, retry_after, counted):
    measured = Measured(1)
    measured.note("page", status, 12.0, retry_after)
    assert (len(measured.times()), len(measured.refused), measured.faults.total()) == counted


def test_who_was_turned_away_is_no_answer():
    measured = _measured(5, *range(1, 101), refused=100)
    assert (measured.rate, measured.refused_share, measured.percentile(0.95)) == (10, 0.5, 96)


def test_the_knee_is_the_last_step_that_is_quick_and_turns_nobody_away():
    quick, slow, shedding = _measured(10, 100), _measured(40, 1500), _measured(80, 100, refused=9)
    assert knee([_measured(5, 90), quick, slow, shedding]) is quick
    assert knee([slow, shedding]) is None


def test_both_processes_read_what_the_other_wrote():
    stages = [Stage(5, 1, 2), Stage(10, 1, 0)]
    wanted = Wanted("http://127.0.0.1:1", ["Browsing"], stages, ["a"], ["b"], ["c"], "d", "e", "/photos")
    assert Wanted.from_json(wanted.to_json()) == wanted
    measured = _measured(5, 1, 2, refused=1)
    measured.note("image", 404, 1, None)
    assert Measured.from_json(measured.to_json()) == measured
