"""From the bytes of a file to an upright RGB image, decoded once and only as large as is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from .colour import converter
from .containers import Broken, check_gif, check_tiff, jpeg_frame, mended_png, with_end
from .errors import DecodeError
from .formats import ACCEPTED, HEAD_BYTES, LISTED, VIDEO, sniff
from .memory import Memory
from .pixels import made_smaller

Source = bytes | Path

MAX_PIXELS = 100_000_000
MAX_SIDE = 40_000
MAX_ASPECT = 60
# Bytes that a reader holds at its peak for each pixel, measured, and how many pixels may come at that price.
_BYTES_PER_PIXEL = {"WebP": 16, "HEIC": 10, "AVIF": 13, "TIFF": 8, "GIF": 2}
_FORMAT_PIXELS = {
    "PNG": 40_000_000,
    "WebP": 13_000_000,
    "HEIC": 25_000_000,
    "AVIF": 16_000_000,
    "GIF": 40_000_000,
    "BMP": 40_000_000,
    "TIFF": 28_000_000,
}
_RAW_BYTES = 4
_COEFFICIENT_BYTES = 220_000_000  # of a JPEG of several scans, which is held whole besides its reduced pixels
_ROUNDING = 1e-6
_WHOLE_PIXELS = 40_000_000  # of a JPEG that is not reduced
_WORK_BYTES = 8_000_000
_COPIES_BYTES = 8  # for each pixel of the result, while copies are made of it
_MEMORY = Memory(256_000_000)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many pixels an image may have: any, and one of a format that can only be opened whole (by its name)."""

    pixels: int = MAX_PIXELS
    by_format: Mapping[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        """The limit for a format."""
        return min(self.pixels, self.by_format.get(name, _FORMAT_PIXELS.get(name, self.pixels)))


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright sRGB image; `width` and `height` are those of the original, which may be larger than `image`."""

    image: Image.Image
    width: int
    height: int


@dataclass(slots=True)
class _Opened:
    """An image whose header was read; `coefficients` are bytes that its reader holds besides the pixels."""

    image: Image.Image
    name: str
    data: bytes
    profile: bytes | None
    coefficients: int = 0


def inspect(data: bytes, max_pixels: int | Limits = MAX_PIXELS) -> str:
    """Say which of formats.ACCEPTED an image is of, from its header alone. Raises DecodeError as `decode` does."""
    return _open(data, _limits(max_pixels)).name


def decode(
    source: Source,
    *,
    detail: int | None = None,
    most_pixels: int | None = None,
    max_pixels: int | Limits = MAX_PIXELS,
) -> Decoded:
    """Decode an image: first frame, EXIF orientation applied, transparency on white, any depth to 8 bit, in sRGB.

    Args:
        source: the file's bytes, or where it is.
        detail: the pixels on the shorter side that the caller needs; larger images may come reduced by a whole factor,
            never below it.
        most_pixels: what the caller has room for; larger images come reduced to it, whatever `detail` says.
        max_pixels: images that have more are refused; as Limits by format, too.

    Raises:
        DecodeError: with one of its codes.
    """
    with decoding(source, detail=detail, most_pixels=most_pixels, max_pixels=max_pixels) as decoded:
        return decoded


@contextmanager
def decoding(
    source: Source,
    *,
    detail: int | None = None,
    most_pixels: int | None = None,
    max_pixels: int | Limits = MAX_PIXELS,
) -> Iterator[Decoded]:
    """Like `decode`, for who works on with the image: all threads together hold what memory is set aside for that.

    Until the block ends, another thread that needs more than is left waits, so it must not decode within the block.
    """
    data = source if isinstance(source, bytes) else _read(source)
    opened = _open(data, _limits(max_pixels))
    width, height = opened.image.size
    scale = _least_scale(width, height, detail, most_pixels)
    _draft(opened, scale)
    with _MEMORY.taken(_peak_bytes(opened, most_pixels)):
        yield _decoded(opened, width, height, scale, most_pixels)


def _limits(max_pixels: int | Limits) -> Limits:
    return max_pixels if isinstance(max_pixels, Limits) else Limits(max_pixels)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DecodeError("not_found", "There is no such file.") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        raise DecodeError("unreadable", f"The file cannot be read: {error}.") from error


# --- Headers ----------------------------------------------------------------------------------------------------------


def _open(data: bytes, limits: Limits) -> _Opened:
    """Read the header with the one reader that the first bytes ask for, and refuse by it what is not taken."""
    if not data:
        raise DecodeError("empty", "The file is empty.")
    name = sniff(data[:HEAD_BYTES])
    if name is None:
        raise DecodeError("not_an_image", f"The file is not an image. Give {LISTED}.")
    if name not in ACCEPTED:
        raise _unsupported(name)
    try:
        opened = _opened(data, name)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(name, limits.pixels, limits) from error
    except DecodeError:
        raise
    except Exception as error:  # Pillow's readers answer what they cannot read with many unrelated types
        raise _damaged() from error
    _check_dimensions(opened, limits)
    return opened


def _opened(data: bytes, name: str) -> _Opened:
    profile, coefficients = None, 0
    if name == "JPEG":
        coefficients = jpeg_frame(data).coefficients
    elif name == "PNG":
        mended = mended_png(data)
        data, profile = mended.data, mended.profile
    elif name == "GIF":
        check_gif(data)
    elif name == "TIFF":
        check_tiff(data)
    elif name in ("HEIC", "AVIF"):
        _require_reader(name)
    image: Image.Image = Image.open(BytesIO(data), formats=ACCEPTED[name].readers)
    if isinstance(image, TiffImageFile):
        _check_tags(image)
    return _Opened(image, name, data, profile or image.info.get("icc_profile"), coefficients)


def _require_reader(name: str) -> None:
    """Load the reader of a format that not every machine can read. Raises DecodeError `unsupported_format`."""
    if name == "HEIC":
        try:
            import pillow_heif
        except ImportError as error:
            raise _unsupported(name) from error
        pillow_heif.register_heif_opener()
    Image.init()
    if ACCEPTED[name].readers[0] not in Image.OPEN:
        raise _unsupported(name)


_TILE_WIDTH, _TILE_HEIGHT, _SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 322, 323, 254, 330, 50706


def _check_tags(image: TiffImageFile) -> None:
    """Refuse a camera's raw data, whose first image is a stamp, and tiles that are larger than their image."""
    tags = image.tag_v2
    if _DNG_VERSION in tags or (_SUB_DIRECTORIES in tags and int(tags.get(_SUBFILE_TYPE, 0)) & 1):
        raise _unsupported("RAW")
    tile = int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_HEIGHT, 0))
    if tile > 2**20 and tile > 4 * image.width * image.height:
        raise Broken("tiles that are larger than the image")


