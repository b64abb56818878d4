"""Memory that threads share while they decode."""

import threading

import pytest

from vision.engine.memory import Memory

PATIENCE = 10


def _hold(memory, size, holds, release):
    with memory.taken(size):
        holds.set()
        release.wait(PATIENCE)


def _start(memory, size):
    holds, release = threading.Event(), threading.Event()
    thread = threading.Thread(target=_hold, args=(memory, size, holds, release), daemon=True)
    thread.start()
    return holds, release, thread


def test_those_that_fit_work_side_by_side_and_others_wait_for_their_turn():
    memory = Memory(100)
    first, second = _start(memory, 40), _start(memory, 60)
    assert first[0].wait(PATIENCE)
    assert second[0].wait(PATIENCE)
    large = _start(memory, 1000)  # more than there is: it works alone
    first[1].set()
    first[2].join(PATIENCE)
    assert not large[0].is_set()
    second[1].set()
    assert large[0].wait(PATIENCE)
    small = _start(memory, 1)
    large[1].set()
    assert small[0].wait(PATIENCE)
    small[1].set()


def test_what_fails_gives_back_what_it_took():
    memory = Memory(10)
    with pytest.raises(ValueError, match="broken"), memory.taken(10):
        raise ValueError("broken")
    with memory.taken(10):
        pass
