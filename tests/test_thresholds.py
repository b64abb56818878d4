"""From which confidence on values are accepted by themselves, and that people's word goes before it."""

import hashlib
import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.actors import Actor, Via, system
from accounts.errors import Conflict, Forbidden
from accounts.models import AuditEvent
from catalog import services
from catalog.models import Attribute, AttributeValue, Decision, Product, ProductAttribute
from classifier.models import AcceptanceThreshold, Classification
from classifier.precision import Outcome, choose, curve, least_decisions, lower_bound, wilson_interval
from classifier.services import propose_again
from classifier.thresholds import calibrate, is_sampled
from tests.factories import MerchantFactory, ProductFactory, ProductImageFactory, UserFactory
from tests.seen import look, seen_product, version

pytestmark = pytest.mark.django_db

SURE = {"category": ("Jacket", 0.97), "material": ("denim", 0.96), "sleeve_length": ("long", 0.95)}


@pytest.fixture(autouse=True)
def _no_sample(settings):
    settings.OTJANG_SAMPLE_SHARE = 0.0


@pytest.fixture
def actor(alice, actor_of):
    return actor_of(alice)


def judged(shop, attribute, proposed, decided, confidence, count=1, model="1"):
    """Rows of people's decisions on that many proposals, as the services write them."""
    proposed = AttributeValue.objects.get(attribute__code=attribute, code=proposed)
    decided = AttributeValue.objects.get(attribute__code=attribute, code=decided)
    products = Product.objects.bulk_create(Product(merchant=shop) for _ in range(count))
    products = Product.objects.filter(public_id__in=[product.public_id for product in products])
    Decision.objects.bulk_create(
        Decision(
            product=product,
            attribute=proposed.attribute,
            kind="set",
            value=decided,
            source="human",
            via="portal",
            answers="proposal",
            proposed_value=proposed,
            proposed_confidence=confidence,
            proposed_by=version(attribute, model),
        )
        for product in products
    )


def allow(attribute, threshold, value=None, merchant=None, model="1", **fields):
    """A threshold as calibration would write it."""
    row = Attribute.objects.get(code=attribute)
    value = AttributeValue.objects.get(attribute=row, code=value) if value else None
    model = version(attribute, model)
    return AcceptanceThreshold.objects.create(
        merchant=merchant,
        attribute=row,
        value=value,
        model_version=model,
        scope=AcceptanceThreshold.scope_of(merchant and merchant.pk, row.pk, value and value.pk, model.pk),
        **{"precision": 0.98, "decisions": 200, "threshold": threshold, "calibrated_at": "2026-11-23T00:00Z", **fields},
    )


def allow_all(threshold=0.9):
    for code in SURE:
        allow(code, threshold)


def values(product):
    rows = ProductAttribute.objects.filter(product=product).select_related("attribute", "value")
    return {row.attribute.code: (row.state, row.value and row.value.code) for row in rows}


def thresholds():
    return {
        (row.merchant and row.merchant.name, row.attribute.code, row.value and row.value.code): row.threshold
        for row in AcceptanceThreshold.objects.all()
    }


# -- How much is enough ------------------------------------------------------------------------------------------------


def test_the_interval_is_wilsons():
    # 8 of 10 at 95 %: 0.490 to 0.943 (Agresti and Coull 1998 and any table of it)
    assert wilson_interval(8, 10) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(10, 10)[1] == 1.0


def test_133_right_decisions_are_enough_for_98_per_cent():
    assert least_decisions(0.98) == 133
    assert lower_bound(133, 133) >= 0.98 > lower_bound(132, 132)
    assert lower_bound(150, 151) < 0.98 < lower_bound(250, 251)


