"""Models of either kind in every role, and which detector's box belongs to which garment."""

import itertools

import numpy as np
import pytest

from tests.support.drawn_images import photo
from tests.support.tiny_networks import build_three_detectors
from vision.engine import Engine, Manifest, ModelSpec, Taxonomy
from vision.engine.crop_classifier import best_values, visible_shares
from vision.engine.detector import select
from vision.engine.matching import match, suppress

SIZE = 100
SQUARE = photo(size=(SIZE, SIZE), kind="PNG")


class Scripted:
    """A network that sees the same boxes in every image: (x1, y1, x2, y2 in pixels, class, score)."""

    def __init__(self, classes, *seen):
        self.raw = np.zeros((4 + len(classes), len(seen)), np.float32)
        for anchor, (x1, y1, x2, y2, kind, score) in enumerate(seen):
            self.raw[:4, anchor] = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
            self.raw[4 + classes.index(kind), anchor] = score

    def infer(self, batch):
        return np.stack([self.raw] * len(batch))


def engine_of(**roles):
    """An engine of detectors: role=(classes, *boxes seen)."""
    models = {
        role: ModelSpec(role, f"{role}-x", "detect", tuple(classes), SIZE, {}, threshold=0.3)
        for role, (classes, *_) in roles.items()
    }
    networks = {role: Scripted(classes, *seen) for role, (classes, *seen) in roles.items()}
    return Engine(Manifest("x", models, "x"), networks)


def described(image):
    return [tuple(value and value.value for value in garment.attributes.values()) for garment in image.garments]


def test_it_serves_the_three_detectors_of_the_original():
    engine = engine_of(
        category=(["Tshirt", "Jeans", "Top"], (10, 5, 60, 50, "Tshirt", 0.9), (20, 50, 60, 98, "Jeans", 0.8)),
        material=(["Denim", "messi"], (20, 52, 60, 98, "Denim", 0.7), (11, 5, 60, 50, "messi", 0.6)),
        sleeve_length=(["Short sleeve"], (10, 6, 60, 50, "Short sleeve", 0.5)),
    )
    image = engine.classify(SQUARE)
    assert described(image) == [("Tshirt", "mesh", "short"), ("Jeans", "denim", None)]
    top = image.garments[0]
    assert top.box == pytest.approx((0.10, 0.05, 0.60, 0.50))
    assert top.model == "category-x"
    category, material = top.attributes["category"], top.attributes["material"]
    assert (category.parent, category.calibrated, category.alternatives) == ("Top", False, ())
    assert category.confidence == top.confidence == pytest.approx(0.9)
    assert (material.confidence, material.model) == (pytest.approx(0.6), "material-x")
    assert image.as_dict()["garments"][0]["material"]["calibrated"] is False


def test_it_runs_three_real_detectors_by_both_runtimes(tmp_path):
    weights = build_three_detectors(tmp_path)
    ours, theirs = (Engine.load(weights, runtime=runtime).classify(photo()) for runtime in ("openvino", "torch"))
    assert ours.garments
    assert ours.models == {role: f"{role}-test" for role in ("category", "material", "sleeve_length")}
    surest, same = ours.garments[0], theirs.garments[0]
    assert surest.box == pytest.approx(same.box, abs=0.01)
    assert surest.confidence == pytest.approx(same.confidence, abs=0.02)
    for garment in (*ours.garments, *theirs.garments):
        category, material, sleeve = garment.attributes.values()
        assert category.parent in {"Top", "Bottom", "Onepiece"}
        assert material is None or material.value in {"shearling", "sequin", "denim", "mesh"}
        assert sleeve is None or category.parent != "Bottom"


def test_it_knows_the_second_level_top_by_its_alias():
    engine = engine_of(category=(["Top"], (10, 10, 90, 90, "Top", 0.9)))
    (garment,) = engine.classify(SQUARE).garments
    assert (garment.attributes["category"].value, garment.attributes["category"].parent) == ("SleevelessTop", "Top")