def _check_dimensions(opened: _Opened, limits: Limits) -> None:
    width, height = opened.image.size
    longer, shorter = max(width, height), min(width, height)
    if longer > MAX_SIDE or longer > MAX_ASPECT * shorter:
        raise DecodeError(
            "too_long",
            f"The image has {width} x {height} pixels. A side may have {MAX_SIDE}, and {MAX_ASPECT} times the other.",
            width=width,
            height=height,
        )
    pixels = width * height
    if pixels > limits.of(opened.name):
        raise _too_many_pixels(opened.name, limits.of(opened.name), limits)
    if opened.coefficients > _COEFFICIENT_BYTES:
        most = int(pixels * _COEFFICIENT_BYTES / opened.coefficients)
        raise _too_many_pixels(opened.name, most, Limits(most))


def _unsupported(name: str) -> DecodeError:
    if name == VIDEO:
        sentence = "This is a video. Give an image of it, as JPEG."
    elif name in ACCEPTED:
        sentence = f"{name} cannot be read on this machine. Install its reader (requirements.txt), or save it as JPEG."
    else:
        sentence = f"Images of the kind {name} are not taken. Save it as JPEG, and give that."
    return DecodeError("unsupported_format", sentence, format=name)


def _too_many_pixels(name: str, limit: int, limits: Limits) -> DecodeError:
    megapixels = f"{limit / 1e6:.3g}"
    if limit >= limits.pixels:
        return DecodeError("too_many_pixels", f"The image has more than {megapixels} million pixels.", limit=megapixels)
    return DecodeError(
        "too_many_pixels_for_format",
        f"The image has more than {megapixels} million pixels, too many for {name}. Save it as JPEG.",
        limit=megapixels,
        format=name,
    )


def _damaged() -> DecodeError:
    return DecodeError("damaged", "The image is damaged: its pixels cannot be decoded.")


# --- Pixels -----------------------------------------------------------------------------------------------------------


def _least_scale(width: int, height: int, detail: int | None, most_pixels: int | None) -> float:
    """The scale that the result must have at least, 1 at most."""
    scale = 1.0 if detail is None else min(1.0, detail / min(width, height))
    return scale if most_pixels is None else min(scale, math.sqrt(most_pixels / (width * height)))


def _draft(opened: _Opened, scale: float) -> None:
    """Let a JPEG be scaled within the inverse DCT: to what is needed, and further where that is more than fits."""
    image = opened.image
    width, height = image.size
    factor = 1
    while factor < 8 and (2 * factor <= 1 / scale + _ROUNDING or width * height / factor**2 > _WHOLE_PIXELS):
        factor *= 2
    if opened.name == "JPEG" and factor > 1:
        image.draft(image.mode, (width // factor, height // factor))


def _peak_bytes(opened: _Opened, most_pixels: int | None) -> int:
    """About how many bytes it takes to load an opened image, and to make copies of what comes out."""
    pixels = opened.image.width * opened.image.height
    loading = opened.coefficients + _BYTES_PER_PIXEL.get(opened.name, _RAW_BYTES) * pixels
    return loading + _COPIES_BYTES * min(pixels, most_pixels or pixels) + _WORK_BYTES


def _decoded(opened: _Opened, width: int, height: int, scale: float, most_pixels: int | None) -> Decoded:
    try:
        _load(opened, (width, height))
        image = opened.image
        turn = _TURNS.get(_orientation(image))
        factor = max(1, int(min(image.size) / max(1.0, min(width, height) * scale) + _ROUNDING))
        rgb = made_smaller(image, factor, most_pixels, converter(image.mode, opened.profile))
    except DecodeError:
        raise
    except Exception as error:  # Pillow's readers answer broken pixels with many unrelated types
        raise _damaged() from error
    del image
    opened.image = rgb  # the one as it was loaded goes before a copy is made of this one
    rgb.info = {}  # who saves it shall not pass on comments or a place
    if turn is None:
        return Decoded(rgb, width, height)
    upright = rgb.transpose(turn)
    return Decoded(upright, height, width) if turn in _QUARTER_TURNS else Decoded(upright, width, height)


def _load(opened: _Opened, size: tuple[int, int]) -> None:
    """Decode the pixels; of a JPEG without its last bytes too, which browsers show."""
    drafted = opened.image.size
    try:
        opened.image.load()
    except OSError:
        whole = with_end(opened.data) if opened.name == "JPEG" else None
        if whole is None:
            raise
        opened.image = Image.open(BytesIO(whole), formats=ACCEPTED["JPEG"].readers)
        if drafted != size:
            opened.image.draft(opened.image.mode, drafted)
        opened.image.load()


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
_QUARTER_TURNS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation of a loaded image (1 upright). Broken EXIF is no reason to refuse an image."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return 1
