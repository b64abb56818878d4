"""Where a photo was made does not stay in its file; everything else does."""

import io
import struct
import time
import zlib

import pytest
from PIL import Image

from tests.support import bad_image_bytes as made
from vision.engine.decode import decode
from vision.engine.locations import without_location

GPS, MAKER = 0x8825, 0x010F
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>'
    b'<rdf:Description exif:GPSLatitude="37,33.99N" exif:GPSLongitude="126,58.68E"/></rdf:RDF></x:xmpmeta>'
    b'<?xpacket end="w"?>'
)


def _exif(data):
    exif = Image.open(io.BytesIO(data)).getexif()
    return exif.get(MAKER), {tag for tag, value in exif.get_ifd(GPS).items() if value}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF", "MPO"])
def test_exif_keeps_all_but_the_place(kind):
    data = made.encoded(made.photo(), kind, exif=made.place_exif())
    assert _exif(data)[1]
    kept = without_location(data)
    assert _exif(kept) == ("Camera of a person", set())
    assert b"2026:11:27" not in kept
    assert len(kept) == len(data)
    assert decode(kept).image.tobytes() == decode(data).image.tobytes()
    assert without_location(kept) is kept


def test_exif_of_a_second_photo_behind_the_first_goes_too():
    one = made.encoded(made.photo(), "JPEG", exif=made.place_exif())
    assert without_location(one + one).count(b"2026:11:27") == 0


def test_a_large_tiff_keeps_its_pixels_and_loses_its_place():
    data = made.encoded(made.photo(), "TIFF", exif=made.place_exif(), big_tiff=True)
    assert _exif(data)[1]
    assert not _exif(without_location(data))[1]


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "HEIF", "AVIF"])
def test_xmp_with_a_place_goes(kind):
    data = made.encoded(made.photo(), kind, xmp=XMP)
    assert b"37,33.99N" in data
    kept = without_location(data)
    assert b"37,33.99N" not in kept
    assert len(kept) == len(data)
    assert decode(kept).image.size == made.photo().size


def test_xmp_without_a_place_stays():
    data = made.encoded(made.photo(), "JPEG", xmp=XMP.replace(b"GPS", b"Cam"))
    assert without_location(data) is data


def test_xmp_over_several_segments_goes():
    head = b"http://ns.adobe.com/xmp/extension/\0" + b"5" * 32 + struct.pack(">II", 200, 0)
    data = made.jpeg_with(
        made.segment(0xE1, head + b"<x exif:GPSLat"), made.segment(0xE1, head + b'itude="37,33.99N"/>')
    )
    assert b"37,33" not in without_location(data.replace(b"GPSLat", b"GPS La"))


@pytest.mark.parametrize("packed", [False, True])
def test_texts_of_a_png_with_a_place_go(packed):
    text = zlib.compress(XMP) if packed else XMP
    chunk = made.chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes((packed,)) + b"\0\0\0" + text)
    other = made.chunk(b"tEXt", b"Comment\0by a GPS watch")
    assert without_location(made.png_with(chunk, other)) == made.png_with(other)


def test_exif_in_digits_goes():
    exif = made.place_exif().tobytes()
    text = b"\nexif\n%8d\n" % len(exif) + exif.hex().encode()
    chunk = made.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    assert without_location(made.png_with(chunk)) == made.base("png")


def test_the_film_behind_a_photo_loses_its_place():
    film = b"\0\0\0\x18ftypmp42" + bytes(20) + b"\xa9xyz\0\x12\x15\xc7+37.5665+126.9780/" + bytes(20)
    kept = without_location(made.base("jpeg") + film)
    assert b"37.5665" not in kept
    assert len(kept) == len(made.base("jpeg")) + len(film)


@pytest.mark.parametrize("name", made.BASES)
def test_a_photo_without_a_place_is_the_same_file(name):
    data = made.base(name)
    assert without_location(data) is data


def test_files_that_are_made_to_take_long_do_not():
    endless = b"II*\0\x08\0\0\0" + struct.pack("<H", 1000) + struct.pack("<HHII", GPS, 4, 1, 8) * 1000
    for part in (endless, b"<x:xmpmeta ", b"<rdf:RDF>GPS", b"http://ns.adobe.com/xmp/extension/\0", b"\xa9xyz+1"):
        data = made.base("jpeg") + part * (2_000_000 // len(part))
        started = time.process_time()
        without_location(data)
        assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        (b"zTXt", b"XML:com.adobe.xmp\0\0", bytes(8 * 2**20)),
        (b"zTXt", b"Raw profile type exif\0\0", b"\nexif\n8\n" + b"49492a00" * 2**20),
        (b"eXIf", b"", b"II*\0\x08\0\0\0" + struct.pack("<H", 1000) + struct.pack("<HHII", GPS, 4, 1, 8) * 1000),
    ],
)
def test_a_png_of_many_profiles_does_not_take_long_and_keeps_no_place_in_them(kind, key, text):
    """One of 25 MB has room for thousands that unpack to 8 MB each, which took minutes."""
    profile = made.chunk(kind, key + (zlib.compress(text) if key else text))
    last = made.chunk(b"zTXt", b"XML:com.adobe.xmp\0\0" + zlib.compress(XMP))
    other = made.chunk(b"tEXt", b"Comment\0by a person")
    data = made.png_with(*[profile] * 500, last, other)
    started = time.process_time()
    kept = without_location(data)
    assert time.process_time() - started < 4
    assert last not in kept
    assert other in kept