def test_it_chooses_the_lowest_threshold_that_is_safe():
    outcomes = [Outcome(0.9, True)] * 100 + [Outcome(0.8, True)] * 50 + [Outcome(0.7, False)] * 5
    points = curve(outcomes)
    assert [(point.threshold, point.decisions, point.right) for point in points] == [
        (0.9, 100, 100),
        (0.8, 150, 150),
        (0.7, 155, 150),
    ]
    assert choose(points, 0.98).threshold == 0.8
    assert choose(points, 0.95).threshold == 0.8
    assert choose(points, 0.9).threshold == 0.7
    assert choose(points, 0.999) is None


def test_its_coverage_counts_what_nobody_looked_at():
    points = curve([Outcome(0.9, True), Outcome(0.9, None), Outcome(0.8, None), Outcome(0.5, False)])
    assert [(point.threshold, point.decisions, point.coverage) for point in points] == [
        (0.9, 1, 0.5),
        (0.8, 1, 0.75),
        (0.5, 2, 1.0),
    ]


def test_its_thresholds_keep_their_promise():
    """Models that are right with a chance that grows with confidence; the bound may be missed by 5 % of samples."""

    def chance(confidence):
        return min(1.0, 0.9 + 0.25 * (confidence - 0.5))

    broken = 0
    for seed in range(60):
        rng = random.Random(seed)
        confidences = [rng.uniform(0.5, 1) for _ in range(500)]
        outcomes = [Outcome(confidence, rng.random() < chance(confidence)) for confidence in confidences]
        point = choose(curve(outcomes), 0.98)
        if point is not None:
            grid = [point.threshold + (1 - point.threshold) * step / 200 for step in range(200)]
            broken += sum(map(chance, grid)) / len(grid) < 0.98
    assert broken <= 6


# -- Calibration -------------------------------------------------------------------------------------------------------


def test_a_class_with_enough_decisions_has_its_own_threshold(shop):
    judged(shop, "material", "denim", "denim", 0.95, 140)
    judged(shop, "material", "denim", "woven", 0.70, 20)
    judged(shop, "material", "knit", "knit", 0.90, 30)
    calibrate(actor=system())
    assert thresholds() == {
        (None, "material", "denim"): 0.95,
        (None, "material", "knit"): None,
        (None, "material", None): None,  # of knit alone: denim speaks for itself
        ("Alice's shop", "material", "denim"): 0.95,
    }
    row = AcceptanceThreshold.objects.get(merchant=None, value__code="denim")
    assert (row.decisions, row.above, row.right) == (160, 140, 140)
    assert row.coverage == pytest.approx(140 / 160)
    assert row.lower_bound == pytest.approx(0.98104, abs=1e-4)


def test_classes_with_fewer_share_one(shop, other_shop):
    judged(shop, "material", "denim", "denim", 0.9, 70)
    judged(other_shop, "material", "knit", "knit", 0.8, 70)
    calibrate(actor=system())
    assert thresholds() == {
        (None, "material", "denim"): None,
        (None, "material", "knit"): None,
        (None, "material", None): 0.8,
    }


def test_with_too_few_it_is_off(shop):
    judged(shop, "material", "denim", "denim", 0.99, 132)
    calibrate(actor=system())
    assert set(thresholds().values()) == {None}


def test_a_class_that_is_often_wrong_is_not_accepted_with_the_others(shop):
    judged(shop, "material", "denim", "woven", 0.99, 40)
    judged(shop, "material", "denim", "denim", 0.99, 100)
    judged(shop, "material", "knit", "knit", 0.9, 133)
    calibrate(actor=system())
    assert thresholds()[None, "material", "denim"] is None
    assert thresholds()[None, "material", "knit"] == 0.9
    jeans = seen_product(MerchantFactory(), category=("Jeans", 0.5), material=("denim", 0.999))
    assert values(jeans)["material"] == ("proposed", "denim")


