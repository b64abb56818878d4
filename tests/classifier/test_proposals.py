"""What is proposed for a product, from what was said of each image."""

import pytest

from catalog.models import Attribute, AttributeValue
from catalog.proposal import Alternative, Proposal
from catalog.selectors import Taxonomy
from classifier.proposals import Said, Seen, build, clear_top_category
from tests.support.written_proposals import candidate

pytestmark = pytest.mark.django_db


@pytest.fixture
def taxonomy():
    return Taxonomy.load()


@pytest.fixture
def seen():
    """Describe garments in an image; ids count up, predictions are 10 * garment + attribute's place."""
    count = 0

    def describe(confidence=1.0, calibrated=True, **said):
        nonlocal count
        count += 1
        answers = {
            code: Said(
                10 * count + place, f"{code}-1", calibrated, values if isinstance(values, dict) else {values: 1.0}
            )
            for place, (code, values) in enumerate(said.items())
        }
        return Seen(count, confidence, answers)

    return describe


def _candidates(images, taxonomy):
    return build(images, taxonomy).candidates


def test_it_proposes_one_candidate_for_each_top_category(seen, taxonomy):
    proposal = build([[seen(0.9, category="Jacket"), seen(0.6, category="Jeans")]], taxonomy)

    assert [(found.top_category, found.images, found.total) for found in proposal.candidates] == [
        ("Outer", 1, 1),
        ("Bottom", 1, 1),
    ]


def test_it_takes_the_best_garment_of_each_image(seen, taxonomy):
    (found,) = _candidates([[seen(0.5, category="Coat"), seen(0.9, category="Jacket")]], taxonomy)

    assert found.garments == (2,)
    assert found.attributes["category"].value == "Jacket"


def test_it_counts_agreement_between_images(seen, taxonomy):
    doubtful = {"Jacket": 0.7, "Shirt": 0.3}
    (of_one,) = _candidates([[seen(0.9, category=doubtful)]], taxonomy)
    (of_three,) = _candidates([[seen(0.9, category=doubtful)] for _image in range(3)], taxonomy)

    assert of_three.confidence > of_one.confidence + 0.03
    assert (of_three.images, of_three.total) == (3, 3)


def test_it_lets_a_doubtful_image_speak_for_the_top_category_that_it_may_be(seen, taxonomy):
    proposal = build(
        [
            [seen(1.0, category={"Jacket": 0.8, "Shirt": 0.2})],
            [seen(1.0, category={"Shirt": 0.5, "Jacket": 0.4})],
        ],
        taxonomy,
    )

    found = {found.top_category: found for found in proposal.candidates}
    assert found["Outer"].confidence == pytest.approx(0.6, abs=0.05)
    assert found["Top"].confidence == pytest.approx(0.35, abs=0.05)
    # each speaks for what it is first; where the image shows nothing else, for what else it may be
    assert (found["Outer"].garments, found["Top"].garments) == ((1, 2), (2, 1))


def test_it_makes_no_candidate_of_alternatives_alone(seen, taxonomy):
    proposal = build([[seen(1.0, category={"Jacket": 0.5, "Shirt": 0.4})]], taxonomy)

    assert [found.top_category for found in proposal.candidates] == ["Outer"]


def test_it_averages_distributions_weighted_by_the_boxes(seen, taxonomy):
    (found,) = _candidates(
        [
            [seen(0.9, category={"Jacket": 0.5, "Coat": 0.4})],
            [seen(0.3, category={"Coat": 0.9, "Jacket": 0.1})],
        ],
        taxonomy,
    )

    category = found.attributes["category"]
    assert (category.value, category.confidence) == ("Coat", pytest.approx(0.75 * 0.4 + 0.25 * 0.9))
    assert category.alternatives == (Alternative("Jacket", pytest.approx(0.75 * 0.5 + 0.25 * 0.1)),)
    # the best garment that says the same, not the best garment
    assert category.prediction == 20


def test_it_gives_missing_probability_to_nobody(seen, taxonomy):
    (found,) = _candidates([[seen(category={"Jacket": 0.6})], [seen(category={"Coat": 0.5})]], taxonomy)

    category = found.attributes["category"]
    assert (category.value, category.confidence) == ("Jacket", 0.3)
    assert category.alternatives == (Alternative("Coat", 0.25),)


def test_it_does_not_count_an_image_that_says_nothing_of_an_attribute(seen, taxonomy):
    (found,) = _candidates([[seen(category="Jacket", material="denim")], [seen(category="Jacket")]], taxonomy)

    assert found.attributes["material"].confidence == 1.0


def test_it_proposes_no_sleeves_for_trousers(seen, taxonomy):
    (found,) = _candidates([[seen(category="Jeans", sleeve_length="long", material="denim")]], taxonomy)

    assert set(found.attributes) == {"category", "material"}


def test_it_says_where_confidences_are_not_calibrated(seen, taxonomy):
    (found,) = _candidates([[seen(calibrated=False, category="Jacket")], [seen(category="Jacket")]], taxonomy)

    assert found.attributes["category"].calibrated is False


def test_it_follows_merges_and_leaves_out_what_is_switched_off(seen):
    values = AttributeValue.objects.filter(attribute__code="category")
    values.filter(code="Jumper").update(merged_into=values.get(code="Jacket"), active=False)
    values.filter(code="Coat").update(active=False)

    (found,) = _candidates([[seen(category={"Jumper": 0.5, "Coat": 0.3, "Jacket": 0.2})]], Taxonomy.load())

    category = found.attributes["category"]
    assert (category.value, category.confidence, category.alternatives) == ("Jacket", 0.7, ())
    assert found.confidence == pytest.approx(0.7, abs=0.01)


def test_it_proposes_an_attribute_that_was_added_as_data(seen):
    colour = Attribute.objects.create(code="colour", name_ko="색상", name_en="Colour")
    AttributeValue.objects.create(attribute=colour, code="red", name_ko="빨강", name_en="Red")

    (found,) = _candidates([[seen(category="Jeans", colour="red")]], Taxonomy.load())

    assert found.attributes["colour"].value == "red"


@pytest.mark.parametrize("images", [[], [[]], [[], []]])
def test_it_proposes_nothing_without_garments(images, taxonomy):
    assert build(images, taxonomy) == Proposal()


def test_it_makes_no_candidate_of_a_garment_without_a_category(seen, taxonomy):
    assert build([[seen(material="denim")]], taxonomy) == Proposal()


@pytest.mark.parametrize(
    ("confidences", "chosen"),
    [
        ([], None),
        ([0.49], None),
        ([0.5], "Outer"),
        ([0.6, 0.3], "Outer"),
        ([0.6, 0.31], None),  # not clearly ahead
        ([0.4, 0.1], None),
    ],
)
def test_it_chooses_a_garment_only_if_one_stands_out(confidences, chosen):
    proposal = Proposal(
        tuple(candidate(level, confidence) for level, confidence in zip(("Outer", "Top"), confidences, strict=False))
    )

    assert clear_top_category(proposal, 0.5) == chosen
