"""Material, sleeve length and whatever else a product's name mentions: a hint beside what its images show."""

import pytest
from django.urls import reverse

from catalog import services
from catalog.models import Attribute, AttributeValue, Decision
from catalog.proposal import Named, parse
from catalog.selectors import Taxonomy
from classifier.proposals import Said, Seen, build, hint_of
from classifier.quality import thresholds
from tests.support.seen_products import seen_product
from tests.support.written_thresholds import allow

pytestmark = pytest.mark.django_db


def _values(name, sku=None):
    hint = hint_of(name, sku, Taxonomy.load())
    return {code: mention.value for code, mention in hint.values.items() if code != "category"} if hint else {}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Leather jacket", {"material": "leather"}),
        ("가죽 자켓", {"material": "leather"}),
        ("레더자켓", {"material": "leather"}),
        ("울코트", {"material": "wool"}),
        ("캐시미어 코트", {"material": "wool"}),  # one of two names
        ("청바지", {"material": "denim"}),
        ("Mom jeans", {"material": "denim"}),
        ("면티", {"material": "cotton"}),
        ("Hair knit cardigan", {"material": "hairknit"}),  # not "knit"
        ("인조가죽 스커트", {"material": "vinyl"}),
        ("린넨 반팔 셔츠", {"material": "linen", "sleeve_length": "short"}),
        ("반팔티", {"sleeve_length": "short"}),
        ("7부소매 블라우스", {"sleeve_length": "three-quarter"}),
        ("Three-quarter sleeve blouse", {"sleeve_length": "three-quarter"}),
        ("SHORT-SLEEVE tee", {"sleeve_length": "short"}),
        # not what it is of
        ("Faux leather jacket", {}),
        ("Vegan-leather jacket", {}),
        ("페이크 퍼 자켓", {}),
        ("Denim-look leggings", {}),
        ("Cotton jacket with leather trim", {"material": "cotton"}),
        # one of several
        ("울 니트", {}),
        ("Linen and silk dress", {}),
        # parts of other words, and words that mean something else
        ("지퍼 자켓", {}),
        ("퍼프 블라우스", {}),
        ("버튼 다운 셔츠", {}),
        ("Button down shirt", {}),
        ("Long coat", {}),
        ("Short skirt", {}),
        ("캡나시", {}),
        ("Furniture", {}),
        ("", {}),
    ],
)
def test_it_reads_what_is_a_word_of_its_own(name, values):
    assert _values(name) == values


def test_it_reads_the_name_only():
    assert _values("봄 신상", "leather-01") == {}


def test_it_reads_attributes_and_values_that_were_added():
    neckline = Attribute.objects.create(code="neckline", name_ko="넥라인", name_en="Neckline")
    AttributeValue.objects.create(attribute=neckline, code="v", name_ko="브이넥", name_en="V-neck", aliases=["V넥"])
    assert [_values(name) for name in ("브이넥 니트", "V-neck sweater", "v넥 니트")] == [
        {"neckline": "v", "material": "knit"},
        {"neckline": "v"},
        {"neckline": "v", "material": "knit"},
    ]
    AttributeValue.objects.filter(code="v").update(active=False)
    assert _values("V-neck sweater") == {}


@pytest.fixture
def proposed():
    """What is proposed for one image of a jacket of which the models say this, with that name."""

    def build_for(name, **said):
        answers = {"category": {"Jacket": 0.9}, **said}
        seen = Seen(1, 0.9, {code: Said(1, code, True, answer) for code, answer in answers.items()})
        taxonomy = Taxonomy.load()
        return build([[seen]], taxonomy, hint_of(name, None, taxonomy)).candidates[0].attributes

    return build_for


