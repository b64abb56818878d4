"""A detector of top-level categories, and a classifier that hears what it says."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.drawn_images import photo
from tests.support.scripted_networks import SQUARE, Boxes, Says, classifier, engine_of, finder
from tests.support.tiny_networks import TOP_LEVELS
from vision.engine import Engine, Manifest, ManifestInvalid, ModelSpec, WeightFile

CATEGORIES = ("Tshirt", "Shirt", "Jeans", "Coat", "Dress")


def garment_of(scores, probabilities, *, weight=0.0, classes=CATEGORIES, **use):
    """What is said of one garment, whose detector gives these scores, in the order of `TOP_LEVELS`."""
    category = classifier("category", classes, finder_weight=weight)
    engine = engine_of((finder(**use), Boxes((10, 10, 90, 90, *scores))), (category, Says(*probabilities)))
    (garment,) = engine.classify(SQUARE).garments
    return garment


def distribution(garment):
    category = garment.attributes["category"]
    return {category.value: category.confidence} | {other.value: other.confidence for other in category.alternatives}


def test_it_says_what_the_detector_takes_a_garment_for():
    garment = garment_of((0.1, 0.1, 0.6, 0.2), (0.2, 0.2, 0.2, 0.2, 0.2))
    assert garment.confidence == pytest.approx(0.6)
    assert garment.top_category.value == "Outer"
    assert garment.top_category.confidence == pytest.approx(0.6)
    said = garment.as_dict()
    assert said["top_category"] == {"value": "Outer", "confidence": 0.6}
    assert list(said) == ["box", "top_category", "category"]


def test_its_temperature_softens_what_the_detector_says():
    garment = garment_of((0.1, 0.1, 0.6, 0.2), (0.2, 0.2, 0.2, 0.2, 0.2), temperature=2.0)
    powers = [math.sqrt(score) for score in (0.1, 0.1, 0.6, 0.2)]
    assert garment.top_category.confidence == pytest.approx(powers[2] / sum(powers))


def test_the_classifier_speaks_alone_without_a_weight():
    garment = garment_of((0.1, 0.1, 0.6, 0.2), (0.5, 0.2, 0.1, 0.15, 0.05))
    assert distribution(garment) == pytest.approx(
        {"Tshirt": 0.5, "Shirt": 0.2, "Coat": 0.15, "Jeans": 0.1, "Dress": 0.05}, abs=2e-4
    )


@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0])
def test_both_are_combined_as_probabilities(weight):
    detector, own = (0.1, 0.1, 0.6, 0.2), (0.5, 0.2, 0.1, 0.15, 0.05)
    tops = dict(zip(TOP_LEVELS, detector, strict=True))
    parents = dict(zip(CATEGORIES, ("Top", "Top", "Bottom", "Outer", "Onepiece"), strict=True))
    products = {name: p * tops[parents[name]] ** weight for name, p in zip(CATEGORIES, own, strict=True)}
    expected = {name: product / sum(products.values()) for name, product in products.items()}
    assert distribution(garment_of(detector, own, weight=weight)) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_sure_detector_is_never_contradicted(weight):
    garment = garment_of((0.02, 0.01, 0.85, 0.02), (0.97, 0.01, 0.01, 0.005, 0.005), weight=weight)
    assert garment.top_category.value == "Outer"
    assert garment.attributes["category"].value == "Coat"
    assert set(distribution(garment)) >= {"Coat", "Tshirt"}  # the classifier's own answer stays an alternative
    assert garment.attributes["category"].parent == "Outer"


def test_a_sure_detector_leaves_open_what_the_classifier_does_not_offer():
    garment = garment_of((0.02, 0.01, 0.85, 0.02), (0.9, 0.05, 0.05), classes=("Tshirt", "Jeans", "Dress"))
    assert garment.attributes == {"category": None}
    assert garment.hidden == ()
    assert garment.top_category.value == "Outer"


def test_the_detectors_top_level_category_says_which_attributes_apply():
    """Where no category is known: trousers have no sleeves, a coat has."""
    seen = (10, 5, 90, 40, 0.01, 0.9, 0.01, 0.01), (10, 50, 90, 95, 0.01, 0.01, 0.8, 0.01)
    sleeves = classifier("sleeve_length", ("long", "short")), Says(0.9, 0.1)
    trousers, coat = engine_of((finder(), Boxes(*seen)), sleeves).classify(SQUARE).garments
    assert (trousers.top_category.value, trousers.attributes["sleeve_length"]) == ("Bottom", None)
    assert (coat.top_category.value, coat.attributes["sleeve_length"].value) == ("Outer", "long")


def test_boxes_are_told_apart_by_top_level_category():
    """A coat over a jumper over trousers; the coat seen twice."""
    seen = (
        (10, 5, 90, 95, 0.1, 0.1, 0.9, 0.1),
        (10, 5, 90, 85, 0.1, 0.1, 0.7, 0.1),  # overlaps the coat by 0.89
        (12, 8, 88, 90, 0.8, 0.1, 0.1, 0.1),  # and the jumper by 0.87
        (20, 50, 80, 98, 0.1, 0.6, 0.1, 0.1),
    )
    found = engine_of((finder(), Boxes(*seen))).classify(SQUARE).garments
    assert [garment.top_category.value for garment in found] == ["Outer", "Top", "Bottom"]


@pytest.mark.parametrize(
    ("use", "count"), [({}, 2), ({"overlap_across": 0.8}, 1), ({"overlap_across": 0.8, "overlap": 0.3}, 1)]
)
def test_the_limits_of_overlap_come_with_the_model(use, count):
    seen = (10, 5, 90, 95, 0.1, 0.1, 0.9, 0.1), (12, 8, 88, 90, 0.8, 0.1, 0.1, 0.1)
    assert len(engine_of((finder(**use), Boxes(*seen))).classify(SQUARE).garments) == count


@pytest.mark.parametrize(
    ("use", "count"), [({}, 2), ({"overlap": 0.5}, 1), ({"overlap": 0.65, "overlap_across": 0.95}, 2)]
)
def test_the_limit_within_a_top_level_category_does_too(use, count):
    seen = (10, 5, 90, 95, 0.1, 0.1, 0.9, 0.1), (10, 5, 90, 60, 0.1, 0.1, 0.8, 0.1)  # 0.61
    assert len(engine_of((finder(**use), Boxes(*seen))).classify(SQUARE).garments) == count


@pytest.mark.parametrize("classes", [("상의", "하의", "아우터", "원피스"), ("top", "BOTTOM", "Outer", " onepiece ")])
def test_it_knows_top_level_categories_by_their_other_names(classes):
    engine = engine_of((finder(classes), Boxes((10, 10, 90, 90, 0.9, 0.01, 0.02, 0.03))))
    assert engine.classify(SQUARE).garments[0].top_category.value == "Top"


def test_classes_below_the_top_level_count_for_it():
    engine = engine_of((finder(("Coat", "Shirt", "Jacket")), Boxes((10, 10, 90, 90, 0.6, 0.2, 0.5))))
    garment = engine.classify(SQUARE).garments[0]
    assert (garment.top_category.value, garment.top_category.confidence) == ("Outer", pytest.approx(0.75))


@pytest.mark.parametrize("classes", [("garment",), ("clothes", "shoes", "bag"), ("Top", "bag")])
def test_other_detectors_only_find_garments(classes):
    category = classifier("category", CATEGORIES, finder_weight=1.0), Says(0.5, 0.2, 0.1, 0.15, 0.05)
    engine = engine_of((finder(classes), Boxes((10, 10, 90, 90, 0.9, *[0.1] * (len(classes) - 1)))), category)
    (garment,) = engine.classify(SQUARE).garments
    assert garment.top_category is None
    assert "top_category" not in garment.as_dict()
    assert distribution(garment)["Tshirt"] == pytest.approx(0.5, abs=2e-4)


def test_real_networks_say_the_same_in_both_runtimes(four_class_weights):
    ours, theirs = (
        Engine.load(four_class_weights, runtime=runtime).classify(photo("navy", (300, 400)))
        for runtime in ("openvino", "torch")
    )
    assert ours.garments
    assert len(ours.garments) == len(theirs.garments)
    for one, same in zip(ours.garments, theirs.garments, strict=True):
        assert one.top_category.value in TOP_LEVELS
        assert one.top_category.confidence == pytest.approx(same.top_category.confidence, abs=0.02)
        assert one.attributes["category"].value == same.attributes["category"].value
        assert one.hidden == same.hidden


def test_the_manifest_says_how_both_are_combined(four_class_weights):
    models = Manifest.load(four_class_weights).models
    assert models["garment"].classes == tuple(TOP_LEVELS)
    assert models["category"].finder_weight == 0.8
    assert (models["garment"].overlap, models["garment"].overlap_across) == (0.7, 0.9)


@pytest.mark.parametrize("wrong", [{"overlap": 0}, {"overlap_across": 1.5}, {"finder_weight": -1}])
def test_it_refuses_a_manifest_with_impossible_limits(four_class_weights, tmp_path, wrong):
    shutil.copy(four_class_weights / "manifest.json", tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["models"]["garment"] |= wrong
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ManifestInvalid):
        Manifest.load(tmp_path)


def test_a_model_without_these_fields_keeps_the_hash_that_it_was_known_by():
    file = WeightFile(Path("x.bin"), "ab" * 32)
    model = ModelSpec("category", "x", "classify", ("a", "b"), 64, {"openvino": (file,)}, margin=0.1)
    assert model.sha256 == "9c7c3678318cb72161707088575d5580ef87811ea010bc86eeb2df513225b2a3"
    assert replace(model, finder_weight=0.5).sha256 != model.sha256
    assert replace(model, overlap=0.5).sha256 != model.sha256
    assert replace(model, verified=("f32",)).sha256 == model.sha256  # measured later
