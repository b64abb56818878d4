"""Files that hypothesis changes: cut, flipped, with other numbers in them, with parts doubled or of another file."""

import struct

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from core.errors import Refused
from vision.engine.errors import DecodeError

NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def fuzzed(examples):
    """Settings for so many examples, others on each run; a failure prints how it is run again."""
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, database=None, print_blob=True, suppress_health_check=checks)


def code_of(call):
    """Do it, and return the code of its refusal; None if it was not refused. Everything else is raised."""
    try:
        call()
    except (Refused, DecodeError) as refused:
        return refused.code if str(refused.message) else "no sentence"
    return None


@st.composite
def changed(draw, files, most=6):
    """One of the files with a few changes."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, most))):
        change = draw(st.sampled_from(("cut", "flip", "number", "insert", "remove", "double", "splice")))
        # mostly near the beginning, where headers are
        at = draw(st.one_of(st.integers(0, min(200, len(data))), st.integers(0, len(data))))
        if change == "cut":
            del data[at:]
        elif change == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif change == "number":
            form = draw(st.sampled_from("BHI"))
            value = draw(st.sampled_from(NUMBERS)) % 256 ** struct.calcsize(form)
            new = struct.pack(draw(st.sampled_from("<>")) + form, value)
            data[at : at + len(new)] = new
        elif change == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=64))
        elif change == "remove":
            del data[at : at + draw(st.integers(1, 64))]
        elif change == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 2_000))]
        elif change == "splice":
            data[at:] = draw(st.sampled_from(files))[at:]
    return bytes(data)