def test_it_gives_overlapping_garments_a_box_each():
    """The denim box is the nearest of both garments; the jacket's overlap with it is the greatest of all (0.55).

    Yet giving it to the T-shirt (0.48) and the jersey box to the jacket (0.50) fits both better than the reverse
    (0.55 and 0.33).
    """
    engine = engine_of(
        category=(["Jacket", "Tshirt"], (30, 40, 80, 80, "Jacket", 0.9), (20, 50, 90, 80, "Tshirt", 0.8)),
        material=(["Denim", "jersey"], (40, 40, 90, 90, "Denim", 0.9), (30, 0, 80, 80, "jersey", 0.4)),
    )
    assert described(engine.classify(SQUARE)) == [("Jacket", "jersey"), ("Tshirt", "denim")]


def test_it_keeps_garments_of_two_top_categories_in_nearly_the_same_box():
    """A coat over a shirt: their boxes overlap by 0.8, and so do those of the materials and of the sleeves."""
    engine = engine_of(
        category=(["Coat", "Shirt"], (10, 0, 90, 100, "Coat", 0.9), (10, 10, 90, 90, "Shirt", 0.8)),
        material=(["wool", "woven"], (10, 10, 90, 90, "woven", 0.9), (10, 0, 90, 100, "wool", 0.7)),
        sleeve_length=(["Long sleeve", "Cap"], (10, 0, 90, 100, "Long sleeve", 0.9), (10, 10, 90, 90, "Cap", 0.7)),
    )
    assert described(engine.classify(SQUARE)) == [("Coat", "wool", "long"), ("Shirt", "woven", "cap")]


@pytest.mark.parametrize(
    ("other", "bottom"),
    [("Blouse", 90), ("SleevelessTop", 90), ("Shirt", 90), ("Coat", 98)],  # 98: the overlap is 0.98
)
def test_it_takes_one_garment_for_one(other, bottom):
    classes = ["Shirt", "Blouse", "SleevelessTop", "Coat"]
    seen = (10, 0, 90, 100, "Shirt", 0.9), (10, 0, 90, bottom, other, 0.8)
    assert described(engine_of(category=(classes, *seen)).classify(SQUARE)) == [("Shirt",)]


def test_it_gives_a_garment_the_surest_of_the_boxes_that_no_other_needs():
    engine = engine_of(
        category=(["Coat"], (10, 0, 90, 100, "Coat", 0.9)),
        material=(["wool", "knit"], (10, 0, 90, 99, "knit", 0.4), (10, 0, 90, 85, "wool", 0.8)),
    )
    assert described(engine.classify(SQUARE)) == [("Coat", "wool")]


def test_a_detector_of_garments_alone_finds_each_once():
    engine = engine_of(garment=(["garment"], (10, 0, 90, 100, "garment", 0.9), (10, 0, 90, 80, "garment", 0.8)))
    assert len(engine.classify(SQUARE).garments) == 1


def test_it_leaves_a_garment_without_a_box_alone():
    engine = engine_of(
        category=(["Skirt", "Shirt"], (5, 60, 40, 95, "Skirt", 0.9), (50, 5, 95, 50, "Shirt", 0.8)),
        material=(["lace"], (50, 5, 95, 52, "lace", 0.9)),
        sleeve_length=(["Cap"]),
    )
    assert described(engine.classify(SQUARE)) == [("Skirt", None, None), ("Shirt", "lace", None)]


def test_it_finds_nothing_without_failing():
    engine = engine_of(category=(["Shirt"],), material=(["lace"], (50, 5, 95, 52, "lace", 0.9)))
    assert engine.classify(SQUARE).garments == ()


def test_it_puts_a_category_detector_onto_the_garments_of_another():
    engine = engine_of(
        garment=(["garment"], (10, 5, 60, 50, "garment", 0.95), (70, 70, 95, 95, "garment", 0.9)),
        category=(["Hoodie"], (11, 5, 60, 52, "Hoodie", 0.6)),
        sleeve_length=(["Long sleeve"], (10, 5, 60, 50, "Long sleeve", 0.9), (70, 70, 95, 95, "Long sleeve", 0.9)),
    )
    image = engine.classify(SQUARE)
    # The second garment's top-level category is not known, so nobody can say that it has sleeves.
    assert described(image) == [("Hoodie", "long"), (None, None)]
    assert [garment.model for garment in image.garments] == ["garment-x"] * 2


def test_it_carries_attributes_that_the_taxonomy_does_not_know():
    engine = engine_of(
        category=(["Jeans"], (10, 10, 90, 90, "Jeans", 0.9)), pattern=(["striped"], (10, 10, 90, 90, "striped", 0.7))
    )
    assert engine.classify(SQUARE).as_dict()["garments"][0]["pattern"]["value"] == "striped"


