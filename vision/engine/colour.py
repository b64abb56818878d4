"""Colours as sRGB: by the profile that an image comes with, as browsers and printers understand it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from PIL import Image, ImageCms

Convert = Callable[[Image.Image], Image.Image]

_RGB_MODES = frozenset(("RGB", "RGBA", "RGBX", "P", "PA"))
_GREY_MODES = frozenset(("1", "L", "LA", "La", "I", "F"))


def converter(mode: str, profile: bytes | None) -> Convert | None:
    """What makes sRGB of an image of this mode; None where Pillow's own conversion to RGB is all there is to do.

    It takes a part of the image in its own mode if that is CMYK or LAB, else in RGB, and returns RGB. A broken profile,
    or one of another kind of colours, is no reason to refuse an image: browsers then go without.
    """
    try:
        if mode == "LAB":
            return _by_transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB")
        if not profile:
            return None
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "CMYK" and mode == "CMYK":
            return _by_transform(source, "CMYK")
        if space == "RGB" and mode in _RGB_MODES:
            return _by_transform(source, "RGB")
        if space == "GRAY" and (mode in _GREY_MODES or mode.startswith("I;16")):
            grey = _by_transform(source, "L")
            return lambda image: grey(image.getchannel(0))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        pass
    return None


def takes_raw(mode: str) -> bool:
    """Whether the converter wants the image in its own mode, because conversion to RGB uses its values up."""
    return mode in ("CMYK", "LAB")


def _by_transform(source: ImageCms.ImageCmsProfile, mode: str) -> Convert:
    intent = ImageCms.Intent(ImageCms.getDefaultIntent(source)) if mode != "LAB" else ImageCms.Intent.PERCEPTUAL
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", intent)

    def convert(image: Image.Image) -> Image.Image:
        if mode == "RGB":
            ImageCms.applyTransform(image, transform, inPlace=True)
            return image
        converted = ImageCms.applyTransform(image, transform)
        assert converted is not None
        return converted

    return convert
