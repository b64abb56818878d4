"""From the bytes of a file to an upright RGB image, decoded once and only as large as the networks need."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from .errors import DecodeError

Source = bytes | Path

MAX_PIXELS = 100_000_000
# Pillow's other readers are not for images, and one of them starts an external program (EPS). JPEG includes MPO.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")

# Bytes that decoding holds at its peak, measured: of each pixel of the image, by format, and of a progressive JPEG's
# coefficients, which stay in memory at full size.
_BYTES_PER_PIXEL = {"WEBP": 16}
_RAW_BYTES = 4
_COEFFICIENT_BYTES = 3
_MUCH = 32 * 2**20
_ALONE = threading.Lock()


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright sRGB image; `width` and `height` are those of the original, which may be larger than `image`."""

    image: Image.Image
    width: int
    height: int


def decode(source: Source, *, detail: int | None = None, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decode an image: first frame, EXIF orientation applied, transparency on white, any depth to 8 bit, in sRGB.

    `detail` is the number of pixels on the shorter side that the caller needs; larger images may come reduced by
    a whole factor, never below it. What takes much memory is decoded alone, whichever thread asks. Raises DecodeError.
    """
    data = source if isinstance(source, bytes) else _read(source)
    if not data:
        raise DecodeError("empty", "The file is empty.")
    try:
        image: Image.Image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(max_pixels) from error
    except Exception as error:  # Pillow's readers answer what they cannot read with many unrelated types
        raise DecodeError("not_an_image", "The file is not an image that can be read (JPEG, PNG, WebP).") from error
    if image.width * image.height > max_pixels:
        raise _too_many_pixels(max_pixels)
    try:
        width, height = image.size
        if detail is not None:
            image.draft(image.mode, (detail, detail))  # JPEG only: scales within the inverse DCT
        with _ALONE if _peak_bytes(image, width * height) > _MUCH else nullcontext():
            image.load()
            turn = _TURNS.get(_orientation(image))
            rgb = _reduced(image, min(image.size) // detail if detail else 1)
            _convert_to_srgb(rgb, image)
            del image  # before the next one's turn
    except Exception as error:  # as above
        raise DecodeError("damaged", "The image is damaged: its pixels cannot be decoded.") from error
    if turn is None:
        return Decoded(rgb, width, height)
    upright = rgb.transpose(turn)
    return Decoded(upright, height, width) if turn in _QUARTER_TURNS else Decoded(upright, width, height)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DecodeError("not_found", "There is no such file.") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise DecodeError("unreadable", f"The file cannot be read: {error}.") from error


def _peak_bytes(image: Image.Image, pixels: int) -> int:
    """About how many bytes it takes to load an opened image, of which `pixels` are the original's."""
    if image.info.get("progressive"):
        return _COEFFICIENT_BYTES * pixels
    return _BYTES_PER_PIXEL.get(image.format or "", _RAW_BYTES) * image.width * image.height


def _too_many_pixels(limit: int) -> DecodeError:
    return DecodeError("too_many_pixels", f"The image has more than {limit / 1e6:g} million pixels.")


_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BAND = 64  # rows of a reduced image that are worked out at a time
_QUARTER_TURNS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation of a loaded image (1 upright). Broken EXIF is no reason to refuse an image."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return 1


def _convert_to_srgb(rgb: Image.Image, image: Image.Image) -> None:
    """Convert the colours of `rgb` in place where `image`, which it was made of, came with a profile of its own.

    Phones write wider colours than sRGB. In other modes than these the conversion to RGB has used up the values that
    the profile speaks of, and a broken profile is no reason to refuse an image: browsers show both as sRGB.
    """
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "P"):
        return
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        ImageCms.profileToProfile(rgb, source, ImageCms.createProfile("sRGB"), inPlace=True)
    except (ImageCms.PyCMSError, OSError):
        return


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """8-bit RGB, smaller by a whole factor. Band by band: a large image is held once, not in several modes."""
    white = _white(image)
    if factor <= 1:
        return _to_rgb(image, white)
    width, height = image.size
    reduced = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, _BAND * factor):
        band = image.crop((0, top, width, min(top + _BAND * factor, height)))
        reduced.paste(_to_rgb(band, white).reduce(factor), (0, top // factor))
    return reduced


def _white(image: Image.Image) -> float | None:
    """The level that becomes white where levels have more than 8 bits: 16 bit by its range, others by the brightest."""
    if image.mode.startswith("I;16"):
        return 65535.0
    if image.mode not in ("I", "F"):
        return None
    _darkest, brightest = image.getextrema()
    assert isinstance(brightest, int | float)
    return max(float(brightest), 255.0)


def _to_rgb(image: Image.Image, white: float | None) -> Image.Image:
    """8-bit RGB of the current frame; what is transparent becomes white."""
    if white is not None:
        levels = np.asarray(image, np.float32)
        return Image.fromarray(np.clip(levels * (255.0 / white), 0, 255).astype(np.uint8), "L").convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        opaque = Image.new("RGBA", rgba.size, "white")
        opaque.alpha_composite(rgba)
        return opaque.convert("RGB")
    return image.convert("RGB")
