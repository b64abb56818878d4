"""What clears its threshold is auto-accepted; people's word goes before it, and a sample goes to review."""

import hashlib

import pytest

from catalog import services
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute
from classifier.jobs.requests import propose_again
from classifier.models import AcceptanceThreshold, Classification
from classifier.quality.thresholds import is_sampled
from core.errors import Conflict
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.seen_products import current_values, look, seen_product, version
from tests.support.written_thresholds import allow

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_sample")]

SURE = {"category": ("Jacket", 0.97), "material": ("denim", 0.96), "sleeve_length": ("long", 0.95)}


def allow_all(threshold=0.9):
    for code in SURE:
        allow(code, threshold)


def test_it_accepts_what_clears_its_threshold(merchant):
    allow("material", 0.96)
    product = seen_product(merchant, **SURE)
    assert current_values(product) == {
        "category": ("proposed", "Jacket"),
        "material": ("auto", "denim"),
        "sleeve_length": ("proposed", "long"),
    }
    decision = Decision.objects.get()
    assert (decision.source, decision.kind, decision.value.code, decision.user) == ("auto", "set", "denim", None)
    assert (decision.answers, decision.proposed_confidence) == ("accepted", 0.96)
    assert decision.proposed_by == version("material") == decision.prediction.model_version
    assert ProductAttribute.objects.get(attribute__code="material").confidence == 0.96
    assert product.status == "to_review"


def test_it_leaves_what_is_below(merchant):
    allow("material", 0.9601)
    assert current_values(seen_product(merchant, **SURE))["material"] == ("proposed", "denim")
    assert not Decision.objects.exists()


def test_a_threshold_that_is_switched_off_accepts_nothing(merchant):
    allow("material", 0.9)
    allow("material", 0.9, value="denim", enabled=False, decisions=3)
    assert current_values(seen_product(merchant, **SURE))["material"] == ("proposed", "denim")


def test_a_product_of_which_all_is_accepted_needs_no_review(merchant):
    allow_all()
    product = seen_product(merchant, **SURE)
    assert {state for state, _ in current_values(product).values()} == {"auto"}
    assert product.status == "ready"
    trousers = seen_product(merchant, category=("Jeans", 0.97), material=("denim", 0.96))
    assert current_values(trousers)["sleeve_length"] == ("not_applicable", None)
    assert trousers.status == "ready"


def test_an_attribute_that_was_added_without_a_model_holds_nothing_up(merchant):
    allow_all()
    neckline = Attribute.objects.create(code="neckline", name_ko="네크라인", name_en="Neckline", position=9)
    AttributeValue.objects.create(attribute=neckline, code="round", name_ko="라운드", name_en="Round")
    product = seen_product(merchant, **SURE)
    assert current_values(product)["neckline"] == ("unset", None)
    assert product.status == "ready"


def test_a_category_that_nobody_and_nothing_says_holds_it_up(merchant):
    allow_all()
    product = seen_product(merchant, material=("denim", 0.96))
    assert (current_values(product)["category"], product.status) == (("unset", None), "to_review")


def test_it_waits_for_review_again_when_the_models_change_their_mind(merchant):
    allow_all()
    product = seen_product(merchant, **SURE)
    look(product, {**SURE, "material": ("knit", 0.9)})
    assert current_values(product)["material"] == ("proposed", "denim")  # 0.53 on average
    assert product.status == "to_review"
    assert list(Decision.objects.filter(attribute__code="material").values_list("kind", "source").order_by("id")) == [
        ("set", "auto"),
        ("withdrawn", "auto"),
    ]


def test_a_product_whose_values_are_in_part_accepted_waits_for_review(merchant):
    allow("category", 0.9)
    assert seen_product(merchant, **SURE).status == "to_review"


