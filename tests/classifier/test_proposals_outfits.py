"""Which garment of an outfit is the product: what speaks for one, and when nobody needs to be asked."""

import pytest

from catalog.proposal import ReasonCode
from catalog.selectors import Taxonomy
from classifier.proposals import Said, Seen, build, clear_top_category, hint_of

pytestmark = pytest.mark.django_db

JACKET, SHIRT, TROUSERS = (0.3, 0.15, 0.7, 0.5), (0.42, 0.18, 0.58, 0.45), (0.33, 0.45, 0.67, 0.9)
SURE = 0.85  # the default of OTJANG_TOP_CATEGORY_THRESHOLD


@pytest.fixture
def taxonomy():
    return Taxonomy.load()


@pytest.fixture
def seen():
    """Describe a garment: its category as a code or {code: probability}, its box, how sure the detector is."""
    count = 0

    def describe(category, box=(0.05, 0.05, 0.95, 0.95), confidence=0.9, **others):
        nonlocal count
        count += 1
        said = {"category": category, **others}
        return Seen(
            count,
            confidence,
            {
                code: Said(count, code, True, answer if isinstance(answer, dict) else {answer: 0.95})
                for code, answer in said.items()
            },
            box=box,
        )

    return describe


@pytest.fixture
def outfit(seen):
    """A photo of somebody in a jacket and trousers."""
    return lambda: [seen("Jacket", JACKET), seen("Pants", TROUSERS)]


@pytest.fixture
def proposed(taxonomy):
    """Build the proposal of images, with a name or SKU."""
    return lambda images, name="", sku=None: build(images, taxonomy, hint_of(name, sku, taxonomy))


def _first(proposal):
    return proposal.candidates[0].top_category


def _confidence(proposal, level):
    found = proposal.candidate(level)
    return found.confidence if found else 0.0


def _reasons(proposal, level):
    return {reason.code: reason for reason in proposal.candidate(level).reasons}


def test_it_does_not_let_images_without_a_garment_vote(proposed, seen):
    alone = proposed([[seen("Jacket")]])
    with_size_chart = proposed([[seen("Jacket")], [], []])

    assert _confidence(with_size_chart, "Outer") == _confidence(alone, "Outer") >= SURE
    assert clear_top_category(with_size_chart, SURE) == "Outer"
    found = with_size_chart.candidates[0]
    assert (found.images, found.total) == (1, 3)
    assert _reasons(with_size_chart, "Outer")[ReasonCode.FOUND].total == 1


def test_it_hardly_minds_what_is_hardly_found_on_a_size_chart(proposed, seen):
    proposal = proposed([[seen("Jacket")], [seen("Pants", (0.1, 0.1, 0.2, 0.3), confidence=0.27)]])

    assert clear_top_category(proposal, SURE) == "Outer"


def test_it_does_not_choose_a_garment_that_is_hardly_one(proposed, seen):
    assert clear_top_category(proposed([[seen("Jacket", confidence=0.3)]]), SURE) is None


def test_it_is_no_surer_of_a_lone_garment_than_its_category_is(proposed, seen):
    proposal = proposed([[seen({"Jacket": 0.6, "Shirt": 0.4})]])

    assert _confidence(proposal, "Outer") == pytest.approx(0.6, abs=0.05)


def test_it_prefers_what_is_found_in_most_images(proposed, seen, outfit):
    jacket_only = [seen("Jacket", JACKET)]
    proposal = proposed([outfit(), outfit(), jacket_only, [seen("Jacket", JACKET)]])

    assert _first(proposal) == "Outer"
    assert _reasons(proposal, "Outer")[ReasonCode.FOUND].images == 4
    assert _reasons(proposal, "Bottom")[ReasonCode.FOUND].images == 2


def test_it_prefers_what_is_alone_in_some(proposed, seen, outfit):
    for alone, level in (("Jeans", "Bottom"), ("Coat", "Outer")):
        proposal = proposed([outfit(), [seen(alone, (0.2, 0.2, 0.8, 0.8))]])

        assert _first(proposal) == level
        assert _reasons(proposal, level)[ReasonCode.ALONE].images == 1
        assert ReasonCode.ALONE not in _reasons(proposal, "Bottom" if level == "Outer" else "Outer")


def test_it_prefers_the_largest_and_most_central(proposed, seen):
    large, aside = (0.2, 0.1, 0.8, 0.6), (0.02, 0.6, 0.22, 0.9)
    for first, second, level in (("Jacket", "Pants", "Outer"), ("Pants", "Jacket", "Bottom")):
        proposal = proposed([[seen(first, large), seen(second, aside)]])

        assert _first(proposal) == level
        assert _reasons(proposal, level)[ReasonCode.LARGEST].images == 1


def test_it_prefers_what_is_shown_close_up(proposed, seen, outfit):
    close = [seen("Pants", (0.0, 0.02, 1.0, 1.0)), seen("Jacket", (0.1, 0.0, 0.9, 0.15))]
    proposal = proposed([outfit(), outfit(), close])

    assert _first(proposal) == "Bottom"
    assert _reasons(proposal, "Bottom")[ReasonCode.CLOSE_UP].images == 1


