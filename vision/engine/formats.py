"""The image formats that are taken, and those that are refused by name. A file's type is what its first bytes say.

This is the only list: portal, API, admin, imports and command line all ask it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 4096
"""How much of a file `sniff` looks at."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that is taken: `readers` are Pillow's names for it, `suffixes` what such files are called."""

    name: str
    readers: tuple[str, ...]
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]

    @property
    def extension(self) -> str:
        """The usual ending of a file's name, without the dot."""
        return self.suffixes[0][1:]


ACCEPTED = {
    accepted.name: accepted
    for accepted in (
        Format("JPEG", ("JPEG",), (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), ("image/jpeg",)),
        Format("PNG", ("PNG",), (".png", ".apng"), ("image/png",)),
        Format("WebP", ("WEBP",), (".webp",), ("image/webp",)),
        Format("HEIC", ("HEIF",), (".heic", ".heif", ".hif"), ("image/heic", "image/heif")),
        Format("AVIF", ("AVIF",), (".avif",), ("image/avif",)),
        Format("GIF", ("GIF",), (".gif",), ("image/gif",)),
        Format("BMP", ("BMP",), (".bmp", ".dib"), ("image/bmp",)),
        Format("TIFF", ("TIFF",), (".tif", ".tiff"), ("image/tiff",)),
    )
}
SUFFIXES = frozenset(suffix for accepted in ACCEPTED.values() for suffix in accepted.suffixes)
LISTED = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
VIDEO = "video"
"""What `sniff` calls every kind of video."""

_LEAST_BYTES = 12  # shorter files hold nothing to look at

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"\0\0\x01\0", "ICO"),
    (b"PK\x03\x04", "ZIP"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"/* XPM */", "XPM"),
    (b"gimp xcf", "XCF"),
    (b"FUJIFILMCCD-RAW", "RAW"),
    (b"IIU\0", "RAW"),
    (b"IIRO", "RAW"),
    (b"IIRS", "RAW"),
    (b"\x1aE\xdf\xa3", VIDEO),  # Matroska, WebM
    (b"FLV\x01", VIDEO),
    (b"OggS", VIDEO),
    (b"\0\0\x01\xba", VIDEO),  # MPEG
    (b"\0\0\x01\xb3", VIDEO),
    (b"0&\xb2u\x8ef\xcf\x11", VIDEO),  # ASF, WMV
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
_HEIF_BRANDS = frozenset((b"mif1", b"mif2", b"msf1"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_BMP_HEADERS = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_PNM = re.compile(rb"P[1-7fF]\s")
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*?\?>|<!--.*?-->|<!doctype svg.*?>|\s)*<(?:\w+:)?svg[\s>]", re.I | re.S
)


def sniff(head: bytes) -> str | None:
    """The name of the format that a file's first bytes are of, taken or not; None if they are of none that is known.

    Args:
        head: the first HEAD_BYTES of the file, or all of a shorter one.
    """
    if len(head) < _LEAST_BYTES:
        return None
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] in _TIFF:
        return "RAW" if head[8:10] == b"CR" else "TIFF"
    if head[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": VIDEO}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime of old
        return VIDEO
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return _of_text(head[:HEAD_BYTES])


def kind_of_file(path: str | Path) -> str | None:
    """As `sniff`, of a file. Raises OSError."""
    with open(path, "rb") as file:
        return sniff(file.read(HEAD_BYTES))


def is_image_file(path: str | Path) -> bool:
    """Say whether a file in a folder is meant as an image: by its content, or by its name if it is broken."""
    if os.path.splitext(path)[1].lower() in SUFFIXES:
        return True
    try:
        return kind_of_file(path) in ACCEPTED
    except OSError:
        return False


def _of_brands(head: bytes) -> str:
    """What a file of the MPEG-4 family is, by the brands that it says it can be read as."""
    length = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    brands = {head[start : start + 4] for start in (8, *range(16, length, 4))}
    if head[8:12] == b"crx ":
        return "RAW"
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & (_HEIC_BRANDS | _HEIF_BRANDS) else VIDEO


def _of_text(head: bytes) -> str | None:
    if b"%PDF-" in head[:1024]:
        return "PDF"
    if _PNM.match(head):
        return "PNM"
    return "SVG" if _SVG.match(head) else None
