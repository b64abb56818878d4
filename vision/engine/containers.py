"""What surrounds the pixels in a file: looked through before Pillow reads it, and mended where browsers overlook it.

Pillow reads blocks one by one in Python and believes every length, so that a file of millions of tiny blocks keeps a
core busy for seconds. Here files with more blocks than any camera or program writes are turned away first.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops

MOST_SEGMENTS = 2_000
MOST_SCANS = 40  # cameras and programs write ten; each costs a decoder a pass over all pixels, whatever its length
MOST_CHUNKS = 50_000  # a PNG of 25 MB with IDAT chunks of 512 bytes
MOST_PROFILE_BYTES = 8 * 2**20


class Broken(Exception):
    """The blocks of a file do not lead to pixels."""


# --- JPEG -------------------------------------------------------------------------------------------------------------

_END = b"\xff\xd9"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))
_SCAN, _PROGRESSIVE = 0xDA, frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_JUNK = bytes(1 + (index * 73) % 253 for index in range(512))
_LOST_SHARE = 0.02
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # among pixels; those of restarts belong to them
_MOST_COMPARED = 12_000_000  # pixels of a JPEG of several scans


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What the header of a JPEG says; `coefficients` are bytes that a decoder holds besides the pixels."""

    width: int
    height: int
    coefficients: int


def jpeg_frame(data: bytes) -> JpegFrame:
    """Look through a JPEG up to its first scan. Raises Broken.

    A file of several scans, as every progressive one is, is held as coefficients at full size until its end.
    """
    frame: bytes | None = None
    kind = 0
    place = 2
    for _ in range(MOST_SEGMENTS):
        marker = _next_marker(data, place)
        place = marker + 2
        code = data[marker + 1]
        if code in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        segment = data[place + 2 : place + length]
        if length < 2 or len(segment) != length - 2:
            raise Broken("a segment is cut off")
        if code in _FRAMES and len(segment) > 5:
            kind, frame = code, segment
        elif code == _SCAN and segment:
            if frame is None:
                raise Broken("pixels before the header")
            several_scans = kind in _PROGRESSIVE or segment[0] < frame[5]
            if several_scans:
                _check_scans(data, place + length)
            return _frame(frame, several_scans=several_scans)
        place += length
    raise Broken("too many segments")


def _check_scans(data: bytes, place: int) -> None:
    """Count the scans from the first one's pixels on: a scan that changes nothing takes a hundred bytes."""
    scans = 1
    for _ in range(MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        if found is None or found[0] == _END:
            return
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
        scans += found[0][1] == _SCAN
        if scans > MOST_SCANS:
            raise Broken("too many scans")
    raise Broken("too many segments")


def _next_marker(data: bytes, place: int) -> int:
    """Where the next marker begins; filling bytes before it are passed over as decoders do."""
    start = data.find(b"\xff", place)
    if start < 0:
        raise Broken("no more markers")
    rest = data[start : start + 64].lstrip(b"\xff")
    if not rest or rest[0] == 0xD9:
        raise Broken("no pixels")
    return start + len(data[start : start + 64]) - len(rest) - 1


def _frame(segment: bytes, *, several_scans: bool) -> JpegFrame:
    height, width, components = struct.unpack(">HHB", segment[1:6])
    sampling = [(segment[at] >> 4, segment[at] & 15) for at in range(7, min(6 + 3 * components, len(segment)), 3)]
    if not sampling or not all(across and down for across, down in sampling):
        raise Broken("no components")
    largest = max(across for across, _ in sampling) * max(down for _, down in sampling)
    samples = width * height * sum(across * down for across, down in sampling) // largest
    return JpegFrame(width, height, 2 * samples if several_scans else 0)


def with_end(data: bytes) -> bytes | None:
    """A JPEG that lacks its end with one, if what is lost is the end mark or a last few rows; None if more is lost.

    A decoder makes up what is missing. So the file is continued in two ways, and where the results differ, pixels were
    missing: nowhere, if the file was complete but for its end mark. What several scans add shows at full size only, for
    which a large file is too large.
    """
    frame = jpeg_frame(data)
    if frame.coefficients and frame.width * frame.height > _MOST_COMPARED:
        return None
    side = max(frame.width, frame.height) if frame.coefficients else 1
    rest = data.rstrip(b"\xff")
    try:
        results = [_jpeg(rest + more + _END, side) for more in (b"", _JUNK)]
    except Exception:  # Pillow's readers answer broken files with many unrelated types
        return None
    different = ImageChops.difference(*results).getbbox()
    if different is not None and different[1] < (1 - _LOST_SHARE) * results[0].height - 1:
        return None
    return rest + _END


def _jpeg(data: bytes, side: int) -> Image.Image:
    image = Image.open(BytesIO(data), formats=("JPEG",))
    image.draft(image.mode, (side, side))
    image.load()
    return image


# --- PNG --------------------------------------------------------------------------------------------------------------

_SIGNATURE_BYTES = 8
# Besides the critical ones, only these change how the first image looks; texts and animations do not.
_KEPT_CHUNKS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"gAMA", b"cHRM", b"sRGB"))
_PROFILE_CHUNK = b"iCCP"
_MOST_CHUNK_BYTES = 2**17  # of those without pixels


