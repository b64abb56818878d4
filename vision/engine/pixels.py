"""From pixels as a reader loaded them, of any mode and depth, to 8-bit sRGB of the size that is needed."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .colour import Convert, takes_raw

_BAND_PIXELS = 2_000_000  # of a loaded image that are worked on at a time, in several copies
_REACH = 3  # source pixels on either side that a pixel of the result is blended from, in units of the scale


def made_smaller(image: Image.Image, factor: int, most_pixels: int | None, convert: Convert | None) -> Image.Image:
    """8-bit sRGB of a loaded image, smaller by a whole factor, or to `most_pixels` where that does not suffice.

    `convert` is what `colour.converter` gives for its mode and profile.
    """
    width, height = image.size
    fit = math.sqrt(most_pixels / (width * height)) if most_pixels else 1.0
    if fit < 1 / factor:
        return _fitted(image, (max(1, int(width * fit)), max(1, int(height * fit))), convert)
    return _reduced(image, factor, convert)


def _fitted(image: Image.Image, size: tuple[int, int], convert: Convert | None) -> Image.Image:
    """8-bit sRGB of exactly this smaller size, band by band like `_reduced`; bands overlap by what they blend."""
    white = _white(image)
    width, height = image.size
    scale = height / size[1]
    reach = math.ceil(_REACH * scale)
    rows = max(1, int(_BAND_PIXELS / (width * scale)))
    fitted = Image.new("RGB", size)
    for top in range(0, size[1], rows):
        bottom = min(top + rows, size[1])
        first, last = top * scale, bottom * scale
        start, end = max(0, int(first) - reach), min(height, math.ceil(last) + reach)
        band = _to_srgb(image.crop((0, start, width, end)), white, convert)
        place = (0, first - start, width, min(last - start, band.height))
        fitted.paste(band.resize((size[0], bottom - top), box=place), (0, top))
    return fitted


def _reduced(image: Image.Image, factor: int, convert: Convert | None) -> Image.Image:
    """8-bit sRGB, smaller by a whole factor. Band by band: a large image is held once, not in several modes."""
    if image.mode == "RGB" and factor <= 1 and "transparency" not in image.info:
        return convert(image) if convert else image
    white = _white(image)
    width, height = image.size
    reduced = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, _BAND_PIXELS // (width * factor))
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(top + rows, height)))
        reduced.paste(_to_srgb(band, white, convert).reduce(factor), (0, top // factor))
    return reduced


def _to_srgb(band: Image.Image, white: float | None, convert: Convert | None) -> Image.Image:
    if convert is None:
        return _to_rgb(band, white)
    return convert(band if takes_raw(band.mode) else _to_rgb(band, white))


def _white(image: Image.Image) -> float | None:
    """The level that becomes white where levels have more than 8 bits: 16 bit by its range, others by the brightest."""
    if image.mode.startswith("I;16"):
        return 65535.0
    if image.mode not in ("I", "F"):
        return None
    _darkest, brightest = image.getextrema()
    assert isinstance(brightest, int | float)
    return max(float(brightest), 255.0) if math.isfinite(brightest) else 255.0


def _to_rgb(image: Image.Image, white: float | None) -> Image.Image:
    """8-bit RGB of the current frame; what is transparent becomes white."""
    if white is not None:
        levels = np.nan_to_num(np.asarray(image, np.float32))  # floats need not be numbers
        return Image.fromarray(np.clip(levels * (255.0 / white), 0, 255).astype(np.uint8), "L").convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        opaque = Image.new("RGBA", rgba.size, "white")
        opaque.alpha_composite(rgba)
        return opaque.convert("RGB")
    return image.convert("RGB")
