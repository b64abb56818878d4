"""Bad images, straight into the decoder: each is decoded, or refused by a code, and none takes long."""

import warnings

import numpy as np
import pytest
from PIL import Image

from tests.support import bad_image_bytes as made
from tests.support.bad_images import TAKEN, corpus
from vision.engine.decode import decode
from vision.engine.errors import DecodeError

CODES = {
    *("empty", "not_an_image", "unsupported_format", "damaged"),
    *("too_many_pixels", "too_many_pixels_for_format", "too_long"),
}
CORPUS = [bad for bad in corpus() if bad.group != "names"]


def _looked_at(data):
    try:
        decoded = decode(data, detail=1200, most_pixels=16_000_000)
    except DecodeError as error:
        return error.code
    assert decoded.image.mode == "RGB"
    assert not decoded.image.info
    return TAKEN


def test_there_are_more_than_four_hundred():
    everything = list(corpus())
    assert len(everything) > 400
    assert len({bad.name for bad in everything}) == len(everything)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("group", sorted({bad.group for bad in CORPUS if not bad.large}))
def test_each_is_decoded_or_refused_by_a_code(group):
    found = {bad.name: (_looked_at(bad.make()), bad.expected) for bad in CORPUS if bad.group == group}
    assert {name: said for name, (said, _expected) in found.items() if said not in CODES | {TAKEN}} == {}
    assert {name: both for name, both in found.items() if both[1] and both[0] != both[1]} == {}


@pytest.mark.parametrize("scans", [1, 30])
def test_a_jpeg_of_a_few_scans_is_taken(scans):
    data = made.flat("JPEG", (300, 400), progressive=True)
    start = data.rindex(b"\xff\xda")
    assert _looked_at(data[:-2] + data[start:-2] * scans + b"\xff\xd9") == TAKEN


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded():
    data = made.flat("JPEG", (8000, 8000), progressive=True)  # of which each scan takes 70 ms
    start = data.rindex(b"\xff\xda")
    assert _looked_at(data[:-2] + data[start:-2] * 10_000 + b"\xff\xd9") == "damaged"


def test_scans_in_what_follows_the_photo_do_not_count():
    assert _looked_at(made.base("progressive") + b"\xff\xda\0\x08" * 5_000) == TAKEN


@pytest.mark.parametrize("level", [np.nan, np.inf, -np.inf, 3e38])
def test_levels_that_are_no_numbers_are_passed_over(level):
    levels = np.full((60, 40), level, np.float32)
    levels[3] = 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _looked_at(made.encoded(Image.fromarray(levels), "TIFF")) == TAKEN