@dataclass(frozen=True, slots=True)
class MendedPng:
    """A PNG without the parts that do not count, and the colour profile that it came with."""

    data: bytes
    profile: bytes | None


def mended_png(data: bytes) -> MendedPng:
    """Leave out what does not change the image, so that broken or huge unimportant chunks do no harm. Raises Broken.

    As browsers do: an unimportant chunk with a wrong checksum counts as not there; pixels count whatever their
    checksum; an end that is missing is added.
    """
    parts: list[bytes | memoryview] = [data[:_SIGNATURE_BYTES]]
    profile = None
    place, pixels, ended = _SIGNATURE_BYTES, False, False
    view = memoryview(data)
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(data) or ended:
            break
        length, kind = struct.unpack_from(">I4s", data, place)
        body = view[place + 8 : place + 8 + length]
        whole = len(body) == length
        if kind == b"IDAT":
            pixels = True
            parts.append(view[place : place + 12 + length] if whole else _chunk(kind, body))
        elif whole and kind == _PROFILE_CHUNK and not pixels:
            profile = _png_profile(body) if _is_intact(kind, body, view[place + 8 + length :][:4]) else None
        elif whole and kind in _KEPT_CHUNKS and (kind[0] < ord("a") or _counts(kind, body, view[place + 8 + length :])):
            parts.append(_chunk(kind, body))
        place += 12 + length
        ended = kind == b"IEND"
    else:
        raise Broken("too many chunks")
    if not pixels:
        raise Broken("no pixels")
    if not ended:
        parts.append(_chunk(b"IEND", b""))
    return MendedPng(b"".join(parts), profile)


def _is_intact(kind: bytes, body: bytes | memoryview, checksum: bytes | memoryview) -> bool:
    return bytes(checksum) == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _counts(kind: bytes, body: memoryview, after: memoryview) -> bool:
    return len(body) <= _MOST_CHUNK_BYTES and _is_intact(kind, body, after[:4])


def _chunk(kind: bytes, body: bytes | memoryview) -> bytes:
    return struct.pack(">I", len(body)) + kind + bytes(body) + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _png_profile(body: memoryview) -> bytes | None:
    """The ICC profile in the body of its chunk: a name, a zero, the method, compressed bytes."""
    name_end = bytes(body[:80]).find(b"\0")
    if name_end < 0:
        return None
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(body[name_end + 2 :], MOST_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if inflate.eof else None


# --- GIF and TIFF -----------------------------------------------------------------------------------------------------

_MOST_BLOCKS = 20_000
_MOST_TAGS = 1_000
_GIF_IMAGE, _GIF_EXTENSION = 0x2C, 0x21


def check_gif(data: bytes) -> None:
    """Look through a GIF up to its first image. Raises Broken."""
    flags = data[10] if len(data) > 12 else 0
    place = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    in_extension = False
    for _ in range(_MOST_BLOCKS):
        if place >= len(data):
            break
        first = data[place]
        if in_extension:
            in_extension = first != 0
            place += 1 + first
        elif first == _GIF_IMAGE:
            return
        else:
            in_extension = first == _GIF_EXTENSION
            place += 2 if in_extension else 1
    raise Broken("no image")


def check_tiff(data: bytes) -> None:
    """See that the first directory of a TIFF is one that is read at once. Raises Broken."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (tags,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    except (struct.error, OverflowError) as error:
        raise Broken("no directory") from error
    if not 0 < tags <= _MOST_TAGS:
        raise Broken("not the directory of an image")
