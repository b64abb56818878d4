"""The bytes of bad images: what they are made of, and the ways in which files are broken or lie.

Everything is made from one small photo, or drawn; nothing is stored as a file. What claims to be huge only claims
it, or is of one colour and so small as a file.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PHOTO = Path(__file__).resolve().parents[2] / "demo/images/jacket-denim-blue.jpg"
SEOUL = (37.5665, 126.9780)


@cache
def photo(size: tuple[int, int] = (240, 320)) -> Image.Image:
    """A garment, small."""
    with Image.open(_PHOTO) as image:
        return image.convert("RGB").resize(size)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file of that kind."""
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


BASES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "jpeg": (".jpg", lambda: encoded(photo(), "JPEG", quality=80)),
    "progressive": (".jpg", lambda: encoded(photo(), "JPEG", quality=80, progressive=True)),
    "png": (".png", lambda: encoded(photo((120, 160)), "PNG")),
    "palette": (".png", lambda: encoded(photo((120, 160)).quantize(64), "PNG")),
    "webp": (".webp", lambda: encoded(photo(), "WEBP", quality=70)),
    "lossless": (".webp", lambda: encoded(photo((120, 160)), "WEBP", lossless=True)),
    "heic": (".heic", lambda: encoded(photo(), "HEIF", quality=60)),
    "avif": (".avif", lambda: encoded(photo(), "AVIF", quality=60)),
    "gif": (".gif", lambda: encoded(photo((120, 160)).quantize(64), "GIF")),
    "bmp": (".bmp", lambda: encoded(photo((60, 80)), "BMP")),
    "tiff": (".tif", lambda: encoded(photo((60, 80)), "TIFF")),
    "tiff-lzw": (".tif", lambda: encoded(photo((120, 160)), "TIFF", compression="tiff_lzw")),
    "tiff-jpeg": (".tif", lambda: encoded(photo((120, 160)), "TIFF", compression="jpeg")),
}
"""Good files of each format that is taken: the ending and what makes the bytes."""


@cache
def base(name: str) -> bytes:
    """One of BASES."""
    return BASES[name][1]()


# --- Breaking files ---------------------------------------------------------------------------------------------------


def cut(data: bytes, length: float) -> bytes:
    """The beginning: so many bytes, or less than 1 for a share; negative counts from the end."""
    return data[: int(length * len(data)) if 0 < length < 1 else int(length)]


def flipped(data: bytes, count: int, seed: int, within: int | None = None) -> bytes:
    """The same with so many bits changed, the same ones every time; `within` the first bytes, or anywhere."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(count):
        changed[chance.randrange(min(within or len(data), len(data)))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def changed(data: bytes, at: int, value: bytes) -> bytes:
    """The same with other bytes in one place."""
    return data[:at] + value + data[at + len(value) :]


def after(data: bytes, mark: bytes, skip: int, value: bytes) -> bytes:
    """The same with other bytes so far behind the first place where `mark` is."""
    return changed(data, data.index(mark) + len(mark) + skip, value)


# --- PNG --------------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *, depth: int = 8, colour: int = 0, interlace: int = 0, real: bool = False) -> bytes:
    """A PNG of one colour: whole if it is `real`, else with a few bytes of pixels, whatever size it claims."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    row = bytes(1 + (width * channels * depth + 7) // 8) if real else bytes(100)
    deflate = zlib.compressobj(9)
    body = b"".join(deflate.compress(row) for _ in range(height if real else 10)) + deflate.flush()
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_with(*chunks: bytes) -> bytes:
    """The photo as PNG with further chunks before its pixels."""
    data = base("png")
    return data[:33] + b"".join(chunks) + data[33:]


def deflated_zeros(megabytes: int) -> bytes:
    """So many MB of zeros, a thousandth of that large."""
    deflate = zlib.compressobj(9)
    return b"".join(deflate.compress(bytes(2**20)) for _ in range(megabytes)) + deflate.flush()


