"""From which confidence on values may be auto-accepted, calibrated on what people decided."""

import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import AuditEvent
from catalog import services
from catalog.models import AttributeValue, Decision, Product
from classifier.models import AcceptanceThreshold
from classifier.precision import Outcome, choose, curve, least_decisions, lower_bound, wilson_interval
from classifier.quality.thresholds import calibrate
from core.errors import Forbidden
from tests.support.factories import MerchantFactory, UserFactory
from tests.support.seen_products import current_values, seen_product, version

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_sample")]

SURE = {"category": ("Jacket", 0.97), "material": ("denim", 0.96), "sleeve_length": ("long", 0.95)}


def judged(merchant, attribute, proposed, decided, confidence, count=1, model="1"):
    """Rows of people's decisions on that many proposals, as the services write them."""
    proposed = AttributeValue.objects.get(attribute__code=attribute, code=proposed)
    decided = AttributeValue.objects.get(attribute__code=attribute, code=decided)
    products = Product.objects.bulk_create(Product(merchant=merchant) for _ in range(count))
    products = Product.objects.filter(public_id__in=[product.public_id for product in products])
    Decision.objects.bulk_create(
        Decision(
            product=product,
            attribute=proposed.attribute,
            kind="set",
            value=decided,
            source="human",
            channel="portal",
            answers="proposal",
            proposed_value=proposed,
            proposed_confidence=confidence,
            proposed_by=version(attribute, model),
        )
        for product in products
    )


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


def test_one_merchant_can_be_calibrated_without_the_others(merchant, other_merchant):
    for one in (merchant, other_merchant):
        judged(one, "material", "denim", "denim", 0.95, 140)
    calibrate(actor=system(), precision=0.9)
    before = dict(AcceptanceThreshold.objects.exclude(merchant=merchant).values_list("scope", "calibrated_at"))
    judged(merchant, "material", "denim", "denim", 0.6, 3)

    mine = calibrate(actor=system(), precision=0.5, merchant=merchant)

    assert [(row.merchant, row.threshold, row.precision) for row in mine] == [(merchant, 0.6, 0.5)]
    assert dict(AcceptanceThreshold.objects.exclude(merchant=merchant).values_list("scope", "calibrated_at")) == before
    assert thresholds()["Charlie's merchant", "material", "denim"] == 0.95
    assert AuditEvent.objects.latest("pk").merchant == merchant


def test_a_class_with_enough_decisions_has_its_own_threshold(merchant):
    judged(merchant, "material", "denim", "denim", 0.95, 140)
    judged(merchant, "material", "denim", "woven", 0.70, 20)
    judged(merchant, "material", "knit", "knit", 0.90, 30)
    calibrate(actor=system())
    assert thresholds() == {
        (None, "material", "denim"): 0.95,
        (None, "material", "knit"): None,
        (None, "material", None): None,  # of knit alone: denim speaks for itself
        ("Alice's merchant", "material", "denim"): 0.95,
    }
    row = AcceptanceThreshold.objects.get(merchant=None, value__code="denim")
    assert (row.decisions, row.above, row.right) == (160, 140, 140)
    assert row.coverage == pytest.approx(140 / 160)
    assert row.lower_bound == pytest.approx(0.98104, abs=1e-4)


def test_classes_with_fewer_share_one(merchant, other_merchant):
    judged(merchant, "material", "denim", "denim", 0.9, 70)
    judged(other_merchant, "material", "knit", "knit", 0.8, 70)
    calibrate(actor=system())
    assert thresholds() == {
        (None, "material", "denim"): None,
        (None, "material", "knit"): None,
        (None, "material", None): 0.8,
    }


def test_with_too_few_it_is_off(merchant):
    judged(merchant, "material", "denim", "denim", 0.99, 132)
    calibrate(actor=system())
    assert set(thresholds().values()) == {None}


def test_a_class_that_is_often_wrong_is_not_accepted_with_the_others(merchant):
    judged(merchant, "material", "denim", "woven", 0.99, 40)
    judged(merchant, "material", "denim", "denim", 0.99, 100)
    judged(merchant, "material", "knit", "knit", 0.9, 133)
    calibrate(actor=system())
    assert thresholds()[None, "material", "denim"] is None
    assert thresholds()[None, "material", "knit"] == 0.9
    jeans = seen_product(MerchantFactory(), category=("Jeans", 0.95), material=("denim", 0.999))
    assert current_values(jeans)["material"] == ("proposed", "denim")


def test_a_merchant_goes_before_all_merchants(merchant, other_merchant):
    judged(merchant, "material", "denim", "denim", 0.6, 133)
    judged(other_merchant, "material", "denim", "woven", 0.6, 133)
    calibrate(actor=system())
    assert thresholds()["Alice's merchant", "material", "denim"] == 0.6
    assert thresholds()["Charlie's merchant", "material", "denim"] is None
    for one, state in ((merchant, "auto"), (other_merchant, "proposed"), (MerchantFactory(), "proposed")):
        product = seen_product(one, category=("Jeans", 0.95), material=("denim", 0.7))
        assert current_values(product)["material"] == (state, "denim")


def test_another_model_starts_without_thresholds(merchant):
    judged(merchant, "material", "denim", "denim", 0.6, 133)
    calibrate(actor=system())
    product = seen_product(merchant, model="2", category=("Jeans", 0.95), material=("denim", 0.99))
    assert current_values(product)["material"] == ("proposed", "denim")