@pytest.mark.parametrize(("name", "level"), [("데님 자켓", "Outer"), ("Wide leg trousers", "Bottom")])
def test_it_follows_the_name_where_the_images_leave_it_open(proposed, outfit, name, level):
    silent, named = proposed([outfit()]), proposed([outfit()], name)

    assert _first(named) == level
    assert _confidence(named, level) > _confidence(silent, level)
    assert _reasons(named, level)[ReasonCode.NAME].word
    other = "Bottom" if level == "Outer" else "Outer"
    assert ReasonCode.NAME_DIFFERS in _reasons(named, other)


def test_it_reads_the_sku_where_the_name_says_nothing(proposed, outfit):
    assert _first(proposed([outfit()], "봄 신상", "SKIRT-0042")) == "Bottom"


def test_it_does_not_let_a_name_win_against_clear_images(proposed, seen):
    images = [[seen("Jacket"), seen("Pants", (0.3, 0.9, 0.7, 1.0))], [seen("Jacket")], [seen("Jacket")]]
    proposal = proposed(images, "와이드 팬츠")

    assert _first(proposal) == "Outer"
    assert clear_top_category(proposed([[seen("Jacket")], [seen("Jacket")]], "치마"), SURE) == "Outer"


def test_it_makes_no_candidate_of_a_name_alone(proposed, seen):
    assert proposed([[], []], "데님 자켓").candidates == ()
    assert [found.top_category for found in proposed([[seen("Pants")]], "데님 자켓").candidates] == ["Bottom"]


def test_it_lets_the_name_speak_for_what_a_garment_may_be(proposed, seen):
    doubtful = {"Cardigan": 0.55, "Jacket": 0.45}
    assert _first(proposed([[seen(doubtful)]])) == "Top"
    assert _first(proposed([[seen(doubtful)]], "울 자켓")) == "Outer"


def test_it_asks_a_person_where_two_garments_are_as_probable(proposed, outfit):
    proposal = proposed([outfit(), outfit()])

    assert len(proposal.candidates) == 2
    assert clear_top_category(proposal, SURE) is None


def test_it_gives_probabilities_that_are_at_most_one_together(proposed, seen, outfit):
    proposal = proposed([outfit(), [seen("Shirt", SHIRT)], [seen("Dress")]], "셔츠")

    assert sum(found.confidence for found in proposal.candidates) <= 1.0


def test_it_takes_the_garment_of_two_alike_that_other_images_show(proposed, seen):
    cardigan, shirt = seen("Cardigan", JACKET), seen("Shirt", SHIRT)
    for shown, garment in (("Shirt", shirt), ("Cardigan", cardigan)):
        found = proposed([[cardigan, shirt], [seen(shown)]]).candidate("Top")

        assert garment.garment in found.garments
        assert len(found.garments) == 2
        assert found.attributes["category"].value == shown


def test_it_takes_the_garment_of_two_alike_that_the_name_says(proposed, seen):
    cardigan, shirt = seen("Cardigan", JACKET), seen("Shirt", SHIRT)

    assert proposed([[cardigan, shirt]], "린넨 셔츠").candidate("Top").garments == (shirt.garment,)
    assert proposed([[cardigan, shirt]], "린넨 가디건").candidate("Top").garments == (cardigan.garment,)


def test_it_finds_the_product_again_where_an_image_takes_it_for_something_else(proposed, seen):
    misread = seen({"Cardigan": 0.6, "Jacket": 0.3}, JACKET)
    proposal = proposed([[misread, seen("Pants", TROUSERS)], [seen("Jacket")], [seen("Jacket")]])

    assert _first(proposal) == "Outer"
    assert misread.garment in proposal.candidates[0].garments


def test_it_takes_the_largest_where_an_image_shows_nothing_that_may_be_the_product(proposed, seen):
    misread, shoes = seen("Dress", TROUSERS, material="denim"), seen("Shirt", (0.1, 0.8, 0.2, 0.9))
    proposal = proposed([[shoes, misread], [seen("Skirt", material="wool")], [seen("Skirt", material="wool")]])
    first = proposal.candidates[0]

    assert first.top_category == "Bottom"
    assert misread.garment in first.garments
    assert shoes.garment not in first.garments
    assert (first.images, first.total) == (2, 3)  # it was not recognised there
    assert first.attributes["material"].value == "wool"
    assert first.attributes["material"].alternatives == ()
    assert len(proposal.candidate("Onepiece").garments) == 1  # what the product hardly is may be missing in an image


def test_it_takes_attributes_of_the_product_only(proposed, seen):
    images = [
        [seen("Jacket", JACKET, material="leather"), seen("Pants", TROUSERS, material="denim")],
        [seen("Jacket", material="leather")],
    ]
    found = proposed(images).candidate("Outer")

    assert found.attributes["material"].value == "leather"
    assert found.attributes["material"].alternatives == ()


def test_it_does_not_count_images_that_do_not_show_an_attribute(proposed, seen):
    hidden, shown = seen("Shirt", SHIRT), seen("Shirt", sleeve_length="long")
    found = proposed([[hidden], [shown]]).candidate("Top")

    assert found.attributes["sleeve_length"].value == "long"
    assert found.attributes["sleeve_length"].confidence == 0.95