def test_a_shop_goes_before_all_shops(shop, other_shop):
    judged(shop, "material", "denim", "denim", 0.6, 133)
    judged(other_shop, "material", "denim", "woven", 0.6, 133)
    calibrate(actor=system())
    assert thresholds()["Alice's shop", "material", "denim"] == 0.6
    assert thresholds()["Charlie's shop", "material", "denim"] is None
    for merchant, state in ((shop, "auto"), (other_shop, "proposed"), (MerchantFactory(), "proposed")):
        product = seen_product(merchant, category=("Jeans", 0.5), material=("denim", 0.7))
        assert values(product)["material"] == (state, "denim")


def test_another_model_starts_without_thresholds(shop):
    judged(shop, "material", "denim", "denim", 0.6, 133)
    calibrate(actor=system())
    product = seen_product(shop, model="2", category=("Jeans", 0.5), material=("denim", 0.99))
    assert values(product)["material"] == ("proposed", "denim")


def test_it_counts_merged_values_as_one(shop):
    judged(shop, "material", "denim", "woven", 0.9, 133)
    material = AttributeValue.objects.filter(attribute__code="material")
    material.filter(code="denim").update(merged_into=material.get(code="woven"), active=False)
    calibrate(actor=system())
    assert thresholds()[None, "material", "woven"] == 0.9


def test_what_confirms_an_accepted_value_proves_nothing(shop):
    judged(shop, "material", "denim", "denim", 0.9, 133)
    Decision.objects.update(answers="accepted")
    calibrate(actor=system())
    assert thresholds() == {}


def test_the_last_word_counts_once(shop, actor):
    product = seen_product(shop, **SURE)
    for value in ("woven", "denim", "woven", "denim"):
        services.decide(actor=actor, product=product, attribute="material", value=value)
    services.decide(actor=actor, product=product, attribute="sleeve_length", value="short")
    services.withdraw(actor=actor, product=product, attribute="sleeve_length")
    calibrate(actor=system())
    row = AcceptanceThreshold.objects.get(value__code="denim")
    assert row.decisions == 1
    assert not AcceptanceThreshold.objects.filter(attribute__code="sleeve_length").exists()


def test_calibrating_again_keeps_what_was_switched_off_and_drops_what_is_gone(shop):
    judged(shop, "material", "denim", "denim", 0.9, 133)
    calibrate(actor=system())
    AcceptanceThreshold.objects.filter(merchant=None, value__code="denim").update(enabled=False)
    calibrate(actor=system())
    assert not AcceptanceThreshold.objects.get(merchant=None, value__code="denim").enabled
    Decision.objects.all().delete()
    calibrate(actor=system())
    assert list(AcceptanceThreshold.objects.values_list("enabled")) == [(False,)]


def test_the_command_calibrates_and_says_what_it_found(shop):
    judged(shop, "material", "denim", "denim", 0.9, 133)
    out = StringIO()
    call_command("calibrate_thresholds", "--precision", "0.97", stdout=out)
    assert AcceptanceThreshold.objects.get(merchant=None, value__code="denim").precision == 0.97
    assert "0.9000" in out.getvalue()
    event = AuditEvent.objects.get(action="acceptancethreshold.calibrate")
    assert (event.user, event.via, event.details["precision"]) == (None, "command", 0.97)
    assert set(event.details["thresholds"].values()) == {0.9}
    with pytest.raises(CommandError):
        call_command("calibrate_thresholds", "--precision", "1", stdout=out)


def test_nobody_else_calibrates(shop, alice, actor_of):
    judged(shop, "material", "denim", "denim", 0.9, 133)
    staff = UserFactory(is_staff=True)
    for actor in (actor_of(alice), Actor(via=Via.ADMIN, user=staff)):
        with pytest.raises(Forbidden):
            calibrate(actor=actor)
    assert not AcceptanceThreshold.objects.exists()
    assert not AuditEvent.objects.exists()


# -- Acceptance --------------------------------------------------------------------------------------------------------


