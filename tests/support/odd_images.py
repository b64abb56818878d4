"""Images as phones, shops and attackers send them, and files that are none: made from bytes, by name."""

import io
import random
import struct
import zlib

import pillow_heif
from PIL import Image

from tests.support.drawn_images import photo

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def heic(color="firebrick", size=(400, 300)):
    """Encode a drawn shirt as phones do."""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.open(io.BytesIO(photo(color, size, kind="PNG")))).save(buffer, quality=60)
    return buffer.getvalue()


def chunk(kind, data, checksum=None):
    """A chunk of a PNG, with a wrong checksum if one is given."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum or zlib.crc32(kind + data))


def png_with(*chunks, color="firebrick"):
    """A PNG with further chunks before its pixels."""
    data = photo(color, kind="PNG")
    end_of_header = len(SIGNATURE) + 25
    return data[:end_of_header] + b"".join(chunks) + data[end_of_header:]


def png_of(width, height):
    """A PNG of one grey, which is small whatever its size."""
    deflate = zlib.compressobj(9)
    row = bytes(1 + width)
    rows = [deflate.compress(row * min(1000, height - at)) for at in range(0, height, 1000)]
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = b"".join((*rows, deflate.flush()))
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def _profile_chunk(profile):
    return b"made by hand\0\0" + zlib.compress(profile)


def large_text_png():
    """A PNG with texts of several MB, as image editors leave them."""
    xmp = b"XML:com.adobe.xmp\0\0\0\0\0" + b" " * 3_000_000
    return png_with(chunk(b"iTXt", xmp), chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(3_000_000))))


def without_end(**drawing):
    """A JPEG that lacks its last two bytes."""
    return photo(**drawing)[:-2]


def eps_bomb():
    """21 MB that begin like EPS and never come to the point."""
    return b"%!PS-Adobe-3.0 EPSF-3.0\n" + b"%%a\n" * 5_250_000


def xpm_bomb():
    """Many MB of an XPM."""
    return b"/* XPM */\n" + b"a" * 21_000_000


def jpeg_of_segments():
    """21 MB of tiny segments of a JPEG."""
    return b"\xff\xd8" + b"\xff\xe5\x00\x02" * 5_250_000


def png_of_chunks():
    """20 MB of tiny chunks of a PNG."""
    return photo(kind="PNG")[:33] + chunk(b"teSt", b"") * 1_700_000


def gif_of_blocks():
    """20 MB of tiny blocks of a GIF."""
    return b"GIF89a\x01\0\x01\0\0\0\0" + b"\x21\xfe\x01a\0" * 4_000_000


TAKEN = {
    "iphone.heic": heic,
    "iphone.JPG": heic,
    "download.jfif": photo,
    "no_ending": photo,
    "photo.avif": lambda: photo(kind="AVIF"),
    "photo.gif": lambda: photo(kind="GIF"),
    "photo.bmp": lambda: photo(kind="BMP"),
    "scan.tif": lambda: photo(kind="TIFF"),
    "photo.webp": lambda: photo(kind="WEBP"),
    "large_profile.png": lambda: png_with(chunk(b"iCCP", _profile_chunk(bytes(2_000_000)))),
    "large_texts.png": large_text_png,
    "bad_profile_checksum.png": lambda: png_with(chunk(b"iCCP", _profile_chunk(bytes(100)), checksum=1)),
    "bad_text_checksum.png": lambda: png_with(chunk(b"tEXt", b"Comment\0x", checksum=1)),
    "bad_time_checksum.png": lambda: png_with(chunk(b"tIME", bytes(7), checksum=1)),
    "without_end.png": lambda: photo(kind="PNG")[:-12],
    "without_end.jpg": without_end,
    "without_end_progressive.jpg": lambda: without_end(progressive=True),
}
"""What is taken, though browsers, phones or editors made it oddly; each is 400 x 300 pixels."""

_RANDOM = random.Random(1)

REFUSED = {
    "drawing.svg": (lambda: b"<?xml version='1.0'?>\n<!-- a -->\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "drawing.psd": (lambda: b"8BPS\0\1" + bytes(200), "PSD"),
    "photo.jxl": (lambda: b"\xff\x0a" + bytes(200), "JPEG XL"),
    "boxed.jxl": (lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(200), "JPEG XL"),
    "page.pdf": (lambda: b"%PDF-1.7\n" + bytes(200), "PDF"),
    "photo.jp2": (lambda: photo(kind="JPEG2000"), "JPEG 2000"),
    "clip.mp4": (lambda: b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(200), "video"),
    "clip.mov": (lambda: b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(200), "video"),
    "clip.webm": (lambda: b"\x1aE\xdf\xa3" + bytes(200), "video"),
    "camera.cr2": (lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(200), "RAW"),
    "photos.zip": (lambda: b"PK\x03\x04" + bytes(200), "ZIP"),
    "slow.eps": (eps_bomb, "EPS"),
    "slow.xpm": (xpm_bomb, "XPM"),
}
"""What is refused by the name of its format."""

BOMBS = {
    "line.png": (lambda: png_of(1, 39_000_000), "too_long"),
    "band.jpg": (lambda: photo(size=(65_000, 1500)), "too_long"),
    "segments.jpg": (jpeg_of_segments, "damaged"),
    "chunks.png": (png_of_chunks, "damaged"),
    "blocks.gif": (gif_of_blocks, "damaged"),
    "noise.jpg": (lambda: _RANDOM.randbytes(1_000_000), "not_an_image"),
}
"""What is made to hurt, with the code that it is refused by."""