def test_it_takes_another_taxonomy():
    taxonomy = Taxonomy.parse(
        {
            "attributes": [
                {
                    "code": "category",
                    "values": [{"code": "Hat"}, {"code": "Cap", "parent": "Hat", "aliases": ["모자"]}],
                },
                {"code": "brim", "applies_to": ["Hat"], "values": [{"code": "wide"}]},
            ]
        }
    )
    assert taxonomy.code_of("category", "모자") == "Cap"
    assert taxonomy.code_of("category", " cap ") == "Cap"
    assert taxonomy.parent_of("category", "Cap") == "Hat"
    assert taxonomy.applies("brim", "Hat")
    assert not taxonomy.applies("brim", None)
    assert not taxonomy.applies("brim", "Shoe")
    assert taxonomy.applies("colour", None)


def test_it_knows_every_class_of_the_original_detectors():
    taxonomy = Taxonomy.load()
    materials = ["Mustang", "Sequin/Glitter", "Denim", "vinyl/PVC", "wool/cashmere", "hair knit", "messi", "woven"]
    codes = set(taxonomy.attributes["material"].codes.values())
    assert {taxonomy.code_of("material", name) for name in materials} <= codes
    assert taxonomy.code_of("sleeve_length", "Three-quarter sleeve") == "three-quarter"
    assert taxonomy.parent_of("category", "PaddedJacket") == "Outer"
    assert not taxonomy.applies("sleeve_length", "Bottom")


def test_classes_of_the_same_value_count_together():
    spec = ModelSpec("material", "material-x", "classify", ("Denim", "wool", "denim"), SIZE, {})
    shares = visible_shares(np.array([0.25, 0.4, 0.35], np.float32), ("denim", "wool", "denim"))
    said = best_values(shares, spec, Taxonomy.load())
    assert (said.value, said.confidence) == ("denim", pytest.approx(0.6, abs=1e-3))
    assert [other.value for other in said.alternatives] == ["wool"]


def test_it_keeps_the_best_of_nearly_identical_boxes_whatever_their_class():
    raw = Scripted(["a", "b"], (0, 0, 50, 50, "a", 0.6), (1, 0, 50, 50, "b", 0.9), (50, 50, 90, 90, "a", 0.2)).raw
    boxes, scores, classes, _ = select(raw, 0.3, np.array([0, 1]))
    assert boxes.tolist() == [[1, 0, 50, 50]]
    assert scores == pytest.approx([0.9])
    assert classes.tolist() == [1]


def test_it_survives_a_detector_that_sees_garments_everywhere():
    rng = np.random.default_rng(0)
    raw = rng.random((5, 8400), np.float32)
    raw[:4] *= SIZE
    boxes, scores, *_ = select(raw, 0.1, np.array([0]))
    assert len(boxes) == 100
    assert (np.diff(scores) <= 0).all()


def test_it_suppresses_in_order_of_score():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8], [20, 20, 30, 30]], np.float32)
    scores, kinds = np.array([0.5, 0.9, 0.7, 0.6], np.float32), np.array([0, 0, 1, 1])
    assert suppress(boxes, scores, np.zeros(4, np.intp), 0.85, 0.95).tolist() == [1, 3]
    assert suppress(boxes, scores, kinds, 0.85, 0.95).tolist() == [1, 2, 3]


def best_total(values, least):
    """Try every one-to-one assignment."""
    rows, columns = values.shape
    best = 0.0
    for count in range(min(rows, columns) + 1):
        for some in itertools.combinations(range(rows), count):
            for others in itertools.permutations(range(columns), count):
                pairs = [values[pair] for pair in zip(some, others, strict=True)]
                if all(value >= least for value in pairs):
                    best = max(best, sum(pairs))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_it_matches_to_the_best_total(seed):
    rng = np.random.default_rng(seed)
    values = rng.random(rng.integers(0, 5, 2), np.float32)
    if seed % 2:
        values = np.round(values * 4) / 4  # ties
    pairs = match(values, 0.3)
    assert len(set(pairs.values())) == len(pairs)
    assert all(values[pair] >= 0.3 for pair in pairs.items())
    assert sum(values[pair] for pair in pairs.items()) == pytest.approx(best_total(values, 0.3))
