"""A classifier's second network may look at more of the image than the garment."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.support.scripted_networks import SIZE, Boxes, classifier, engine_of, finder
from vision.engine.runtime import MirroredNetwork


class Red:
    """Says how red the left quarter of a crop is: a network that looks at the surroundings, in short."""

    def infer(self, batch):
        red = batch[:, 0, :, : SIZE // 4].mean(axis=(1, 2)) - batch[:, 1, :, : SIZE // 4].mean(axis=(1, 2))
        return np.stack([red, -red], axis=1).astype(np.float32)


class Silent:
    def infer(self, batch):
        return np.zeros((len(batch), 2), np.float32)


@pytest.fixture
def beside_red():
    """A white garment in the middle of an image that is red on its right side."""
    image = Image.new("RGB", (SIZE, SIZE), "white")
    ImageDraw.Draw(image).rectangle((62, 0, SIZE, SIZE), fill=(255, 0, 0))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def answer(image, **use):
    spec = classifier("category", ("Coat", "Tshirt"), mirrored=True, margin=0.0, **use)
    box = Boxes((40, 40, 60, 60, 0.1, 0.1, 0.5, 0.1))
    engine = engine_of((finder(), box), (spec, MirroredNetwork(Silent(), Red())))
    return engine.classify(image).garments[0].attributes["category"]


def test_it_sees_what_lies_beside_the_garment_mirrored(beside_red):
    assert answer(beside_red, mirror_margin=0.5).value == "Coat"
    assert answer(beside_red, mirror_margin=0.5).confidence > 0.6


def test_without_a_margin_of_its_own_it_sees_the_same_crop(beside_red):
    assert answer(beside_red).confidence == pytest.approx(0.5, abs=0.01)


def test_the_margin_tells_a_model_from_others():
    spec = classifier("category", ("Coat", "Tshirt"), mirrored=True)
    wider = classifier("category", ("Coat", "Tshirt"), mirrored=True, mirror_margin=0.3)
    assert spec.sha256 != wider.sha256
