"""Boxes that people drew are described by the same networks, whether or not a detector found them."""

import pytest

from tests.support.drawn_images import photo
from vision.engine import Engine, Given, GivenBox, Taxonomy
from vision.engine.windows import window_around, windows

BOX = (0.2, 0.1, 0.7, 0.8)


@pytest.fixture(scope="module")
def engine(four_class_weights):
    return Engine.load(four_class_weights)


def _said(garment):
    return {code: (said.value, said.confidence) if said else None for code, said in garment.attributes.items()}


def test_it_describes_only_what_it_was_given(engine):
    (image,) = engine.classify_batch([photo()], [Given((GivenBox(BOX), GivenBox((0, 0, 1, 1))), only=True)])

    assert image.garments == ()
    first, second = image.given
    assert (first.box, first.confidence, second.box) == (BOX, 1.0, (0, 0, 1, 1))
    assert set(first.attributes) == {"category", "material", "sleeve_length"}
    assert first.attributes["category"] is not None


def test_what_it_finds_and_what_it_was_given_say_the_same_together_and_apart(engine):
    given = Given((GivenBox(BOX),))
    (alone,) = engine.classify_batch([photo()])
    (together,) = engine.classify_batch([photo()], [given])
    (described,) = engine.classify_batch([photo()], [Given(given.boxes, only=True)])

    assert [garment.as_dict() for garment in together.garments] == [garment.as_dict() for garment in alone.garments]
    assert [_said(garment) for garment in together.given] == [_said(garment) for garment in described.given]
    assert together.as_dict() == alone.as_dict()


def test_a_batch_may_mix_what_is_asked(engine):
    data = photo("navy")
    plain, drawn, broken = engine.classify_batch(
        [data, data, b"no photo"], [Given(), Given((GivenBox(BOX),), only=True), Given((GivenBox(BOX),))]
    )
    assert plain.garments
    assert (plain.given, drawn.garments, len(drawn.given)) == ((), (), 1)
    assert broken.code == "not_an_image"


def test_images_that_do_not_fit_at_once_are_looked_at_in_turn(engine, monkeypatch):
    sources = [photo("navy"), b"no photo", photo("red"), photo("olive"), photo("teal")]
    given = [Given(), Given(), Given((GivenBox(BOX),)), Given((GivenBox(BOX),), only=True), Given()]
    at_once = engine.classify_batch(sources, given)
    looks = []
    look = engine._look
    monkeypatch.setattr(engine, "_look", lambda items, known: looks.append(len(items)) or look(items, known))
    monkeypatch.setattr("vision.engine.engine.HELD_PIXELS", 2 * 400 * 300)

    in_turn = engine.classify_batch(sources, given)

    assert looks == [2, 2]
    assert in_turn[1].code == "not_an_image"
    assert [len(one.given) for one in in_turn if one is not in_turn[1]] == [0, 1, 1, 0]
    for whole, part in zip(at_once, in_turn, strict=True):
        if whole is not at_once[1]:
            assert [one.box for one in part.garments] == [pytest.approx(one.box, abs=1e-4) for one in whole.garments]


@pytest.mark.parametrize("level", ["Top", "Bottom", "Outer", "Onepiece"])
def test_the_category_belongs_to_what_the_person_says_it_is(engine, level):
    (image,) = engine.classify_batch([photo()], [Given((GivenBox(BOX, level),), only=True)])

    category = image.given[0].attributes["category"]
    assert (category.parent or category.value) == level
    sleeves = image.given[0].attributes["sleeve_length"] is None and "sleeve_length" not in image.given[0].hidden
    assert sleeves or Taxonomy.load().applies("sleeve_length", level)


def test_detectors_that_name_what_they_find_describe_it_too(tmp_path):
    from tests.support.tiny_networks import build_three_detectors

    detectors = Engine.load(build_three_detectors(tmp_path))
    (found,) = detectors.classify_batch([photo()])
    box = found.garments[0].box

    given = Given((GivenBox(box), GivenBox((0.0, 0.0, 0.01, 0.01))), only=True)
    (image,) = detectors.classify_batch([photo()], [given])

    assert image.given[0].attributes["category"].value == found.garments[0].attributes["category"].value
    assert image.given[1].attributes["category"] is None


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0.1, 0.5, 0.9, 0.51), (0, 4478, 100, 4612)),  # a window of 4:3 around a box in the middle
        ((0.1, 0.0, 0.9, 0.01), (0, 0, 100, 134)),
        ((0.1, 0.99, 0.9, 1.0), (0, 8867, 100, 9000)),
        ((0.1, 0.2, 0.9, 0.4), (0, 1620, 100, 3780)),  # a long one, with some room
    ],
)
def test_a_tall_page_is_looked_at_around_the_box(box, expected):
    assert windows(100, 9000)
    assert window_around(box, 100, 9000) == expected


def test_other_images_are_looked_at_whole():
    assert window_around(BOX, 400, 300) == (0, 0, 400, 300)
    left, top, right, bottom = window_around((0.5, 0.1, 0.52, 0.9), 9000, 100)
    assert (top, bottom) == (0, 100)
    assert left <= 4500 < 4680 <= right
