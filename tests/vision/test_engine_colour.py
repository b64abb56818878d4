"""Colours: what an image's profile says of them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from catalog.copies import display_copy
from tests.support.drawn_profiles import cmyk_profile, delta_e, ink_lab, lab_of
from vision.engine import decode

INKS = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0), (0, 0, 0, 0), (0, 1, 1, 0)]
SIDE = 64


def _inked(kind, profile, **save):
    """A patch of each combination of inks, side by side."""
    image = Image.new("CMYK", (SIDE * len(INKS), SIDE))
    for number, inks in enumerate(INKS):
        image.paste(tuple(255 * ink for ink in inks), (number * SIDE, 0, (number + 1) * SIDE, SIDE))
    buffer = io.BytesIO()
    image.save(buffer, kind, icc_profile=profile, **save)
    return buffer.getvalue()


def _patches(image):
    return [image.getpixel((number * SIDE + SIDE // 2, SIDE // 2)) for number in range(len(INKS))]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize("detail", [None, 16])
def test_cmyk_is_converted_by_its_profile(kind, detail):
    save = {"quality": 100} if kind == "JPEG" else {}
    decoded = decode(_inked(kind, cmyk_profile(), **save), detail=detail).image
    scale = decoded.width / (SIDE * len(INKS))
    for number, inks in enumerate(INKS):
        seen = decoded.getpixel((int((number + 0.5) * SIDE * scale), int(SIDE * scale / 2)))
        assert delta_e(lab_of(seen), ink_lab(*inks)) < 2, inks


def test_without_the_profile_it_would_be_far_off():
    patches = _patches(decode(_inked("JPEG", None, quality=100)).image)
    assert max(delta_e(lab_of(seen), ink_lab(*inks)) for seen, inks in zip(patches, INKS, strict=True)) > 20


def test_the_copy_that_pages_show_keeps_the_colours():
    shown = Image.open(io.BytesIO(display_copy(decode(_inked("JPEG", cmyk_profile(), quality=100)).image)))
    for seen, inks in zip(_patches(shown), INKS, strict=True):
        assert delta_e(lab_of(seen), ink_lab(*inks)) < 2, inks


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("profile", [b"no profile", cmyk_profile()[:300], SRGB])
def test_a_profile_that_says_nothing_of_the_inks_is_passed_over(profile):
    plain = decode(_inked("JPEG", None, quality=100)).image
    assert decode(_inked("JPEG", profile, quality=100)).image.tobytes() == plain.tobytes()


def test_a_profile_of_inks_is_passed_over_where_there_are_none():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(buffer, "PNG", icc_profile=cmyk_profile())
    assert decode(buffer.getvalue()).image.getpixel((4, 4)) == (200, 30, 30)


def test_lab_is_converted():
    lab = Image.fromarray(np.full((8, 8, 3), (128, 20, 0), np.uint8), "LAB")
    buffer = io.BytesIO()
    lab.save(buffer, "TIFF")
    assert delta_e(lab_of(decode(buffer.getvalue()).image.getpixel((4, 4))), (50.2, 20, 0)) < 2