def test_it_accepts_nothing_while_images_wait(merchant):
    allow_all()
    product = ProductFactory(merchant=merchant)
    waiting = ProductImageFactory(product=product)
    look(product, SURE)
    look(product, SURE)
    assert {state for state, _ in current_values(product).values()} == {"proposed"}
    assert product.status == "classifying"
    Classification.objects.filter(image=waiting).update(state="failed", open_key=None)
    propose_again(product_id=product.pk)
    assert current_values(product)["material"] == ("auto", "denim")  # of two images that show it and one that failed


def test_looking_again_adds_no_second_decision(merchant):
    allow_all()
    product = seen_product(merchant, **SURE)
    propose_again(product_id=product.pk)
    assert Decision.objects.count() == 3


def test_a_person_overrides_it(merchant, actor):
    allow_all()
    product = seen_product(merchant, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    assert current_values(product)["material"] == ("decided", "woven")
    decision = Decision.objects.filter(source="human").get()
    assert (decision.answers, decision.proposed_value.code) == ("accepted", "denim")
    look(product, {**SURE, "material": ("knit", 0.99)})
    assert current_values(product)["material"] == ("decided", "woven")
    services.withdraw(actor=actor, product=product, attribute="material")
    assert current_values(product)["material"][0] == "proposed"  # denim and knit by halves


def test_it_never_speaks_for_what_a_person_decided(merchant, actor):
    product = seen_product(merchant, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    before = current_values(product)["material"], list(Decision.objects.values())
    allow("material", 0.5)
    propose_again(product_id=product.pk)
    assert (current_values(product)["material"], list(Decision.objects.values())) == before


def test_a_published_product_never_changes(merchant, actor):
    product = seen_product(merchant, **SURE)
    services.publish(actor=actor, product=product)
    before = current_values(product), list(Decision.objects.values())
    allow_all(0.5)
    look(product, {"category": ("Coat", 0.99), "material": ("knit", 0.99)})
    assert (current_values(product), list(Decision.objects.values())) == before
    with pytest.raises(Conflict):
        services.withdraw(actor=actor, product=product, attribute="material")
    assert (current_values(product), list(Decision.objects.values())) == before


def test_publishing_decides_what_was_accepted(merchant, actor):
    allow_all()
    product = seen_product(merchant, **SURE)
    services.publish(actor=actor, product=product)
    assert {state for state, _ in current_values(product).values()} == {"decided"}
    assert set(Decision.objects.filter(source="human").values_list("answers")) == {("published",)}
    AcceptanceThreshold.objects.all().delete()
    propose_again(product_id=product.pk)
    assert {state for state, _ in current_values(product).values()} == {"decided"}


def test_a_person_can_open_it_and_it_stays_open(merchant, actor):
    allow_all()
    product = seen_product(merchant, **SURE)
    opened = services.withdraw(actor=actor, product=product, attribute="material")
    assert current_values(product)["material"] == ("unset", None)
    propose_again(product_id=product.pk)
    assert current_values(product)["material"] == ("unset", None)
    assert services.withdraw(actor=actor, product=product, attribute="material") == opened  # said once


def test_it_shows_again_what_was_accepted_when_a_decision_is_taken_back(merchant, actor):
    allow_all()
    product = seen_product(merchant, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    services.withdraw(actor=actor, product=product, attribute="material")
    assert current_values(product)["material"] == ("auto", "denim")


def test_another_garment_takes_it_back(merchant, actor, settings):
    settings.OTJANG_TOP_CATEGORY_THRESHOLD = 0.5
    allow_all()
    shirt = {"category": ("Shirt", 0.6), "material": ("woven", 0.95)}
    product = look(ProductFactory(merchant=merchant, status="to_review"), SURE)
    look(product, SURE, shirt)
    assert product.top_category.code == "Outer"
    assert current_values(product)["category"] == ("auto", "Jacket")
    services.choose_top_category(actor=actor, product=product, top_category="Top")
    assert current_values(product) == {
        "category": ("proposed", "Shirt"),
        "material": ("auto", "woven"),
        "sleeve_length": ("unset", None),
    }
    product.refresh_from_db()
    assert product.status == "to_review"


def test_it_stays_while_another_image_waits_whatever_a_person_decides(merchant, actor):
    allow_all()
    product = seen_product(merchant, **SURE)
    waiting = ProductImageFactory(product=product)
    look(product, SURE)  # which does not say yet what is fit to be accepted
    services.decide(actor=actor, product=product, attribute="material", value="knit")
    assert current_values(product)["category"] == ("auto", "Jacket")
    assert not Decision.objects.filter(kind="withdrawn").exists()
    product.refresh_from_db()
    assert product.status == "classifying"
    Classification.objects.filter(image=waiting).update(state="failed", open_key=None)
    propose_again(product_id=product.pk)
    assert current_values(product)["category"] == ("auto", "Jacket")


def test_another_garment_takes_it_back_while_an_image_waits(merchant, actor):
    allow_all()
    product = seen_product(merchant, **SURE)
    ProductImageFactory(product=product)
    services.choose_top_category(actor=actor, product=product, top_category="Top")
    assert {value for _state, value in current_values(product).values()} == {None}


def test_a_decided_rest_makes_an_accepted_category_ready(merchant, actor):
    allow("category", 0.9)
    product = seen_product(merchant, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="denim")
    services.decide_not_applicable(actor=actor, product=product, attribute="sleeve_length")
    product.refresh_from_db()
    assert (product.status, current_values(product)["category"]) == ("ready", ("auto", "Jacket"))
    services.archive(actor=actor, product=product)
    assert services.restore(actor=actor, product=product).status == "ready"


# -- The sample --------------------------------------------------------------------------------------------------------


def test_a_share_chosen_by_chance_goes_to_review(merchant, settings, actor):
    settings.OTJANG_SAMPLE_SHARE = 1.0
    allow_all()
    product = seen_product(merchant, **SURE)
    assert {state for state, _ in current_values(product).values()} == {"proposed"}
    assert product.status == "to_review"
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    decision = Decision.objects.get()
    assert (decision.answers, decision.proposed_value.code) == ("sample", "denim")


def test_the_sample_is_as_large_as_it_says_and_always_the_same(settings):
    settings.OTJANG_SAMPLE_SHARE = 0.05
    products = [Product(public_id=hashlib.sha256(str(number).encode()).hexdigest()[:20]) for number in range(4000)]
    sampled = [is_sampled(product, "material") for product in products]
    assert 0.04 < sum(sampled) / len(sampled) < 0.06
    assert sampled == [is_sampled(product, "material") for product in products]
    assert sampled != [is_sampled(product, "category") for product in products]


# -- What a decision answers -------------------------------------------------------------------------------------------


def test_a_decision_answers_the_proposal(merchant, actor):
    product = seen_product(merchant, **SURE)
    decision = services.decide(actor=actor, product=product, attribute="material", value="woven")
    assert (decision.answers, decision.proposed_value.code, decision.proposed_confidence) == ("proposal", "denim", 0.96)
    assert decision.proposed_by == version("material")


def test_another_top_category_corrects_the_garment_that_the_models_chose(merchant, actor):
    product = seen_product(merchant, **SURE)
    decision = services.decide(actor=actor, product=product, attribute="category", value="Jeans")
    assert (decision.answers, decision.proposed_value.code) == ("proposal", "Jacket")
    assert decision.prediction is None  # no garment was seen as the one that it is


def test_a_garment_that_a_person_chose_among_several_is_no_correction(merchant, actor):
    product = look(ProductFactory(merchant=merchant), SURE, {"category": ("Jeans", 0.8)})
    assert product.top_category is None
    services.save_review(actor=actor, product=product, top_category="Bottom", values={"category": "Jeans"})
    decision = Decision.objects.get()
    assert (decision.answers, decision.proposed_value.code, decision.value.code) == ("proposal", "Jeans", "Jeans")


def test_a_decision_without_a_proposal_answers_nothing(product, actor):
    decision = services.decide(actor=actor, product=product, attribute="material", value="woven")
    assert (decision.answers, decision.proposed_value, decision.proposed_by) == ("", None, None)