def test_a_mentioned_value_comes_first_where_the_images_hardly_speak_against_it(proposed):
    woven = {"woven": 0.5, "leather": 0.3, "denim": 0.1}
    unnamed, named = (proposed(name, material=woven)["material"] for name in ("Jacket", "Leather jacket"))
    assert (unnamed.value, unnamed.confidence, unnamed.calibrated, unnamed.said_by_name) == ("woven", 0.5, True, "")
    assert named.value == "leather"
    assert named.confidence == pytest.approx(0.3 * 12.18 / (0.7 + 0.3 * 12.18), abs=0.001)
    assert [other.value for other in named.alternatives] == ["woven", "denim"]
    assert named.alternatives[0].confidence == pytest.approx(0.5 / (0.7 + 0.3 * 12.18), abs=0.001)
    assert not named.calibrated  # nobody measured it
    assert named.named == Named("leather", "leather", 0.3)
    assert named.said_by_name == "the name says “leather”"


def test_it_stays_a_hint(proposed):
    named = proposed("Leather jacket", material={"denim": 0.95, "leather": 0.02})["material"]
    assert (named.value, named.said_by_name) == ("denim", "but the name says “leather”")
    assert named.confidence < 0.95


def test_what_no_image_speaks_for_is_not_proposed(proposed):
    unnamed, named = (proposed(name, material={"denim": 0.9}) for name in ("Jacket", "Leather jacket"))
    assert named == unnamed
    assert "sleeve_length" not in proposed("Long sleeve jacket")


def test_the_category_is_a_value_like_others(proposed):
    found = proposed("봄 코트", category={"Jacket": 0.5, "Coat": 0.3})["category"]
    assert (found.value, found.named) == ("Coat", Named("Coat", "코트", 0.3))
    assert found.confidence > 0.8


def test_a_new_name_changes_what_is_proposed_and_the_page_says_why(merchant, alice, actor_of, client_of):
    product = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.55))
    assert product.proposal.candidates[0].attributes["material"].confidence == 0.55

    services.update_product(actor=actor_of(alice), product=product, name="데님 자켓", sku="")

    product.refresh_from_db()
    stored = product.proposal.candidates[0].attributes["material"]
    assert stored.confidence > 0.9
    page = client_of(alice).get(reverse("catalog:product", args=[product.public_id])).text
    assert "the name says “데님”" in page
    korean = client_of(alice, "ko").get(reverse("catalog:product", args=[product.public_id])).text
    assert "이름에 ‘데님’ 있음" in korean


def test_a_decision_remembers_what_the_images_alone_said(merchant, alice, actor_of):
    """Thresholds are calibrated on it."""
    product = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.55))
    services.update_product(actor=actor_of(alice), product=product, name="데님 자켓", sku="")
    services.decide(actor=actor_of(alice), product=product, attribute="material", value="denim")
    assert Decision.objects.get(attribute__code="material").proposed_confidence == 0.55


def test_what_was_stored_before_there_were_names_is_read():
    value = {"value": "denim", "confidence": 0.9, "calibrated": True, "alternatives": [], "prediction": 1, "model": "m"}
    entry = {"top_category": "Outer", "confidence": 0.9, "images": 1, "total": 1, "garments": [1], "chosen": True}
    [candidate] = parse([{**entry, "attributes": {"material": {**value, "acceptance": ""}}}]).candidates
    assert candidate.attributes["material"].named is None


def test_nothing_is_accepted_for_its_name(merchant):
    """From which confidence on a value is accepted is what the images alone have to reach."""
    product = seen_product(merchant, category=("Jacket", 0.97), material=("denim", 0.8))
    allow("material", 0.9)
    taxonomy = Taxonomy.load()
    stored = product.proposal.candidates[0].attributes["material"]

    def accepted(name, confidence):
        said = Said(stored.prediction, stored.model, True, {"denim": confidence})
        seen = Seen(1, 0.9, {"category": Said(1, "c", True, {"Jacket": 0.97}), "material": said})
        proposal = build([[seen]], taxonomy, hint_of(name, None, taxonomy))
        return thresholds.mark(proposal, product=product, taxonomy=taxonomy).candidates[0].attributes["material"]

    assert accepted("Denim jacket", 0.8).confidence > 0.9
    assert accepted("Denim jacket", 0.8).acceptance == ""
    assert accepted("Denim jacket", 0.95).acceptance == accepted("Jacket", 0.95).acceptance != ""
