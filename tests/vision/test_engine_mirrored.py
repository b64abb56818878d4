"""A detector that looks at mirror images too finds what it saw in only one of them, and hears both on what it is."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.support.scripted_networks import SIZE, SQUARE, engine_of, finder

COAT, SHIRT = (0.1, 0.1, 0.7, 0.3), (0.6, 0.1, 0.2, 0.1)


class Sides:
    """Sees boxes (x1, y1, x2, y2, scores) in the image, and others in its mirror image, told apart by a red corner."""

    def __init__(self, straight, mirror):
        self.seen = [np.array([self.row(*box) for box in boxes], np.float32).T for boxes in (straight, mirror)]
        self.passes = 0

    @staticmethod
    def row(x1, y1, x2, y2, *scores):
        return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, *scores

    def infer(self, batch):
        self.passes += 1
        return np.stack([self.seen[int(image[0, 1, -2] - image[1, 1, -2] > 0.5)] for image in batch])


@pytest.fixture
def red_corner():
    image = Image.new("RGB", (SIZE, SIZE), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 8, 8), fill=(255, 0, 0))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def look(image, straight, mirror, **use):
    network = Sides(straight, mirror)
    found = engine_of((finder(**use), network)).classify(image).garments
    return found, network.passes


def test_a_garment_that_only_the_mirror_image_shows_is_found_where_it_is(red_corner):
    nothing = (10, 10, 30, 90, 0.01, 0.01, 0.01, 0.01)
    (garment,), passes = look(red_corner, [nothing], [(60, 10, 90, 90, *COAT)], mirrored=True)
    assert garment.box == pytest.approx((0.1, 0.1, 0.4, 0.9), abs=1e-4)
    assert passes == 2


def test_both_sides_have_a_say_in_what_it_is(red_corner):
    (garment,), _ = look(red_corner, [(10, 10, 40, 90, *COAT)], [(60, 10, 90, 90, *SHIRT)], mirrored=True)
    assert garment.confidence == pytest.approx(0.7)  # the surer side's
    assert garment.top_category.value == "Outer"
    assert garment.top_category.confidence == pytest.approx(0.45 / (0.35 + 0.1 + 0.45 + 0.2), abs=0.01)


def test_boxes_in_other_places_are_two_garments(red_corner):
    found, _ = look(red_corner, [(10, 10, 40, 90, *COAT)], [(10, 10, 40, 90, *SHIRT)], mirrored=True)
    assert [garment.top_category.value for garment in found] == ["Outer", "Top"]


def test_a_detector_that_is_not_mirrored_looks_once():
    found, passes = look(SQUARE, [(10, 10, 40, 90, *COAT)], [(60, 10, 90, 90, *SHIRT)])
    assert (len(found), passes) == (1, 1)


def test_a_lone_garment_that_is_sure_is_not_looked_at_again(red_corner):
    sure = (10, 10, 40, 90, 0.1, 0.1, 0.93, 0.1)
    nearly, elsewhere = (11, 11, 41, 91, 0.1, 0.1, 0.5, 0.1), (60, 10, 90, 90, 0.2, 0.1, 0.1, 0.1)
    assert look(red_corner, [sure, nearly], [elsewhere], mirrored=True)[1] == 1
    assert look(red_corner, [sure, elsewhere], [sure, nearly], mirrored=True)[1] == 2
