"""Where a photo was made, taken out of its file. Everything else in it stays as it is, byte for byte.

Phones write the place into EXIF, into XMP, and into the film that some keep behind the photo. Those parts are
overwritten where they are, so that no length and no offset changes, whatever the format; only a PNG, whose parts have
checksums and may be compressed, is put together again. Places that are written as words, such as a city, stay.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .containers import MOST_CHUNKS

_GPS, _EXIF = 0x8825, 0x8769
_MOST_BLOCKS = 200  # of EXIF or XMP in a file; pixels look like the beginning of one now and then
_MOST_DIRECTORIES = 8
_MOST_TAGS = 1_000
_MOST_GPS_TAGS = 100
_MOST_VALUE = 2**16
_MOST_TEXT = 8 * 2**20
_TYPE_BYTES = {2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENDED_HEAD = len(_EXTENDED) + 40  # a checksum, the whole length, the place
_FILM = re.compile(rb"\xa9xyz.{4}([+-]\d[\d.]*[+-]\d[\d.+-]*/)", re.DOTALL)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def without_location(data: bytes) -> bytes:
    """Return the file without the place where the photo was made; the same object if it names none."""
    if data.startswith(_SIGNATURE):
        return _png(data)
    spans = [*_exif_spans(data), *_xmp_spans(data), *_film_spans(data)]
    if not spans:
        return data
    changed = bytearray(data)
    for start, end, filling in spans:
        changed[start:end] = filling * (end - start)
    return bytes(changed)


_Span = tuple[int, int, bytes]


def _places(data: bytes, mark: bytes) -> Iterator[int]:
    """Where a mark is, as often as is looked for it."""
    place = data.find(mark)
    for _ in range(_MOST_BLOCKS):
        if place < 0:
            return
        yield place
        place = data.find(mark, place + 1)


# --- EXIF -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """How numbers are written in a TIFF, and where its offsets count from."""

    start: int
    order: str
    big: bool

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12

    @property
    def count_bytes(self) -> int:
        return 8 if self.big else 2

    def offset(self, data: bytes, place: int) -> int:
        """An offset that is written at a place, as a place in the file. Raises struct.error."""
        (offset,) = struct.unpack_from(self.order + ("Q" if self.big else "I"), data, place)
        return self.start + int(offset)

    def count(self, data: bytes, place: int) -> int:
        """How many entries a directory has; 0 if it is none."""
        if place + self.count_bytes > len(data):
            return 0
        (count,) = struct.unpack_from(self.order + ("Q" if self.big else "H"), data, place)
        return count if count <= _MOST_TAGS else 0


_HEADS = ((b"II*\0", "<", False), (b"MM\0*", ">", False), (b"II+\0", "<", True), (b"MM\0+", ">", True))


def _exif_spans(data: bytes) -> Iterator[_Span]:
    """The directories with the place, and their values, in every TIFF within the file: EXIF is one."""
    for mark, order, big in _HEADS:
        for start in _places(data, mark):
            layout = _Layout(start, order, big)
            try:
                found = list(_gps_directories(data, layout))
            except struct.error:
                continue
            for place in found:
                yield from _directory_spans(data, layout, place)


def _gps_directories(data: bytes, layout: _Layout) -> Iterator[int]:
    waiting, seen = [layout.offset(data, layout.start + (8 if layout.big else 4))], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        place = waiting.pop()
        count = layout.count(data, place)
        if place in seen or not count:
            continue
        seen.add(place)
        first = place + layout.count_bytes
        end = first + count * layout.entry_bytes
        for tag, wanted in ((_GPS, None), (_EXIF, waiting)):
            for entry in _entries(data[first:end], tag, layout):
                value = layout.offset(data, first + entry + (12 if layout.big else 8))
                if wanted is None:
                    yield value
                else:
                    wanted.append(value)
        if end + 4 <= len(data):
            waiting.append(layout.offset(data, end))


def _entries(directory: bytes, tag: int, layout: _Layout) -> Iterator[int]:
    """Where in a directory the entries of a tag begin."""
    mark = struct.pack(layout.order + "H", tag)
    place = directory.find(mark)
    while place >= 0:
        if place % layout.entry_bytes == 0:
            yield place
        place = directory.find(mark, place + 1)


def _directory_spans(data: bytes, layout: _Layout, place: int) -> Iterator[_Span]:
    count = layout.count(data, place)
    if not 0 < count <= _MOST_GPS_TAGS:
        return
    first = place + layout.count_bytes
    end = min(first + count * layout.entry_bytes, len(data))
    number, room = ("Q", 8) if layout.big else ("I", 4)
    for entry in range(first, end - layout.entry_bytes + 1, layout.entry_bytes):
        kind, values = struct.unpack_from(f"{layout.order}H{number}", data, entry + 2)
        size = _TYPE_BYTES.get(kind, 0) * values
        if room < size <= _MOST_VALUE:
            value = layout.offset(data, entry + layout.entry_bytes - room)
            yield min(value, len(data)), min(value + size, len(data)), b"\0"
    yield place, end, b"\0"


# --- XMP, films -------------------------------------------------------------------------------------------------------


def _xmp_spans(data: bytes) -> Iterator[_Span]:
    for name in (b"x:xmpmeta", b"rdf:RDF"):
        end = 0
        for start in _places(data, b"<" + name):
            if start < end:
                continue
            end = data.find(b"</" + name + b">", start)
            if end < 0:
                break
            if data.find(b"GPS", start, end) >= 0:
                yield start, end + len(name) + 3, b" "
    extended = []
    for start in _places(data, _EXTENDED):
        length = int.from_bytes(data[start - 2 : start], "big") - 2
        extended.append((start + _EXTENDED_HEAD, min(start + max(length, _EXTENDED_HEAD), len(data)), b" "))
    if any(data.find(b"GPS", start, end) >= 0 for start, end, _filling in extended):
        yield from extended


def _film_spans(data: bytes) -> Iterator[_Span]:
    for place in _places(data, b"\xa9xyz"):
        if found := _FILM.match(data, place, place + 100):
            yield found.start(1), found.end(1), b"0"


# --- PNG --------------------------------------------------------------------------------------------------------------

_WITH_PLACES = frozenset((b"eXIf", b"tEXt", b"zTXt", b"iTXt"))
_XMP_KEY, _OLD_KEY = b"XML:com.adobe.xmp", b"Raw profile type"
_MOST_PROFILES = 20  # EXIF and XMP; programs write one or two, and each may unpack to _MOST_TEXT


def _png(data: bytes) -> bytes:
    parts: list[bytes | memoryview] = [data[: len(_SIGNATURE)]]
    view, is_changed, profiles = memoryview(data), False, 0
    for place, kind, body in islice(_chunks(view), MOST_CHUNKS):
        content = bytes(body) if kind in _WITH_PLACES else b""
        kept: bytes | None = content
        if kind == b"eXIf" or content.startswith((_XMP_KEY, _OLD_KEY)):
            profiles += 1
            kept = _kept(kind, content) if profiles <= _MOST_PROFILES else None  # unseen, so it goes
        if kept is content:
            parts.append(view[place : place + 12 + len(body)])
            continue
        is_changed = True
        if kept is not None:
            checksum = struct.pack(">I", zlib.crc32(kept, zlib.crc32(kind)))
            parts += (struct.pack(">I4s", len(kept), kind), kept, checksum)
    return b"".join(parts) if is_changed else data


def _chunks(view: memoryview) -> Iterator[tuple[int, bytes, memoryview]]:
    """The chunks with their places; the last one takes all that is left if its length is wrong."""
    place = len(_SIGNATURE)
    while place + 8 <= len(view):
        length, kind = struct.unpack_from(">I4s", view, place)
        yield place, kind, view[place + 8 : place + 8 + length]
        place += 12 + length


def _kept(kind: bytes, body: bytes) -> bytes | None:
    """What stays of a profile: all of it, EXIF without the place, or nothing of a text that has one in it."""
    if kind == b"eXIf":
        return without_location(body)
    if body.startswith(_XMP_KEY):
        return None if b"GPS" in _text(kind, body) else body
    # _OLD_KEY, of older programs: EXIF as hexadecimal digits, behind three lines
    digits = b"".join(_text(kind, body).split(b"\n")[3:])
    try:
        exif = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return body
    return body if without_location(exif) is exif else None


def _text(kind: bytes, body: bytes) -> bytes:
    """The text of a chunk, unpacked as far as texts go; nothing if it cannot be."""
    _key, _zero, rest = body.partition(b"\0")
    is_packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    if kind == b"iTXt":
        rest = rest[2:].split(b"\0", 2)[-1]
    elif kind == b"zTXt":
        rest = rest[1:]
    if not is_packed:
        return rest
    try:
        return zlib.decompressobj().decompress(rest, _MOST_TEXT)
    except zlib.error:
        return b""
