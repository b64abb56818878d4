"""Formats: found by content, read by one reader, refused by name; what is broken but shown by browsers is taken."""

import builtins
import io
import pickle
import sys
import time

import pytest
from PIL import Image, ImageChops

from tests.support import odd_images
from tests.support.drawn_images import photo
from vision.engine import DecodeError, decode
from vision.engine.decode import Limits, inspect
from vision.engine.formats import ACCEPTED, sniff

SECONDS = 0.2  # that refusing may take; measured as CPU time, because the machine may be busy


@pytest.mark.parametrize("name", odd_images.TAKEN)
def test_it_takes_what_browsers_show(name):
    decoded = decode(odd_images.TAKEN[name]())
    assert (decoded.width, decoded.height) == (400, 300)
    assert decoded.image.getpixel((200, 200)) == pytest.approx((178, 34, 34), abs=12)  # firebrick
    assert decoded.image.getpixel((200, 299)) == pytest.approx((220, 220, 220), abs=12)  # the last row is there


@pytest.mark.parametrize("name", odd_images.REFUSED)
def test_it_refuses_other_formats_by_name(name):
    make, kind = odd_images.REFUSED[name]
    data, started = make(), time.process_time()
    with pytest.raises(DecodeError) as refused:
        decode(data)
    assert time.process_time() - started < SECONDS
    assert (refused.value.code, refused.value.details["format"]) == ("unsupported_format", kind)
    assert kind in refused.value.message
    assert "JPEG" in refused.value.message


@pytest.mark.parametrize("name", odd_images.BOMBS)
def test_it_refuses_bombs_at_once(name):
    make, code = odd_images.BOMBS[name]
    data, started = make(), time.process_time()
    with pytest.raises(DecodeError) as refused:
        decode(data)
    assert time.process_time() - started < SECONDS
    assert refused.value.code == code


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_was_cut_off_is_damaged(share, progressive):
    noisy = Image.effect_noise((400, 300), 60).convert("RGB")
    buffer = io.BytesIO()
    noisy.save(buffer, "JPEG", progressive=progressive)
    data = buffer.getvalue()
    with pytest.raises(DecodeError) as refused:
        decode(data[: int(share * len(data))])
    assert refused.value.code == "damaged"


def test_the_type_is_what_the_bytes_say():
    assert {kind: sniff(photo(kind=kind)) for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "AVIF")} == {
        kind: kind for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "AVIF")
    }
    assert sniff(photo(kind="WEBP")) == "WebP"
    assert sniff(odd_images.heic()) == "HEIC"
    assert sniff(b"BM and other words that begin like a bitmap") is None


def test_only_the_reader_of_the_type_is_tried(monkeypatch):
    tried = []
    open_image = Image.open

    def note(file, **options):
        tried.append(options["formats"])
        return open_image(file, **options)

    monkeypatch.setattr(Image, "open", note)
    inspect(photo(kind="PNG"))
    assert tried == [ACCEPTED["PNG"].readers]


def test_without_the_reader_of_heic_it_names_the_format_and_the_way_out(monkeypatch):
    data = odd_images.heic()
    import_module = builtins.__import__

    def refuse(name, *arguments, **options):
        if name == "pillow_heif":
            raise ImportError(name)
        return import_module(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "pillow_heif")
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DecodeError, match=r"HEIC cannot be read on this machine.*JPEG") as refused:
        decode(data)
    assert refused.value.code == "unsupported_format"


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
def test_each_format_has_the_pixels_that_memory_has_room_for(kind):
    data = photo(kind=kind)
    name = sniff(data)
    inspect(data, Limits(by_format={name: 400 * 300}))
    with pytest.raises(DecodeError) as refused:
        inspect(data, Limits(by_format={name: 400 * 300 - 1}))
    assert (refused.value.code, refused.value.details["format"]) == ("too_many_pixels_for_format", name)


def test_a_progressive_jpeg_counts_what_its_reader_holds(monkeypatch):
    monkeypatch.setattr(sys.modules["vision.engine.decode"], "_COEFFICIENT_BYTES", 400 * 300)
    inspect(photo())
    with pytest.raises(DecodeError) as refused:
        inspect(photo(progressive=True))
    assert refused.value.code == "too_many_pixels"


def test_a_tall_page_comes_as_large_as_there_is_room():
    decoded = decode(photo(size=(860, 15_000)), detail=1200)
    assert decoded.image.size == (860, 15_000)
    decoded = decode(photo(size=(860, 15_000)), detail=1200, most_pixels=3_000_000)
    assert (decoded.width, decoded.height) == (860, 15_000)
    assert 2_900_000 < decoded.image.width * decoded.image.height <= 3_000_000
    assert decoded.image.width / decoded.image.height == pytest.approx(860 / 15_000, rel=0.01)
    assert decoded.image.getpixel((decoded.image.width // 2, decoded.image.height // 2)) == pytest.approx(
        (178, 34, 34), abs=12
    )


@pytest.mark.parametrize("size", [(400, 8_000), (8_000, 400)])
def test_a_page_that_is_made_smaller_in_parts_shows_no_seams(size):
    noise = Image.effect_noise(size, 120).convert("RGB")
    file = io.BytesIO()
    noise.save(file, "PNG", compress_level=1)
    decoded = decode(file.getvalue(), most_pixels=500_000).image
    difference = ImageChops.difference(decoded, noise.resize(decoded.size))
    assert max(high for _low, high in difference.getextrema()) <= 3


def test_what_is_said_of_an_image_is_not_passed_on():
    assert decode(photo(comment=b"taken at home")).image.info == {}


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(DecodeError("too_long", "Too long.", width=1, height=2)))
    assert (error.code, error.message, error.details) == ("too_long", "Too long.", {"width": 1, "height": 2})
