"""Any image becomes an upright RGB image, anything else a coded error."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.support.drawn_images import photo
from vision.engine import DecodeError, decode

# Four corners of different colours: turning, mirroring or mixing up channels shows.
CORNERS = {
    "left top": (200, 30, 30),
    "right top": (30, 180, 30),
    "left bottom": (30, 30, 200),
    "right bottom": (240, 220, 60),
}


def cornered(width=64, height=48):
    image = Image.new("RGB", (width, height))
    for name, colour in CORNERS.items():
        x = 0 if "left" in name else width // 2
        y = 0 if "top" in name else height // 2
        image.paste(colour, (x, y, x + width // 2, y + height // 2))
    return image


def encoded(image, kind="PNG", **save):
    buffer = io.BytesIO()
    image.save(buffer, kind, **save)
    return buffer.getvalue()


def corners_of(image):
    x, y = image.width - 5, image.height - 5
    points = {"left top": (4, 4), "right top": (x, 4), "left bottom": (4, y), "right bottom": (x, y)}
    return {name: image.getpixel(point) for name, point in points.items()}


def assert_upright(decoded, size=(64, 48), tolerance=12):
    assert (decoded.width, decoded.height) == size
    assert decoded.image.mode == "RGB"
    for name, colour in corners_of(decoded.image).items():
        assert colour == pytest.approx(CORNERS[name], abs=tolerance), name


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_it_reads_the_formats_of_images(kind):
    lossless = {"lossless": True} if kind == "WEBP" else {}
    assert_upright(decode(encoded(cornered(), kind, **lossless)), tolerance=20)


def test_it_reads_jpeg():
    assert_upright(decode(encoded(cornered(), "JPEG", quality=95, subsampling=0)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_turns_every_exif_orientation_upright(kind, orientation):
    stored = {
        1: lambda p: p,
        2: lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda p: p.transpose(Image.Transpose.ROTATE_180),
        4: lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda p: p.transpose(Image.Transpose.TRANSPOSE),
        6: lambda p: p.transpose(Image.Transpose.ROTATE_90),
        7: lambda p: p.transpose(Image.Transpose.TRANSVERSE),
        8: lambda p: p.transpose(Image.Transpose.ROTATE_270),
    }[orientation](cornered())
    exif = Image.Exif()
    exif[0x0112] = orientation
    save = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    assert_upright(decode(encoded(stored, kind, exif=exif, **save)), tolerance=25)


def test_it_reads_an_image_with_broken_exif():
    assert_upright(
        decode(encoded(cornered(), "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"))
    )


def exchanged_profile():
    """An ICC profile like sRGB's whose red and blue have changed places: in it (200, 30, 30) means a blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    entries = {
        profile[at : at + 4]: at + 4 for at in range(132, 132 + 12 * struct.unpack_from(">I", profile, 128)[0], 12)
    }
    red, blue = (profile[entries[tag] : entries[tag] + 8] for tag in (b"rXYZ", b"bXYZ"))
    exchanged = bytearray(profile)
    exchanged[entries[b"rXYZ"] : entries[b"rXYZ"] + 8] = blue
    exchanged[entries[b"bXYZ"] : entries[b"bXYZ"] + 8] = red
    return bytes(exchanged)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_it_converts_the_colours_of_a_profile(mode):
    red, green, blue = cornered().split()
    image = Image.merge("RGB", (blue, green, red)).convert(mode, palette=Image.Palette.ADAPTIVE)
    assert_upright(decode(encoded(image, icc_profile=exchanged_profile())))


@pytest.mark.parametrize("profile", [b"no profile", exchanged_profile()[:200]])
def test_it_reads_an_image_with_a_broken_profile(profile):
    assert_upright(decode(encoded(cornered(), icc_profile=profile)))


def test_it_reads_cmyk_jpeg():
    assert_upright(decode(encoded(cornered().convert("CMYK"), "JPEG", quality=95, subsampling=0)))


def test_it_reads_a_palette():
    assert_upright(decode(encoded(cornered().convert("P", palette=Image.Palette.ADAPTIVE))))


def test_it_reads_one_bit_and_grey():
    assert decode(encoded(Image.new("1", (8, 8), 1))).image.getpixel((4, 4)) == (255, 255, 255)
    assert decode(encoded(Image.new("L", (8, 8), 90))).image.getpixel((4, 4)) == (90, 90, 90)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_it_scales_16_bit_down_instead_of_clipping_it(kind):
    levels = np.full((8, 8), 128 * 257, np.uint16)
    assert decode(encoded(Image.fromarray(levels), kind)).image.getpixel((4, 4)) == (128, 128, 128)


def test_it_reads_floating_point_grey():
    levels = np.linspace(0, 1000, 64, dtype=np.float32).reshape(8, 8)
    image = decode(encoded(Image.fromarray(levels), "TIFF")).image
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((7, 7)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_it_puts_transparency_on_white(mode):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))
    decoded = decode(encoded(image.convert(mode))).image
    assert decoded.getpixel((1, 4)) == (0, 0, 0)
    assert decoded.getpixel((6, 4)) == (255, 255, 255)


def test_it_puts_a_transparent_palette_entry_on_white():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    assert decode(encoded(image, transparency=0)).image.getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_it_takes_the_first_frame_of_an_animation(kind):
    others = [Image.new("RGB", (64, 48), "black")] * 2
    assert_upright(decode(encoded(cornered(), kind, save_all=True, append_images=others)), tolerance=40)


def test_it_decodes_a_large_image_only_as_large_as_needed():
    decoded = decode(encoded(cornered(1600, 1200), "JPEG"), detail=256)
    assert (decoded.width, decoded.height) == (1600, 1200)
    assert decoded.image.size == (400, 300)  # a quarter: an eighth would fall below 256
    assert decode(encoded(cornered(1600, 1200)), detail=256).image.size == (400, 300)


def test_it_never_enlarges():
    assert decode(photo(size=(80, 60)), detail=256).image.size == (80, 60)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"hello", "not_an_image"),
        (b"a text of some length that was named .jpg " * 50, "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
        (b"<!doctype html><title>x</title>", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "unsupported_format"),
        (photo()[:2000], "damaged"),
        (photo(kind="PNG")[:300], "damaged"),
        (photo()[:3], "not_an_image"),
    ],
)
def test_it_refuses_what_is_no_image(data, code):
    with pytest.raises(DecodeError) as refused:
        decode(data)
    assert refused.value.code == code
    assert refused.value.message.endswith(".")


def test_it_refuses_too_many_pixels_before_decoding_them():
    with pytest.raises(DecodeError) as refused:
        decode(photo(size=(400, 300)), max_pixels=400 * 300 - 1)
    assert refused.value.code == "too_many_pixels"


def test_it_refuses_a_bomb():
    header = encoded(Image.new("1", (30_000, 30_000)))
    with pytest.raises(DecodeError) as refused:
        decode(header)
    assert refused.value.code == "too_many_pixels"


def test_it_refuses_files_that_are_not_there_or_cannot_be_opened(tmp_path):
    for path, code in ((tmp_path / "nowhere.jpg", "not_found"), (tmp_path, "unreadable")):
        with pytest.raises(DecodeError) as refused:
            decode(path)
        assert refused.value.code == code
