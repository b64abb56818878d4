"""Figures of an evaluation count what they say they count."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.drawn_images import photo
from vision.engine.detector import Detector
from vision.engine.manifest import ModelSpec
from vision.engine.results import Alternative
from vision.engine.taxonomy import Taxonomy
from vision.evaluation.comparison import changes, compare, mcnemar
from vision.evaluation.detection import detection_rows
from vision.evaluation.metrics import attribute_metrics, garment_metrics
from vision.evaluation.readings import NOTHING, Reading, read_with_detector
from vision.training.calibration import calibration_error, reliability_bins
from vision.training.dataset import LabelledImage
from vision.training.metrics import coverage_rows

BOX = (0.25, 0.25, 0.75, 0.75)


def image(path, category="", box=BOX, box_ok=True, **others):
    labels = {"category": category, **others}
    return LabelledImage(Path(path), "val", "1", labels, box if category else None, box_ok)


def reading(name, true, said, box=BOX):
    """What was said of an image; `said` maps values to confidences, empty where nothing was found."""
    values = tuple(Alternative(value, confidence) for value, confidence in said.items())
    return Reading(image(name, true), box if said else None, 0.9 if said else 0.0, {"category": values})


READINGS = [
    reading("a", "Shirt", {"Shirt": 0.9, "Tshirt": 0.1}),
    reading("b", "Shirt", {"Tshirt": 0.6, "Dress": 0.2, "Shirt": 0.1}, box=(0.25, 0.25, 0.75, 0.5)),
    reading("c", "Dress", {}),
    reading("d", "Coat", {"Shirt": 0.8, "Dress": 0.1, "Tshirt": 0.05, "Coat": 0.01}),
    reading("e", "", {"Shirt": 0.7}),
    reading("f", "", {}),
]


def test_it_counts_what_was_not_found_as_wrong():
    figures = attribute_metrics(READINGS, "category")

    assert figures["n"] == 4
    assert (figures["top1"], figures["top3"]) == (0.25, 0.5)
    assert figures["per_class"]["Shirt"] == {"n": 2, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    assert NOTHING not in figures["per_class"]
    confusion = figures["confusion"]
    assert confusion["counts"][confusion["rows"].index("Dress")][confusion["columns"].index(NOTHING)] == 1


def test_it_leaves_what_was_not_found_out_of_the_calibration_but_not_out_of_the_coverage():
    figures = attribute_metrics(READINGS, "category")

    assert sum(bar["n"] for bar in figures["reliability"]) == 3
    assert figures["ece"] == pytest.approx((0.1 + 0.6 + 0.8) / 3)
    at = {row["threshold"]: row for row in figures["coverage"]}
    assert at[0.0] == {"threshold": 0.0, "n": 3, "coverage": 0.75, "precision": pytest.approx(1 / 3)}
    assert at[0.75] == {"threshold": 0.75, "n": 2, "coverage": 0.5, "precision": 0.5}
    assert at[0.95] == {"threshold": 0.95, "n": 0, "coverage": 0.0, "precision": None}


def test_it_measures_boxes_and_false_garments():
    figures = garment_metrics(READINGS)

    assert (figures["garments"], figures["recall"]) == (4, 0.75)
    assert (figures["negatives"], figures["negatives_with_garment"]) == (2, 0.5)
    assert figures["iou_n"] == 4
    assert figures["median_iou"] == pytest.approx((0.5 + 1.0) / 2)


def test_it_finds_no_gap_where_confidence_is_accuracy():
    confidence, right = np.full(10, 0.8), np.arange(10) < 8

    (bar,) = reliability_bins(confidence, right)

    assert (bar["n"], bar["accuracy"]) == (10, 0.8)
    assert calibration_error([bar]) == pytest.approx(0.0)
    assert coverage_rows(confidence, right)[16]["precision"] == 0.8


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 6, 2 / 64),
        (1, 9, 22 / 1024),
        (10, 30, 0.002663),  # (|10 - 30| - 1)² / 40 = 9.025 on one degree of freedom
        (20, 20, 1.0),
    ],
)
def test_it_tells_a_difference_from_chance(only_first, only_second, p):
    assert mcnemar(only_first, only_second) == pytest.approx(p, rel=1e-3)
    assert mcnemar(only_second, only_first) == mcnemar(only_first, only_second)


def test_it_compares_only_images_that_both_have_read():
    second = [
        reading("a", "Shirt", {"Tshirt": 0.9}),
        reading("b", "Shirt", {"Shirt": 0.9}),
        reading("d", "Coat", {"Shirt": 0.9}),
        reading("z", "Coat", {"Coat": 0.9}),
    ]

    found = compare(READINGS, second, "category")

    assert found.images == 3
    assert (found.both, found.neither) == (0, 1)
    assert changes(found.only_first, "category") == {("Shirt", "Shirt", "Tshirt"): 1}
    assert changes(found.only_second, "category") == {("Shirt", "Tshirt", "Shirt"): 1}


def test_it_tells_garments_of_one_image_apart_that_have_the_same_box():
    rows = [("Jacket", "Jacket"), ("Skirt", "Skirt")]
    right = [reading("a", true, {said: 0.9}) for true, said in rows]
    half = [reading("a", true, {said: 0.9}) for true, said in [("Jacket", "Coat"), ("Skirt", "Skirt")]]

    found = compare(right, half, "category")

    assert (found.both, len(found.only_first), len(found.only_second), found.neither) == (1, 1, 0, 0)


class Detections:
    """A network of three classes that finds the same boxes in every image: (class, score, box in fractions)."""

    def __init__(self, *found, size=32):
        self.output = np.zeros((7, 3), np.float32)
        for anchor, (index, score, (x1, y1, x2, y2)) in enumerate(found):
            self.output[:4, anchor] = np.array([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]) * size
            self.output[4 + index, anchor] = score

    def infer(self, batch):
        return np.repeat(self.output[None], len(batch), axis=0)


UPPER, LOWER = (0.2, 0.0, 0.8, 0.45), (0.2, 0.5, 0.8, 1.0)


def outfit(path, sleeve_length="long"):
    """A shirt and trousers in one image, which have no sleeves."""
    path.write_bytes(photo(size=(64, 64)))
    return [
        image(path, "Jeans", LOWER, sleeve_length=""),
        image(path, "Shirt", UPPER, sleeve_length=sleeve_length),
    ]


def test_it_gives_each_garment_of_an_image_its_own_box(tmp_path):
    rows = outfit(tmp_path / "photo.jpg")
    spec = ModelSpec("category", "test", "detect", ("Shirt", "Coat", "Jeans"), 32, {})

    both, shirt = Detections((0, 0.9, UPPER), (2, 0.8, LOWER)), Detections((0, 0.9, UPPER))
    shirt_first, only_shirt = (
        read_with_detector(Detector(spec, network, Taxonomy.load()), rows, spec.classes) for network in (both, shirt)
    )

    assert [found.answer("category").value for found in shirt_first] == ["Jeans", "Shirt"]
    assert [found.overlap for found in shirt_first] == pytest.approx([1, 1], abs=0.01)
    assert [found.answer("category").value for found in only_shirt] == [NOTHING, "Shirt"]
    assert [found.is_right("garment") for found in only_shirt] == [False, True]


@pytest.mark.parametrize(("label", "boxes"), [("long", [1, 1]), ("", []), ("cap", [])])
def test_a_detector_is_measured_on_images_that_are_labelled_in_full(tmp_path, label, boxes):
    rows = outfit(tmp_path / "photo.jpg", sleeve_length=label)

    table = detection_rows(Detections((0, 0.9, UPPER)), 32, "sleeve_length", ["long", "short", "none"], rows)

    assert [row["boxes"] for row in table] == boxes


@pytest.fixture
def images(tmp_path):
    """Two shirts, a dress, a hat and a shirt whose box is rough."""
    kinds = [("Shirt", True), ("Shirt", True), ("Dress", True), ("", False), ("Shirt", False)]
    rows = []
    for index, (kind, good) in enumerate(kinds):
        path = tmp_path / f"{index}.jpg"
        path.write_bytes(photo(size=(64, 64)))
        rows.append(image(path, kind, box_ok=good))
    return rows


def test_it_measures_average_precision_as_ultralytics_does(images):
    network = Detections((0, 0.9, BOX), (2, 0.8, BOX))

    every, shirt, dress = detection_rows(network, 32, "category", ["Shirt", "Coat", "Dress"], images)

    assert (every["class"], every["images"], every["boxes"]) == ("all", 4, 3)
    assert (shirt["class"], shirt["boxes"], dress["class"], dress["boxes"]) == ("Shirt", 2, "Dress", 1)
    # Each class is found everywhere: in all its own images, and in others by mistake.
    assert shirt["recall"] == dress["recall"] == 1.0
    assert shirt["precision"] == pytest.approx(0.5)
    assert dress["precision"] == pytest.approx(0.25)
    assert every["map50"] == pytest.approx((shirt["map50"] + dress["map50"]) / 2)


def test_it_lowers_the_average_over_overlaps_for_loose_boxes(images):
    loose = (0.25, 0.25, 0.75, 0.62)  # overlaps by 0.74: enough for five of the ten

    every, *_ = detection_rows(Detections((0, 0.9, loose)), 32, "category", ["Shirt"] * 3, images[:2])

    assert every["map50"] == pytest.approx(0.995, abs=0.001)
    assert every["map50_95"] == pytest.approx(0.5 * every["map50"], abs=0.01)


def test_it_has_no_table_where_nothing_is_to_be_found(images):
    assert detection_rows(Detections(), 32, "category", ["Skirt", "Coat", "Jeans"], images) == []
