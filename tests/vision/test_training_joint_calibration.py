"""The detector's threshold, its weight and both temperatures are fitted together, on garments as they are found."""

import json
import shutil

import numpy as np
import pytest

from tests.support.drawn_outfits import draw_outfits
from vision.engine.manifest import Manifest
from vision.engine.taxonomy import Taxonomy
from vision.training import joint_calibration
from vision.training.folders import read_folders
from vision.training.joint_calibration import THRESHOLDS, Finds, calibrate_together, choose_threshold, fit

CLASSES = ("Tshirt", "Jeans", "Coat", "Dress")
TOP_LEVELS = ("Top", "Bottom", "Outer", "Onepiece")


def finds_of(classifier_right, finder_right, count=300, beside=0.0):
    """Finds of which the classifier and the detector name so many right, both with the same unwarranted confidence."""
    chance = np.random.default_rng(7)
    finds = Finds()
    for _ in range(count):
        true = int(chance.integers(4))
        said, seen = (
            true if chance.random() < right else int(chance.integers(4)) for right in (classifier_right, finder_right)
        )
        finds.logits.append((6.0 * np.eye(4)[said] + chance.normal(size=4)).astype(np.float32))
        finds.class_scores.append(np.where(np.arange(4) == seen, 0.9, 0.02).astype(np.float32))
        finds.categories.append(true)
        finds.scores.append(0.9)
        finds.beside.append(beside)
    return finds


def test_a_detector_that_knows_better_counts_more():
    taxonomy = Taxonomy.load()

    told = fit(finds_of(0.6, 0.95), TOP_LEVELS, CLASSES, taxonomy)
    alone = fit(finds_of(0.95, 0.25), TOP_LEVELS, CLASSES, taxonomy)

    assert told.finder_weight >= 0.5
    assert alone.finder_temperature > 3 * told.finder_temperature  # what it says without knowing is nearly the same
    assert told.error < 0.08
    assert alone.error < 0.08
    assert told.temperature > 1.3  # 60 % right do not deserve a confidence of 98 %


def test_images_with_several_garments_have_a_temperature_of_their_own():
    alone, outfits = finds_of(0.95, 0.9), finds_of(0.5, 0.9, beside=0.8)
    for name in ("logits", "class_scores", "categories", "scores", "beside"):
        getattr(alone, name).extend(getattr(outfits, name))

    fitted = fit(alone, TOP_LEVELS, CLASSES, Taxonomy.load())

    assert fitted.outfit_temperature > 1.3 * fitted.temperature
    assert fitted.error < 0.08
    assert fit(outfits, TOP_LEVELS, CLASSES, Taxonomy.load()).outfit_temperature is None


def test_it_says_nothing_on_few_garments():
    assert fit(finds_of(0.9, 0.9, count=5), TOP_LEVELS, CLASSES, Taxonomy.load()) is None


@pytest.mark.parametrize(("scores", "expected"), [([0.05] * 10, 0.4), ([0.5] * 10, 0.53), ([0.9] * 10, THRESHOLDS[-1])])
def test_the_threshold_is_that_of_fewest_mistakes_that_keeps_negatives_silent(scores, expected):
    finds = Finds(without_garment=scores)
    finds.mistakes = np.array([abs(round(100 * value) - 40) for value in THRESHOLDS])

    assert choose_threshold(finds) == expected


class Sees:
    """A detector whose boxes lie where garments are, as it knows them by their colours; a classifier of the colour."""

    def __init__(self, task):
        self.task = task

    def infer(self, batch):
        return np.stack([self._boxes(image) if self.task == "detect" else self._logits(image) for image in batch])

    def _boxes(self, image):
        red, green, blue = image
        masks = [(red > green + 0.4) & (red > blue + 0.2), (blue > red + 0.3) & (green < 0.3), green > red + 0.3]
        raw = np.zeros((8, 3), np.float32)
        for column, mask in enumerate(masks):
            rows, columns = np.nonzero(mask)
            if len(rows) > 20:
                x1, y1, x2, y2 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
                raw[:4, column] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
                raw[4:, column] = 0.05
                raw[4 + column, column] = 0.8
        return raw

    def _logits(self, image):
        return np.array([4.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0], np.float32)


def test_it_writes_what_it_fitted_into_the_manifest(data, four_class_weights, tmp_path, monkeypatch):
    weights = shutil.copytree(four_class_weights, tmp_path / "weights")
    worn = draw_outfits(tmp_path / "outfits")
    monkeypatch.setattr(
        joint_calibration,
        "load_networks",
        lambda specs, _runtime: {role: Sees(one.task) for role, one in specs.items()},
    )
    reported = []

    fitted = calibrate_together(weights, read_folders(data, worn), reported.append)

    models = Manifest.load(weights).models
    assert models["garment"].threshold == fitted.threshold == THRESHOLDS[0]
    assert models["garment"].temperature == fitted.finder_temperature
    assert models["category"].finder_weight == fitted.finder_weight > 0
    assert models["category"].temperature == fitted.temperature
    assert "calibrated together" in reported[0]


def test_a_detector_of_garments_alone_is_left_as_it_is(data, network_weights, tmp_path):
    weights = shutil.copytree(network_weights, tmp_path / "weights")
    before = json.loads((weights / "manifest.json").read_text())

    assert calibrate_together(weights, read_folders(data), print) is None

    assert json.loads((weights / "manifest.json").read_text()) == before
