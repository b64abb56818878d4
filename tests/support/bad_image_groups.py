"""Bad images by what is bad in them: name, what makes the bytes, and what must become of the file ('' for either)."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.support import bad_image_bytes as b

Made = dict[str, tuple[Callable[[], bytes], str]]

LARGE = frozenset(("large", "large bombs"))
"""Groups that take seconds to make or to look at."""


def _numbered(kind: str, ending: str, values: list[Callable[[], bytes]], expected: str = "") -> Made:
    return {f"{kind}-{number}{ending}": (make, expected) for number, make in enumerate(values)}


# --- Wrong headers ----------------------------------------------------------------------------------------------------

_HEADS = {"jpeg": 4, "png": 8, "webp": 12, "heic": 12, "avif": 12, "gif": 6, "bmp": 2, "tiff": 8}


def _swapped() -> Made:
    names = list(_HEADS)
    made: Made = {}
    for one, other in zip(names, names[1:] + names[:1], strict=True):
        ending = b.BASES[one][0]
        made[f"{one}-begins-as-{other}{ending}"] = (
            lambda one=one, other=other: b.base(other)[: _HEADS[other]] + b.base(one)[_HEADS[other] :],
            "",
        )
        made[f"{one}-without-head{ending}"] = (lambda one=one: bytes(_HEADS[one]) + b.base(one)[_HEADS[one] :], "")
        made[f"{one}-called-{other}{b.BASES[other][0]}"] = (lambda one=one: b.base(one), "taken")
    return made


def _sizes() -> Made:
    jpeg = [(0, 0), (0, 320), (65535, 65535), (1, 65535), (65535, 1), (241, 321), (120, 160)]
    made = _numbered("jpeg-size", ".jpg", [lambda size=size: b.jpeg_sized(*size) for size in jpeg])
    made |= _numbered(
        "progressive-size", ".jpg", [lambda size=size: b.jpeg_sized(*size, kind="progressive") for size in jpeg[2:]]
    )
    headers = [(0, 0, 8, 2), (2**31 - 1, 2**31 - 1, 8, 2), (2**32 - 1, 1, 8, 2), (10, 10, 3, 2), (10, 10, 8, 5)]
    headers += [(10, 10, 16, 3), (10, 10, 8, 3), (400, 400, 8, 2)]
    made |= _numbered(
        "png-header", ".png", [lambda h=h: b.png(h[0], h[1], depth=h[2], colour=h[3]) for h in headers], ""
    )
    made["png-interlace-9.png"] = (lambda: b.png(100, 100, interlace=9), "")
    made |= _numbered(
        "gif-size", ".gif", [lambda: b.gif(0, 0), lambda: b.gif(65535, 65535), lambda: b.gif(4, 4, (65535, 65535))]
    )
    made["gif-frame-outside.gif"] = (lambda: b.after(b.gif(4, 4), b",", 0, b"\xff\xff\xff\xff"), "")
    bmps = [(-10, 10, 24), (10, -10, 24), (2**31 - 1, 2**31 - 1, 24), (10, 10, 7), (10, 10, 0), (6000, 6000, 24)]
    made |= _numbered("bmp-size", ".bmp", [lambda v=v: b.bmp(*v) for v in bmps])
    made |= _numbered("bmp-packed", ".bmp", [lambda c=c: b.bmp(900, 900, 8, c) for c in (1, 2, 3, 4, 5, 99)])
    made |= _numbered(
        "webp-canvas", ".webp", [lambda s=s: b.webp_canvas(*s) for s in ((1, 1), (16384, 16384), (2**24, 2**24))]
    )
    for kind, ending in (("heic", ".heic"), ("avif", ".avif")):
        for number, size in enumerate(((0, 0), (1, 2**31), (65535, 65535), (2**32 - 1, 2**32 - 1))):
            made[f"{kind}-size-{number}{ending}"] = (
                lambda kind=kind, size=size: b.after(b.base(kind), b"ispe", 4, struct.pack(">II", *size)),
                "",
            )
        made[f"{kind}-brands-only{ending}"] = (lambda kind=kind: b.base(kind)[:28], "damaged")
        made[f"{kind}-box-size-0{ending}"] = (lambda kind=kind: b.changed(b.base(kind), 0, bytes(4)), "")
        made[f"{kind}-box-endless{ending}"] = (lambda kind=kind: b.after(b.base(kind), b"meta", -8, b"\xff" * 4), "")
    return made


def _tiffs() -> Made:
    made: Made = {
        "loop.tif": (lambda: b.directory([(256, 4, 1, 10), (257, 4, 1, 10)], following=8), ""),
        "no-directory.tif": (lambda: b"II*\0\xff\xff\xff\x7f" + bytes(100), "damaged"),
        "no-tags.tif": (lambda: b"II*\0\x08\0\0\0\0\0" + bytes(100), "damaged"),
        "many-tags.tif": (lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(900_000), "damaged"),
        "no-size.tif": (lambda: b.directory([(258, 3, 1, 8)]), "damaged"),
        "zero-size.tif": (lambda: b.tiff(0, 0), ""),
        "huge.tif": (lambda: b.tiff(2**31, 2**31), ""),
        "negative-strips.tif": (lambda: b.tiff(100, 100, (273, 4, 2**31, 8)), ""),
        "huge-strips.tif": (lambda: b.tiff(100, 100, (279, 4, 1, 2**32 - 1)), ""),
        "strips-outside.tif": (lambda: b.tiff(100, 100, (273, 4, 1, 2**31)), ""),
        "rows-zero.tif": (lambda: b.tiff(100, 100, (278, 4, 1, 0)), ""),
        "huge-tiles.tif": (lambda: b.tiff(100, 100, (322, 4, 1, 60_000), (323, 4, 1, 60_000)), ""),
        "tiles-of-0.tif": (lambda: b.tiff(100, 100, (322, 4, 1, 0), (323, 4, 1, 0)), ""),
        "samples-65535.tif": (lambda: b.tiff(20, 20, (277, 3, 1, 65535)), ""),
        "depth-77.tif": (lambda: b.tiff(20, 20, (258, 3, 1, 77)), ""),
        "method-99.tif": (lambda: b.tiff(20, 20, (259, 3, 1, 99)), ""),
        "colours-99.tif": (lambda: b.tiff(20, 20, (262, 3, 1, 99)), ""),
        "planes.tif": (lambda: b.tiff(20, 20, (284, 3, 1, 2)), ""),
        "values-outside.tif": (lambda: b.tiff(20, 20, (305, 2, 2**30, 2**31)), ""),
        "orientation.tif": (lambda: b.tiff(20, 20, (274, 3, 1, 77)), "taken"),
        "many-pages.tif": (lambda: b.animated("TIFF", 300, (16, 16)), "taken"),
        "raw.dng": (lambda: b.tiff(20, 20, (50706, 1, 4, 1)), "unsupported_format"),
    }
    for number, method in enumerate((2, 3, 4, 5, 7, 8, 32773, 32946, 34712, 34925, 50000)):
        made[f"packed-{number}.tif"] = (lambda method=method: b.tiff(300, 300, (259, 3, 1, method)), "")
    return made


# --- Bombs ------------------------------------------------------------------------------------------------------------


def _bombs() -> Made:
    """What claims to be huge in a few bytes."""
    return {
        "claims.png": (lambda: b.png(60_000, 60_000, colour=2), "too_many_pixels"),
        "claims-16.png": (lambda: b.png(20_000, 20_000, depth=16, colour=6), "too_many_pixels"),
        "claims-1-bit.png": (lambda: b.png(39_999, 39_999, depth=1), "too_many_pixels"),
        "claims.gif": (lambda: b.gif(30_000, 30_000), ""),
        "claims.bmp": (lambda: b.bmp(30_000, 30_000), "too_many_pixels"),
        "claims-rle.bmp": (lambda: b.bmp(30_000, 30_000, 8, 1), "too_many_pixels"),
        "claims.tif": (lambda: b.tiff(30_000, 30_000), "too_many_pixels"),
        "claims.jpg": (lambda: b.jpeg_sized(30_000, 30_000), "too_many_pixels"),
        "claims-scans.jpg": (lambda: b.jpeg_sized(10_000, 9_999, kind="progressive"), ""),
        "line.png": (lambda: b.png(20_000, 1, real=True), "too_long"),
        "column.png": (lambda: b.png(1, 20_000, real=True), "too_long"),
        "line.jpg": (lambda: b.flat("JPEG", (20_000, 1)), "too_long"),
        "column.jpg": (lambda: b.flat("JPEG", (1, 20_000)), "too_long"),
        "line.gif": (lambda: b.flat("GIF", (20_000, 1), "L"), "too_long"),
        "line.bmp": (lambda: b.flat("BMP", (20_000, 1), "L"), "too_long"),
        "line.tif": (lambda: b.flat("TIFF", (20_000, 1), "L"), "too_long"),
        "line.webp": (lambda: b.flat("WEBP", (16_383, 1)), "too_long"),
        "line.avif": (lambda: b.flat("AVIF", (20_000, 1)), "too_long"),
        "line.heic": (lambda: b.after(b.base("heic"), b"ispe", 4, struct.pack(">II", 20_000, 1)), ""),
        "text.png": (lambda: b.png_with(b.chunk(b"zTXt", b"Comment\0\0" + b.deflated_zeros(60))), "taken"),
        "itxt.png": (lambda: b.png_with(b.chunk(b"iTXt", b"X\0\1\0\0\0" + b.deflated_zeros(60))), "taken"),
        "profile.png": (lambda: b.png_with(b.chunk(b"iCCP", b"x\0\0" + b.deflated_zeros(60))), "taken"),
        "pixels-behind.png": (lambda: b.base("png")[:-12] + b.chunk(b"IDAT", b.deflated_zeros(60)), ""),
        "frames.apng": (lambda: b.png_with(b.chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))), "taken"),
        "scans.jpg": (_many_scans, "damaged"),
        "restarts.jpg": (lambda: b.jpeg_with(b.segment(0xDD, b"\0\1")), ""),
    }


def _many_scans() -> bytes:
    """A progressive JPEG whose last scan comes 3,000 times: each costs the decoder a pass over all pixels."""
    data = b.flat("JPEG", (2_000, 2_000), progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * 3_000 + b"\xff\xd9"


def _large() -> Made:
    """As large as may come, or a little larger."""
    return {
        "large.jpg": (lambda: b.flat("JPEG", (9_900, 9_900)), "taken"),
        "large-progressive.jpg": (lambda: b.flat("JPEG", (8_500, 8_500), progressive=True), "taken"),
        "large-cmyk.jpg": (lambda: b.flat("JPEG", (6_000, 6_000), "CMYK"), "taken"),
        "large.png": (lambda: b.png(6_300, 6_300, real=True), "taken"),
        "large-rgba.png": (lambda: b.png(6_300, 6_300, colour=6, real=True), "taken"),
        "large-16.png": (lambda: b.png(6_300, 6_300, depth=16, colour=6, real=True), "taken"),
        "large-interlaced.png": (lambda: b.png(5_000, 5_000, colour=2, interlace=1, real=True), ""),
        "large-1-bit.png": (lambda: b.png(6_300, 6_300, depth=1, real=True), "taken"),
        "large-lossless.webp": (lambda: b.flat("WEBP", (3_600, 3_600), lossless=True), "taken"),
        "large.webp": (lambda: b.flat("WEBP", (3_600, 3_600)), "taken"),
        "large.heic": (lambda: b.flat("HEIF", (4_900, 4_900)), "taken"),
        "large.avif": (lambda: b.flat("AVIF", (3_990, 3_990)), "taken"),
        "large.gif": (lambda: b.flat("GIF", (6_300, 6_300), "L"), "taken"),
        "large-1-bit.bmp": (lambda: b.flat("BMP", (6_300, 6_300), "1"), "taken"),
        "large-lzw.tif": (lambda: b.flat("TIFF", (5_200, 5_200), compression="tiff_lzw"), "taken"),
        "large-deflate.tif": (lambda: b.flat("TIFF", (5_200, 5_200), compression="tiff_adobe_deflate"), "taken"),
        "strip.png": (lambda: b.png(39_900, 680, real=True), "taken"),
        "strip.jpg": (lambda: b.flat("JPEG", (670, 39_900)), "taken"),
        "strip.gif": (lambda: b.flat("GIF", (900, 39_900), "L"), "taken"),
        "strip.tif": (lambda: b.flat("TIFF", (690, 39_900), compression="tiff_lzw"), "taken"),
        "over.png": (lambda: b.png(6_400, 6_400, real=True), "too_many_pixels_for_format"),
        "over.webp": (lambda: b.flat("WEBP", (3_700, 3_700)), "too_many_pixels_for_format"),
        "over.heic": (lambda: b.flat("HEIF", (5_100, 5_100)), "too_many_pixels_for_format"),
        "over.avif": (lambda: b.flat("AVIF", (4_100, 4_100)), "too_many_pixels_for_format"),
        "over.gif": (lambda: b.flat("GIF", (6_400, 6_400), "L"), "too_many_pixels_for_format"),
        "over.jpg": (lambda: b.flat("JPEG", (10_100, 10_100), "L"), "too_many_pixels"),
    }


# --- What is not pixels -----------------------------------------------------------------------------------------------


def _metadata() -> Made:
    exif = {"loop": b.directory([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8)], following=8), "noise": b"II*\0" + bytes(60_000)}
    exif["outside"] = b.directory([(0x010F, 2, 2**31, 2**31), (0x8825, 4, 1, 2**31)])
    exif["many"] = b"MM\0*\0\0\0\x08\xff\xff" + bytes(60_000)
    made: Made = {
        f"exif-{name}.jpg": (lambda body=body: b.jpeg_with(b.segment(0xE1, b"Exif\0\0" + body)), "taken")
        for name, body in exif.items()
    }
    made |= {
        f"exif-{name}.png": (lambda body=body: b.png_with(b.chunk(b"eXIf", body)), "taken")
        for name, body in exif.items()
    }
    for number, orientation in enumerate((0, 9, 255, 65535)):
        exif_of = b.directory([(0x0112, 3, 1, orientation)])
        made[f"orientation-{number}.jpg"] = (
            lambda body=exif_of: b.jpeg_with(b.segment(0xE1, b"Exif\0\0" + body)),
            "taken",
        )
    laughs = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x:xmpmeta>&b;</x:xmpmeta>'
    made |= {
        "profile-large.jpg": (lambda: b.jpeg_with(*b.profile_segments(b.srgb_profile(8_000_000))), "taken"),
        "profile-noise.jpg": (lambda: b.jpeg_with(*b.profile_segments(bytes(range(256)) * 500)), "taken"),
        "profile-numbers.jpg": (lambda: b.jpeg_with(b.segment(0xE2, b"ICC_PROFILE\0\xff\0" + bytes(900))), "taken"),
        "profile-lies.jpg": (
            lambda: b.jpeg_with(*b.profile_segments(b.changed(b.srgb_profile(), 0, b"\xff" * 4))),
            "taken",
        ),
        "profile-tags.jpg": (
            lambda: b.jpeg_with(*b.profile_segments(b.changed(b.srgb_profile(), 128, b"\xff" * 4))),
            "taken",
        ),
        "profile.webp": (lambda: b.webp_canvas(240, 320, (b"ICCP", bytes(5_000_000)), flags=0x20), ""),
        "xmp-entities.jpg": (lambda: b.jpeg_with(b.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + laughs)), "taken"),
        "comments.jpg": (lambda: b.jpeg_with(*[b.segment(0xFE, b"x" * 60_000)] * 100), "taken"),
        "segments.jpg": (lambda: b"\xff\xd8" + b"\xff\xe5\0\2" * 500_000, "damaged"),
        "fill.jpg": (lambda: b.base("jpeg")[:2] + b"\xff" * 5_000_000 + b.base("jpeg")[2:], ""),
        "chunks.png": (lambda: b.png_with(*[b.chunk(b"teSt", b"")] * 200_000), "damaged"),
        "texts.png": (lambda: b.png_with(*[b.chunk(b"tEXt", b"k\0" + bytes(9_000))] * 500), "taken"),
        "palette-long.png": (lambda: b.png_with(b.chunk(b"PLTE", bytes(3 * 300))), ""),
        "transparency-long.png": (lambda: b.png_with(b.chunk(b"tRNS", bytes(3_000))), ""),
        "chunk-length.png": (lambda: b.changed(b.base("png"), 33, b"\x7f\xff\xff\xff"), ""),
        "blocks.gif": (lambda: b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xfe\1a\0" * 500_000, "damaged"),
        "comment.gif": (lambda: b.base("gif")[:-1] + b"\x21\xfe" + b"\xff" + b"x" * 255, ""),
        "riff-length.webp": (lambda: b.riff((b"VP8 ", b.base("webp")[20:]), size=2**32 - 9), ""),
        "riff-chunk.webp": (lambda: b.changed(b.base("webp"), 16, b"\xff\xff\xff\xff"), ""),
        "riff-chunks.webp": (lambda: b.riff(*[(b"JUNK", b"")] * 200_000), ""),
    }
    return made


# --- Two things at once, and other things -----------------------------------------------------------------------------

_SCRIPT = b"<script>alert(document.domain)</script>"
_SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + _SCRIPT + b"</svg>"


def _archive(name: str = "a.html", data: bytes = _SCRIPT) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, data)
    return file.getvalue()


def _polyglots() -> Made:
    return {
        "zip.jpg": (lambda: b.base("jpeg") + _archive(), "taken"),
        "jar.gif": (lambda: b.base("gif") + _archive("A.class", b"\xca\xfe\xba\xbe"), "taken"),
        "html-behind.jpg": (lambda: b.base("jpeg") + b"<html>" + _SCRIPT, "taken"),
        "html-comment.jpg": (lambda: b.jpeg_with(b.segment(0xFE, b"--><html>" + _SCRIPT)), "taken"),
        "html-text.png": (lambda: b.png_with(b.chunk(b"tEXt", b"Title\0" + _SCRIPT)), "taken"),
        "html-behind.png": (lambda: b.base("png") + _SCRIPT, "taken"),
        "php.png": (lambda: b.png_with(b.chunk(b"tEXt", b"Comment\0<?php system($_GET['c']); ?>")), "taken"),
        "script.gif": (lambda: b"GIF89a/*" + b.gif(12079, 1)[8:] + b"*/=1;alert(1)//", ""),
        "script.bmp": (lambda: b"BM/*" + b.base("bmp")[4:] + b"*/=1;alert(1)", ""),
        "script.jpg": (lambda: b.jpeg_with(b.segment(0xFE, b"*/=alert(1);/*")), "taken"),
        "svg.jpg": (lambda: b.jpeg_with(b.segment(0xFE, _SVG)), "taken"),
        "exif.jpg": (
            lambda: b.jpeg_with(b.segment(0xE1, b"Exif\0\0" + b.directory([(0x010E, 2, len(_SVG), 26)]) + _SVG)),
            "taken",
        ),
        "pdf.jpg": (lambda: b.jpeg_with(b.segment(0xFE, b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj")), "taken"),
        "two.jpg": (lambda: b.base("jpeg") + b.base("progressive"), "taken"),
        "jpeg-and-png.jpg": (lambda: b.base("jpeg") + b.base("png"), "taken"),
        "shell.jpg": (lambda: b.base("jpeg") + b"\n#!/bin/sh\nid\n", "taken"),
    }


def _others() -> Made:
    bodies: dict[str, tuple[bytes, str]] = {
        "script.svg": (_SVG, "unsupported_format"),
        "script-2.svg": (b"<?xml version='1.0'?><!-- x -->" + _SVG, "unsupported_format"),
        "laughs.svg": (b"<!DOCTYPE svg [<!ENTITY a 'ha'>]>" + _SVG, ""),
        "svg-called.jpg": (_SVG, "unsupported_format"),
        "page.html": (b"<html>" + _SCRIPT + b"</html>", "not_an_image"),
        "page.jpg": (b"<!doctype html><html>" + _SCRIPT, "not_an_image"),
        "program.php.jpg": (b"<?php system($_GET['c']); ?>" + bytes(99), "not_an_image"),
        "program.exe.jpg": (b"MZ\x90\0" + bytes(2_000), "not_an_image"),
        "program.elf.jpg": (b"\x7fELF\2\1\1" + bytes(2_000), "not_an_image"),
        "page.pdf": (b"%PDF-1.7\n" + bytes(900), "unsupported_format"),
        "page.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (w) file\n", "unsupported_format"),
        "drawing.psd": (b"8BPS\0\1" + bytes(900), "unsupported_format"),
        "icon.ico": (b"\0\0\1\0\1\0" + bytes(900), "unsupported_format"),
        "photo.jp2": (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(900), "unsupported_format"),
        "photo.jxl": (b"\xff\x0a" + bytes(900), "unsupported_format"),
        "film.mp4": (b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(900), "unsupported_format"),
        "film.avi": (b"RIFF\xff\0\0\0AVI LIST" + bytes(900), "unsupported_format"),
        "sound.wav": (b"RIFF\xff\0\0\0WAVEfmt " + bytes(900), "not_an_image"),
        "grey.pgm": (b"P5 60000 60000 255\n" + bytes(900), "unsupported_format"),
        "archive.zip": (_archive(), "unsupported_format"),
        "archive.gz": (b"\x1f\x8b\x08" + bytes(900), "unsupported_format"),
        "one.jpg": (b"\xff", "not_an_image"),
        "none.jpg": (b"", "empty"),
        "zeros.jpg": (bytes(100_000), "not_an_image"),
        "ones.jpg": (b"\xff" * 100_000, ""),
        "text.jpg": ("사진이 아닙니다. ".encode() * 100, "not_an_image"),
        "mark.jpg": (b"\xef\xbb\xbf" + _SVG, "unsupported_format"),
        "starts-only.jpg": (b"\xff\xd8\xff" * 5_000, ""),
        "riff.webp": (b"RIFF\0\0\0\0WEBP", "damaged"),
    }
    return {name: (lambda body=body: body, expected) for name, (body, expected) in bodies.items()}


# --- Unusual but good -------------------------------------------------------------------------------------------------


def _levels(kind: type, top: float, mode: str | None = None) -> Image.Image:
    levels = np.linspace(0, top, 120 * 160).reshape(160, 120).astype(kind)
    return Image.fromarray(levels, mode) if mode else Image.fromarray(levels)


def _unusual() -> Made:
    makers: dict[str, Callable[[], bytes]] = {
        "cmyk.jpg": lambda: b.encoded(b.photo().convert("CMYK"), "JPEG"),
        "cmyk.tif": lambda: b.encoded(b.photo((60, 80)).convert("CMYK"), "TIFF"),
        "grey.jpg": lambda: b.encoded(b.photo().convert("L"), "JPEG"),
        "16-bit.png": lambda: b.encoded(_levels(np.uint16, 65535), "PNG"),
        "16-bit-rgba.png": lambda: b.png(160, 120, depth=16, colour=6, real=True),
        "16-bit.tif": lambda: b.encoded(_levels(np.uint16, 65535), "TIFF"),
        "32-bit.tif": lambda: b.encoded(_levels(np.int32, 2**31 - 1), "TIFF"),
        "float.tif": lambda: b.encoded(_levels(np.float32, 1e30), "TIFF"),
        "nan.tif": lambda: b.encoded(Image.fromarray(np.full((160, 120), np.nan, np.float32)), "TIFF"),
        "1-bit.png": lambda: b.encoded(b.photo((60, 80)).convert("1"), "PNG"),
        "1-bit.tif": lambda: b.encoded(b.photo((60, 80)).convert("1"), "TIFF", compression="group4"),
        "alpha.png": lambda: b.encoded(b.photo((60, 80)).convert("RGBA"), "PNG"),
        "grey-alpha.png": lambda: b.encoded(b.photo((60, 80)).convert("LA"), "PNG"),
        "transparent.png": lambda: b.encoded(Image.new("RGBA", (60, 80), (0, 0, 0, 0)), "PNG"),
        "lab.tif": lambda: b.encoded(Image.new("LAB", (60, 80)), "TIFF"),
        "film.gif": lambda: b.animated("GIF", 60),
        "film.webp": lambda: b.animated("WEBP", 60),
        "film.png": lambda: b.animated("PNG", 30),
        "film.avif": lambda: b.animated("AVIF", 12),
        "photo.mpo": lambda: b.animated("MPO", 3),
        "place.jpg": lambda: b.encoded(b.photo(), "JPEG", exif=b.place_exif()),
        "interlaced.gif": lambda: b.encoded(b.photo((60, 80)).quantize(16), "GIF", interlace=1),
        "optimised.jpg": lambda: b.encoded(b.photo(), "JPEG", quality=1, optimize=True, subsampling=2),
        "rle.bmp": lambda: b.bmp(8, 1, 8, 1, b"\x08\x01\0\0\0\1"),
        "top-down.bmp": lambda: b.bmp(8, -8),
    }
    made: Made = {name: (make, "taken") for name, make in makers.items()}
    for kind, ending in (("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif"), ("BMP", ".bmp")):
        for number, size in enumerate(((1, 1), (2, 1), (3, 150))):
            made[f"tiny-{number}{ending}"] = (lambda kind=kind, size=size: b.flat(kind, size), "taken")
    made["tiny.tif"] = (lambda: b.flat("TIFF", (1, 1)), "taken")
    made["tiny.heic"] = (lambda: b.flat("HEIF", (1, 1)), "")
    made["tiny.avif"] = (lambda: b.flat("AVIF", (1, 1)), "taken")
    return made


def _large_bombs() -> Made:
    """What unpacks to much more than the image."""
    return {
        "gigabyte.png": (lambda: b.png_with(b.chunk(b"zTXt", b"k\0\0" + b.deflated_zeros(1_000))), "taken"),
        "profile-gigabyte.png": (lambda: b.png_with(b.chunk(b"iCCP", b"x\0\0" + b.deflated_zeros(1_000))), "taken"),
        "deflate.tif": (_deflate_bomb, ""),
        "many-frames.gif": (lambda: b.animated("GIF", 3_000, (20, 20)), "taken"),
        "many-frames.webp": (lambda: b.animated("WEBP", 600, (40, 40)), "taken"),
    }


def _deflate_bomb() -> bytes:
    """A TIFF of 100 x 100 pixels whose one strip unpacks to 300 MB."""
    packed = b.deflated_zeros(300)
    assert zlib.decompressobj().decompress(packed, 10) == bytes(10)
    return b.tiff(100, 100, (259, 3, 1, 8), pixels=packed)


GROUPS: dict[str, Made] = {
    "wrong heads": _swapped(),
    "wrong sizes": _sizes(),
    "TIFF": _tiffs(),
    "bombs": _bombs(),
    "metadata": _metadata(),
    "polyglots": _polyglots(),
    "no images": _others(),
    "unusual": _unusual(),
    "large": _large(),
    "large bombs": _large_bombs(),
}