# --- JPEG -------------------------------------------------------------------------------------------------------------


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(*segments: bytes) -> bytes:
    """The photo as JPEG with further segments at its beginning."""
    data = base("jpeg")
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_sized(width: int, height: int, kind: str = "jpeg") -> bytes:
    """The photo as JPEG that claims another size."""
    data = base(kind)
    frame = b"\xff\xc2" if kind == "progressive" else b"\xff\xc0"
    return after(data, frame, 3, struct.pack(">HH", height, width))


def profile_segments(profile: bytes) -> list[bytes]:
    """An ICC profile in as many segments as it takes."""
    parts = [profile[at : at + 65_000] for at in range(0, len(profile), 65_000)]
    return [
        segment(0xE2, b"ICC_PROFILE\0" + bytes((number % 256, len(parts) % 256)) + part)
        for number, part in enumerate(parts, 1)
    ]


def srgb_profile(padding: int = 0) -> bytes:
    """A good colour profile, with zeros behind it."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(padding)


# --- EXIF and TIFF ----------------------------------------------------------------------------------------------------


def place_exif() -> Image.Exif:
    """EXIF that says where and with what a photo was made."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of a person"
    degrees = [(int(value), int(value % 1 * 60), round(value * 60 % 1 * 60, 4)) for value in SEOUL]
    exif[0x8825] = {0: b"\2\3\0\0", 1: "N", 2: degrees[0], 3: "E", 4: degrees[1], 29: "2026:11:27"}
    written = Image.Exif()
    written.load(exif.tobytes())
    return written


def directory(entries: list[tuple[int, int, int, int]], following: int = 0, at: int = 8) -> bytes:
    """A TIFF of one directory: tags as (tag, type, count, value), and where the next directory is."""
    head = b"II*\0" + struct.pack("<I", at)
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return head + bytes(at - 8) + struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def tiff(width: int, height: int, *more: tuple[int, int, int, int], pixels: bytes = bytes(400)) -> bytes:
    """A grey TIFF that claims a size; the pixels lie at its end."""
    tags = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1)}
    tags |= {273: (4, 1, 0), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, len(pixels))}
    tags |= {tag: (kind, count, value) for tag, kind, count, value in more}
    start = 8 + 2 + 12 * len(tags) + 4
    if tags[273][2] == 0:
        tags[273] = (4, 1, start)
    return directory([(tag, *rest) for tag, rest in sorted(tags.items())]) + pixels


# --- GIF, BMP, WebP ---------------------------------------------------------------------------------------------------


def gif(width: int, height: int, frame: tuple[int, int] | None = None) -> bytes:
    """A GIF that claims a size, and one for its frame, with a few pixels."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    image = b"," + struct.pack("<HHHHB", 0, 0, *(frame or (width, height)), 0)
    return screen + image + b"\x02\x02\x4c\x01\x00;"


def bmp(width: int, height: int, bits: int = 24, compression: int = 0, pixels: bytes = bytes(300)) -> bytes:
    """A BMP that claims a size and depth."""
    colours = b"\0\0\0\0\xff\xff\xff\0" * (2 ** min(bits, 8) // 2) if bits <= 8 else b""
    start = 54 + len(colours)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 2835, 2835, 0, 0)
    head = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start)
    return head + info + colours + pixels


def riff(*chunks: tuple[bytes, bytes], size: int | None = None) -> bytes:
    """A WebP of these chunks, which may lie about its length."""
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4 if size is None else size) + b"WEBP" + body


def webp_canvas(width: int, height: int, *chunks: tuple[bytes, bytes], flags: int = 0) -> bytes:
    """An extended WebP that claims a canvas."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff((b"VP8X", bytes((flags, 0, 0, 0)) + size), *chunks, (b"VP8 ", base("webp")[20:]))


def animated(kind: str, frames: int, size: tuple[int, int] = (60, 80), **options: Any) -> bytes:
    """A film of so many frames."""
    first = photo(size)
    others = [first.point([(value + 3 * n) % 256 for value in range(256)] * 3) for n in range(1, frames)]
    return encoded(first, kind, save_all=True, append_images=others, **options)


def flat(kind: str, size: tuple[int, int], mode: str = "RGB", **options: Any) -> bytes:
    """A large image of one colour, which is a small file."""
    return encoded(Image.new(mode, size, 0 if mode in ("L", "1") else None), kind, **options)