def test_it_counts_merged_values_as_one(merchant):
    judged(merchant, "material", "denim", "woven", 0.9, 133)
    material = AttributeValue.objects.filter(attribute__code="material")
    material.filter(code="denim").update(merged_into=material.get(code="woven"), active=False)
    calibrate(actor=system())
    assert thresholds()[None, "material", "woven"] == 0.9


def test_what_confirms_an_accepted_value_proves_nothing(merchant):
    judged(merchant, "material", "denim", "denim", 0.9, 133)
    Decision.objects.update(answers="accepted")
    calibrate(actor=system())
    assert thresholds() == {}


def test_keys_and_commands_that_confirm_everything_prove_nothing(merchant, api_key):
    key, _secret = api_key
    judged(merchant, "material", "denim", "denim", 0.99, 150)
    Decision.objects.update(channel="api", api_key=key)
    calibrate(actor=system())
    assert set(thresholds().values()) <= {None}

    Decision.objects.update(channel="command", api_key=None)
    calibrate(actor=system())
    assert set(thresholds().values()) <= {None}


def test_what_a_key_says_afterwards_hides_no_person(merchant, api_key):
    judged(merchant, "material", "denim", "woven", 0.99, 60)
    for decision in list(Decision.objects.all()):
        decision.pk, decision.channel, decision.api_key, decision.value = (
            None,
            "api",
            api_key[0],
            decision.proposed_value,
        )
        decision.save(force_insert=True)
    judged(merchant, "material", "denim", "denim", 0.99, 300)

    calibrate(actor=system())

    assert set(thresholds().values()) == {None}


def test_publishing_what_nobody_looked_at_proves_nothing(merchant, actor, settings):
    settings.OTJANG_SAMPLE_SHARE = 0.0
    for _ in range(3):
        services.publish(actor=actor, product=seen_product(merchant, **SURE))
    assert Decision.objects.filter(user__isnull=False).count() == 9
    calibrate(actor=system())
    assert thresholds() == {}


def test_publishing_a_review_counts_what_was_answered(merchant, actor):
    product = seen_product(merchant, **SURE)
    services.save_review(
        actor=actor, product=product, top_category="Outer", values={"category": "Jacket"}, publish=True
    )
    calibrate(actor=system())
    assert {attribute for _merchant, attribute, _value in thresholds()} == {"category"}


def test_it_counts_values_that_were_merged_in_several_steps_as_one(merchant):
    judged(merchant, "material", "denim", "woven", 0.9, 133)
    material = AttributeValue.objects.filter(attribute__code="material")
    material.filter(code="denim").update(merged_into=material.get(code="linen"))
    material.filter(code="linen").update(merged_into=material.get(code="woven"))
    calibrate(actor=system())
    assert thresholds()[None, "material", "woven"] == 0.9


def test_the_last_word_counts_once(merchant, actor):
    product = seen_product(merchant, **SURE)
    for value in ("woven", "denim", "woven", "denim"):
        services.decide(actor=actor, product=product, attribute="material", value=value)
    services.decide(actor=actor, product=product, attribute="sleeve_length", value="short")
    services.withdraw(actor=actor, product=product, attribute="sleeve_length")
    calibrate(actor=system())
    row = AcceptanceThreshold.objects.get(value__code="denim")
    assert row.decisions == 1
    assert not AcceptanceThreshold.objects.filter(attribute__code="sleeve_length").exists()


def test_calibrating_again_keeps_what_was_switched_off_and_drops_what_is_gone(merchant):
    judged(merchant, "material", "denim", "denim", 0.9, 133)
    calibrate(actor=system())
    AcceptanceThreshold.objects.filter(merchant=None, value__code="denim").update(enabled=False)
    calibrate(actor=system())
    assert not AcceptanceThreshold.objects.get(merchant=None, value__code="denim").enabled
    Decision.objects.all().delete()
    calibrate(actor=system())
    assert list(AcceptanceThreshold.objects.values_list("enabled")) == [(False,)]


def test_the_command_calibrates_and_says_what_it_found(merchant):
    judged(merchant, "material", "denim", "denim", 0.9, 133)
    out = StringIO()
    call_command("calibrate_thresholds", "--precision", "0.97", stdout=out)
    assert AcceptanceThreshold.objects.get(merchant=None, value__code="denim").precision == 0.97
    assert "0.9000" in out.getvalue()
    event = AuditEvent.objects.get(action="acceptancethreshold.calibrate")
    assert (event.user, event.channel, event.details["precision"]) == (None, "command", 0.97)
    assert set(event.details["thresholds"].values()) == {0.9}
    with pytest.raises(CommandError):
        call_command("calibrate_thresholds", "--precision", "1", stdout=out)


def test_nobody_else_calibrates(merchant, alice, actor_of):
    judged(merchant, "material", "denim", "denim", 0.9, 133)
    staff = UserFactory(is_staff=True)
    for actor in (actor_of(alice), Actor(channel=Channel.ADMIN, user=staff)):
        with pytest.raises(Forbidden):
            calibrate(actor=actor)
    assert not AcceptanceThreshold.objects.exists()
    assert not AuditEvent.objects.exists()
