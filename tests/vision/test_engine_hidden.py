"""What an image does not show is left open, not guessed."""

import numpy as np
import pytest

from tests.support.drawn_images import photo
from tests.support.scripted_networks import SQUARE, Boxes, Says, classifier, engine_of, finder
from vision.engine import Engine, ModelSpec
from vision.engine.runtime import LARGEST_BATCH

BOX = (10, 10, 90, 90, 0.9, 0.01, 0.02, 0.03)


def said(*models, boxes=(BOX,)):
    return engine_of((finder(), Boxes(*boxes)), *models).classify(SQUARE).garments


def test_what_most_probably_cannot_be_seen_is_hidden():
    material = classifier("material", ("denim", "not_visible", "knit")), Says(0.3, 0.4, 0.3)
    (garment,) = said(material)
    assert garment.attributes == {"material": None}
    assert garment.hidden == ("material",)
    assert garment.as_dict()["material"] is None
    assert garment.as_dict()["hidden"] == ["material"]


def test_the_probability_that_nothing_is_seen_is_taken_out():
    material = classifier("material", ("denim", "not_visible", "knit")), Says(0.5, 0.3, 0.2)
    (garment,) = said(material)
    result = garment.attributes["material"]
    assert (result.value, result.confidence) == ("denim", pytest.approx(5 / 7, abs=2e-4))
    assert [(other.value, other.confidence) for other in result.alternatives] == [
        ("knit", pytest.approx(2 / 7, abs=2e-4))
    ]
    assert garment.hidden == ()
    assert "hidden" not in garment.as_dict()


def test_classes_of_the_same_value_are_compared_together():
    material = classifier("material", ("Denim", "denim", "not_visible")), Says(0.3, 0.3, 0.4)
    (garment,) = said(material)
    assert garment.attributes["material"].value == "denim"


def test_each_attribute_is_hidden_on_its_own():
    material = classifier("material", ("denim", "not_visible")), Says(0.9, 0.1)
    sleeves = classifier("sleeve_length", ("long", "not_visible")), Says(0.1, 0.9)
    (garment,) = said(material, sleeves)
    assert garment.attributes["material"].confidence == pytest.approx(1.0, abs=2e-4)
    assert garment.hidden == ("sleeve_length",)


def test_what_does_not_apply_is_not_hidden():
    trousers = (10, 10, 90, 90, 0.01, 0.9, 0.02, 0.03)
    sleeves = classifier("sleeve_length", ("long", "not_visible")), Says(0.1, 0.9)
    (garment,) = said(sleeves, boxes=(trousers,))
    assert garment.attributes == {"sleeve_length": None}
    assert garment.hidden == ()


def test_a_detector_may_say_it_too():
    seen = np.array([[50, 50, 80, 80, 0.2, 0.8]], np.float32).T

    class Network:
        def infer(self, batch):
            return np.stack([seen] * len(batch))

    sleeves = ModelSpec("sleeve_length", "sleeve_length-x", "detect", ("long", "not_visible"), 100, {})
    (garment,) = said((sleeves, Network()))
    assert garment.attributes == {"sleeve_length": None}
    assert garment.hidden == ("sleeve_length",)


def test_crops_of_all_images_fill_the_classifier_s_batches():
    """Three garments in each of two images, and what cannot be seen of them."""
    boxes = [(10, 5 + 30 * number, 90, 30 + 30 * number, 0.9, 0.01, 0.02, 0.03) for number in range(3)]
    material = classifier("material", ("denim", "not_visible")), Says(0.1, 0.9)
    images = engine_of((finder(), Boxes(*boxes)), material).classify_batch([SQUARE, SQUARE])
    assert [garment.hidden for image in images for garment in image.garments] == [("material",)] * 6
    assert material[1].batches == [LARGEST_BATCH, 6 - LARGEST_BATCH]  # by image it would be three and three


def test_real_networks_leave_open_what_they_cannot_see(four_class_weights):
    garments = Engine.load(four_class_weights).classify(photo("navy", (300, 400))).garments
    assert garments
    for garment in garments:
        assert garment.hidden == ("material",)
        assert garment.attributes["material"] is None
        assert garment.attributes["sleeve_length"].value != "not_visible"
