"""Two garments side by side, with the boxes of both."""

import pytest
from PIL import Image

from tests.support.drawn_datasets import KINDS, draw_garments
from vision.evaluation.pairs import write_pairs
from vision.training.dataset import read_dataset


@pytest.fixture
def images(tmp_path):
    return read_dataset(draw_garments(tmp_path / "garments")).select("train")


def test_boxes_lie_where_the_garments_are(tmp_path, images):
    pairs = write_pairs(tmp_path, images, 6)

    assert len(pairs) == 6
    for pair in pairs:
        with Image.open(pair.path) as image:
            for garment in pair.garments:
                x1, y1, x2, y2 = (edge * side for edge, side in zip(garment.box, image.size * 2, strict=True))
                middle = image.getpixel((round((x1 + x2) / 2), round(0.2 * y1 + 0.8 * y2)))
                expected = Image.new("RGB", (1, 1), KINDS[garment.labels["category"]][0]).getpixel((0, 0))
                assert all(abs(a - b) < 40 for a, b in zip(middle, expected, strict=True))
                beside = image.getpixel((max(0, round(x1) - 6), round((y1 + y2) / 2)))
                assert any(abs(a - b) > 40 for a, b in zip(beside, expected, strict=True))


def test_the_same_seed_gives_the_same_pairs(tmp_path, images):
    def drawn(name, seed):
        folder = tmp_path / name
        folder.mkdir()
        return [pair.path.read_bytes() for pair in write_pairs(folder, images, 3, seed)]

    assert drawn("a", "one") == drawn("b", "one")
    assert drawn("c", "two") != drawn("d", "one")