def test_it_accepts_what_clears_its_threshold(shop):
    allow("material", 0.96)
    product = seen_product(shop, **SURE)
    assert values(product) == {
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


def test_it_leaves_what_is_below(shop):
    allow("material", 0.9601)
    assert values(seen_product(shop, **SURE))["material"] == ("proposed", "denim")
    assert not Decision.objects.exists()


def test_a_threshold_that_is_switched_off_accepts_nothing(shop):
    allow("material", 0.9)
    allow("material", 0.9, value="denim", enabled=False, decisions=3)
    assert values(seen_product(shop, **SURE))["material"] == ("proposed", "denim")


def test_a_product_of_which_all_is_accepted_needs_no_review(shop):
    allow_all()
    product = seen_product(shop, **SURE)
    assert {state for state, _ in values(product).values()} == {"auto"}
    assert product.status == "ready"
    trousers = seen_product(shop, category=("Jeans", 0.97), material=("denim", 0.96))
    assert values(trousers)["sleeve_length"] == ("not_applicable", None)
    assert trousers.status == "ready"


def test_it_waits_for_review_again_when_the_models_change_their_mind(shop):
    allow_all()
    product = seen_product(shop, **SURE)
    look(product, {**SURE, "material": ("knit", 0.9)})
    assert values(product)["material"] == ("proposed", "denim")  # 0.53 on average
    assert product.status == "to_review"
    assert list(Decision.objects.filter(attribute__code="material").values_list("kind", "source").order_by("id")) == [
        ("set", "auto"),
        ("withdrawn", "auto"),
    ]


def test_a_product_whose_values_are_in_part_accepted_waits_for_review(shop):
    allow("category", 0.9)
    assert seen_product(shop, **SURE).status == "to_review"


def test_it_accepts_nothing_while_photographs_wait(shop):
    allow_all()
    product = ProductFactory(merchant=shop)
    waiting = ProductImageFactory(product=product)
    look(product, SURE)
    look(product, SURE)
    assert {state for state, _ in values(product).values()} == {"proposed"}
    assert product.status == "classifying"
    Classification.objects.filter(image=waiting).update(state="failed", open_key=None)
    propose_again(product_id=product.pk)
    assert values(product)["material"] == ("auto", "denim")  # of two photographs that show it and one that failed


def test_looking_again_adds_no_second_decision(shop):
    allow_all()
    product = seen_product(shop, **SURE)
    propose_again(product_id=product.pk)
    assert Decision.objects.count() == 3


def test_a_person_overrides_it(shop, actor):
    allow_all()
    product = seen_product(shop, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    assert values(product)["material"] == ("decided", "woven")
    decision = Decision.objects.filter(source="human").get()
    assert (decision.answers, decision.proposed_value.code) == ("accepted", "denim")
    look(product, {**SURE, "material": ("knit", 0.99)})
    assert values(product)["material"] == ("decided", "woven")
    services.withdraw(actor=actor, product=product, attribute="material")
    assert values(product)["material"][0] == "proposed"  # denim and knit by halves


def test_it_never_speaks_for_what_a_person_decided(shop, actor):
    product = seen_product(shop, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    before = values(product)["material"], list(Decision.objects.values())
    allow("material", 0.5)
    propose_again(product_id=product.pk)
    assert (values(product)["material"], list(Decision.objects.values())) == before


def test_a_published_product_never_changes(shop, actor):
    product = seen_product(shop, **SURE)
    services.publish(actor=actor, product=product)
    before = values(product), list(Decision.objects.values())
    allow_all(0.5)
    look(product, {"category": ("Coat", 0.99), "material": ("knit", 0.99)})
    assert (values(product), list(Decision.objects.values())) == before
    with pytest.raises(Conflict):
        services.withdraw(actor=actor, product=product, attribute="material")
    assert (values(product), list(Decision.objects.values())) == before


def test_publishing_decides_what_was_accepted(shop, actor):
    allow_all()
    product = seen_product(shop, **SURE)
    services.publish(actor=actor, product=product)
    assert {state for state, _ in values(product).values()} == {"decided"}
    assert set(Decision.objects.filter(source="human").values_list("answers")) == {("accepted",)}
    AcceptanceThreshold.objects.all().delete()
    propose_again(product_id=product.pk)
    assert {state for state, _ in values(product).values()} == {"decided"}


def test_a_person_can_open_it_and_it_stays_open(shop, actor):
    allow_all()
    product = seen_product(shop, **SURE)
    services.withdraw(actor=actor, product=product, attribute="material")
    assert values(product)["material"] == ("proposed", "denim")
    product.refresh_from_db()
    assert product.status == "to_review"
    propose_again(product_id=product.pk)
    assert values(product)["material"] == ("proposed", "denim")


def test_it_shows_again_what_was_accepted_when_a_decision_is_taken_back(shop, actor):
    allow_all()
    product = seen_product(shop, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="woven")
    services.withdraw(actor=actor, product=product, attribute="material")
    assert values(product)["material"] == ("auto", "denim")


def test_another_garment_takes_it_back(shop, actor):
    allow_all()
    shirt = {"category": ("Shirt", 0.6), "material": ("woven", 0.95)}
    product = look(ProductFactory(merchant=shop, status="to_review"), SURE)
    look(product, SURE, shirt)
    assert product.row.code == "Outer"
    assert values(product)["category"] == ("auto", "Jacket")
    services.choose_row(actor=actor, product=product, first_level="Top")
    assert values(product) == {
        "category": ("proposed", "Shirt"),
        "material": ("auto", "woven"),
        "sleeve_length": ("unset", None),
    }
    product.refresh_from_db()
    assert product.status == "to_review"


def test_a_decided_rest_makes_an_accepted_category_ready(shop, actor):
    allow("category", 0.9)
    product = seen_product(shop, **SURE)
    services.decide(actor=actor, product=product, attribute="material", value="denim")
    services.decide_not_applicable(actor=actor, product=product, attribute="sleeve_length")
    product.refresh_from_db()
    assert (product.status, values(product)["category"]) == ("ready", ("auto", "Jacket"))
    services.archive(actor=actor, product=product)
    assert services.restore(actor=actor, product=product).status == "ready"


# -- The sample --------------------------------------------------------------------------------------------------------


def test_a_share_chosen_by_chance_goes_to_review(shop, settings, actor):
    settings.OTJANG_SAMPLE_SHARE = 1.0
    allow_all()
    product = seen_product(shop, **SURE)
    assert {state for state, _ in values(product).values()} == {"proposed"}
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


def test_a_decision_answers_the_proposal(shop, actor):
    product = seen_product(shop, **SURE)
    decision = services.decide(actor=actor, product=product, attribute="material", value="woven")
    assert (decision.answers, decision.proposed_value.code, decision.proposed_confidence) == ("proposal", "denim", 0.96)
    assert decision.proposed_by == version("material")


def test_another_first_level_corrects_the_garment_that_the_models_chose(shop, actor):
    product = seen_product(shop, **SURE)
    decision = services.decide(actor=actor, product=product, attribute="category", value="Jeans")
    assert (decision.answers, decision.proposed_value.code) == ("proposal", "Jacket")
    assert decision.prediction is None  # no garment was seen as the one that it is


def test_a_garment_that_a_person_chose_among_several_is_no_correction(shop, actor):
    product = look(ProductFactory(merchant=shop), SURE, {"category": ("Jeans", 0.8)})
    assert product.row is None
    services.save_review(actor=actor, product=product, first_level="Bottom", values={"category": "Jeans"})
    decision = Decision.objects.get()
    assert (decision.answers, decision.proposed_value.code, decision.value.code) == ("proposal", "Jeans", "Jeans")


def test_a_decision_without_a_proposal_answers_nothing(product, actor):
    decision = services.decide(actor=actor, product=product, attribute="material", value="woven")
    assert (decision.answers, decision.proposed_value, decision.proposed_by) == ("", None, None)
