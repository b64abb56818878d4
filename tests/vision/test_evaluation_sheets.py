"""Contact sheets say which finds are right, and stay small."""

import pytest
from PIL import Image

from tests.support.drawn_images import photo
from vision.engine.results import Alternative
from vision.evaluation.outfit_sheets import RIGHT, WRONG, draw_outfits, is_hit
from vision.evaluation.outfits import Outfit, Seen, WornGarment, compare

BOX = (0.1, 0.2, 0.9, 0.9)


def _compared(tmp_path, *names):
    path = tmp_path / "a.jpg"
    path.write_bytes(photo())
    truth = WornGarment({"category": "Shirt", "material": "", "sleeve_length": ""}, BOX)
    finds = [Seen(BOX, {"category": (Alternative(name, 0.9),)}) for name in names]
    return compare(Outfit(path, (truth,)), finds)


@pytest.mark.parametrize(
    ("names", "hit"), [(["Shirt"], True), (["Coat"], False), ([], False), (["Shirt", "Coat"], False)]
)
def test_a_frame_says_whether_all_is_right(tmp_path, names, hit):
    compared = _compared(tmp_path, *names)
    sheet = tmp_path / "sheet.jpg"

    draw_outfits(sheet, [compared], most_bytes=100_000)

    assert is_hit(compared) is hit
    with Image.open(sheet) as image:
        frame = image.getpixel((12, 200))
    expected = Image.new("RGB", (1, 1), RIGHT if hit else WRONG).getpixel((0, 0))
    assert all(abs(a - b) < 60 for a, b in zip(frame, expected, strict=True))


def test_it_does_not_write_a_sheet_that_is_too_large(tmp_path):
    sheet = tmp_path / "sheet.jpg"
    one = _compared(tmp_path, "Shirt")
    draw_outfits(sheet, [one] * 10, most_bytes=1_000_000)
    size = sheet.stat().st_size

    draw_outfits(sheet, [one] * 10, most_bytes=size - 1)

    assert sheet.stat().st_size < size
    with pytest.raises(ValueError, match=r"sheet\.jpg"):
        draw_outfits(sheet, [one] * 10, most_bytes=1000)
