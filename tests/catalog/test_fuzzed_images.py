"""Upload validation and decoder, given files and names that hypothesis makes: an image, or a refusal by a code."""

import io
import warnings

from hypothesis import given
from hypothesis import strategies as st

from catalog import copies
from catalog.upload_validation import SENTENCES, check_format, file_name, image_limits
from core.text import has_control_characters
from tests.support import bad_image_bytes as made
from tests.support.changed_bytes import changed, code_of, fuzzed
from vision.engine import formats
from vision.engine.decode import decode
from vision.engine.locations import without_location

FILES = [made.base(name) for name in made.BASES] + [
    made.encoded(made.photo((60, 80)), kind, exif=made.place_exif()) for kind in ("JPEG", "PNG", "WEBP", "TIFF")
]
ENDINGS = {accepted.extension for accepted in formats.ACCEPTED.values()}


def _check(data):
    assert check_format(io.BytesIO(data)) in ENDINGS


def _decode(data):
    decoded = decode(data, detail=200, most_pixels=1_000_000, max_pixels=image_limits())
    assert decoded.image.mode == "RGB"
    assert decoded.image.width * decoded.image.height <= 1_000_000
    assert copies.display_copy(decoded.image).startswith(b"\xff\xd8")


def _look(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert {code_of(lambda: _check(data)), code_of(lambda: _decode(data))} <= {None, *SENTENCES}


@fuzzed(400)
@given(changed(FILES))
def test_a_changed_image_is_decoded_or_refused_by_a_code(data):
    _look(data)


@fuzzed(150)
@given(st.binary(max_size=2_000), st.sampled_from([b"", *(data[:12] for data in FILES)]))
def test_what_only_begins_like_an_image_is_refused(data, head):
    _look(head + data)


@fuzzed(150)
@given(changed(FILES))
def test_no_place_is_left_in_a_changed_image(data):
    kept = without_location(data)
    assert without_location(kept) == kept
    if not data.startswith(made.SIGNATURE):
        assert len(kept) == len(data)


@fuzzed(400)
@given(st.text(max_size=400))
def test_every_name_becomes_one_that_can_be_shown(name):
    found = file_name(name)
    assert 0 < len(found) <= 255
    assert not has_control_characters(found)
    assert not set(found) & set("/\\\0\n\r")
