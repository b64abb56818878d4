"""Images without a garment are the same for the same split, and others for the other one."""

import hashlib

import pytest
from PIL import Image

from tests.support.drawn_datasets import draw_garments
from vision.evaluation.negatives import write_negatives
from vision.evaluation.negatives.cut import ASSET_CUTS
from vision.evaluation.negatives.drawn import DRAWINGS, draw
from vision.training.dataset import read_dataset


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return read_dataset(draw_garments(tmp_path_factory.mktemp("drawn") / "garments")).images


def _hashes(folder):
    """Of each file but the backgrounds: those of the drawn garments are all of one colour."""
    paths = [path for path in sorted(folder.iterdir()) if "background" not in path.name]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def _write(tmp_path, images, name, split, count):
    folder = tmp_path / name
    folder.mkdir()
    return folder, write_negatives(folder, images, split, count)


def test_it_writes_as_many_as_asked_the_same_each_time_and_others_for_train(tmp_path, images):
    first, listed = _write(tmp_path, images, "first", "val", 16)
    again, _ = _write(tmp_path, images, "again", "val", 16)
    train, _ = _write(tmp_path, images, "train", "train", 16)

    assert len(listed) == len(list(first.iterdir())) == 16
    assert len(set(_hashes(first))) == 16 - 3
    assert _hashes(first) == _hashes(again)
    assert not set(_hashes(first)) & set(_hashes(train))


def test_it_shows_parts_of_images_and_drawings(tmp_path, images):
    _, listed = _write(tmp_path, images, "folder", "val", 30)

    kinds = [one.kind for one in listed]
    assert kinds.count("cut") == len(ASSET_CUTS["val"][1])
    assert kinds.count("background") == 4  # as many as the four garments of val have room beside them
    assert {"chart", "text", "size chart"} <= set(kinds)


def test_what_lies_beside_a_garment_is_all_that_is_left_of_its_image(tmp_path, images):
    _, listed = _write(tmp_path, images, "folder", "val", 30)

    for one in listed:
        if one.kind == "background":
            with Image.open(one.path) as image:
                colours = image.convert("RGB").getextrema()
            assert all(high - low < 40 for low, high in colours), "the ground of the drawn images is of one colour"


@pytest.mark.parametrize("kind", DRAWINGS)
def test_each_kind_can_be_drawn(kind):
    image, same, other = draw(kind, "val 1"), draw(kind, "val 1"), draw(kind, "train 1")

    assert image.mode == "RGB"
    assert image.tobytes() == same.tobytes()
    assert image.tobytes() != other.tobytes()
