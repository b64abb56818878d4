"""What each bulk action does to products, and which it cannot be done to."""

import pytest

from accounts.models import AuditEvent
from catalog import services
from catalog.models import CATEGORY, MATERIAL, Decision, Product
from catalog.services import bulk
from classifier.quality.metrics import verdicts
from core.errors import Forbidden, Invalid
from tests.support.bulk_operations import outcomes, run
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values, seen_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(merchant):
    return [seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.5)) for _n in range(3)]


def _statuses(*products):
    return [Product.objects.get(pk=product.pk).status for product in products]


def test_it_publishes_and_says_what_it_could_not(actor, merchant, seen):
    open_one = ProductFactory(merchant=merchant, status="to_review")
    away = services.archive(actor=actor, product=ProductFactory(merchant=merchant))
    services.publish(actor=actor, product=seen[2])
    operation = run(actor, "publish", *seen, open_one, away)
    assert outcomes(operation) == {
        seen[0].pk: ("done", ""),
        seen[1].pk: ("done", ""),
        seen[2].pk: ("unchanged", ""),
        open_one.pk: ("refused", "category_open"),
        away.pk: ("refused", "archived"),
    }
    assert (operation.state, operation.total, operation.done, operation.failed) == ("done", 5, 3, 2)
    assert _statuses(*seen, open_one, away) == ["published"] * 3 + ["to_review", "archived"]
    counts = bulk.counts_of(operation)
    assert (counts.changed, counts.unchanged, counts.reasons) == (2, 1, {"category_open": 1, "archived": 1})


def test_decisions_carry_the_operation_and_the_person(actor, seen):
    operation = run(actor, "publish", *seen)
    made = Decision.objects.filter(operation=operation)
    assert made.count() == 6
    assert set(made.values_list("user", "channel")) == {(actor.user.pk, "portal")}


def test_it_is_in_the_audit_trail_once_and_once_a_product(actor, seen):
    operation = run(actor, "archive", *seen)
    start = AuditEvent.objects.get(action="operation.start")
    assert (start.subject_id, start.details["kind"], start.details["total"]) == (
        operation.public_id,
        "bulk_archive",
        3,
    )
    assert AuditEvent.objects.filter(action="product.archive").count() == 3


def test_accepting_decides_what_is_proposed_but_counts_for_no_figure(actor, seen):
    operation = run(actor, "accept", *seen)
    assert _statuses(*seen) == ["ready"] * 3
    assert current_values(seen[0])[CATEGORY] == ("decided", "Jacket")
    assert current_values(seen[0])[MATERIAL] == ("decided", "denim")
    assert not verdicts().exists()
    assert set(outcomes(run(actor, "accept", *seen)).values()) == {("unchanged", "")}
    assert Decision.objects.filter(operation=operation).count() == 6


def test_accepting_leaves_alone_what_a_person_decided(actor, seen):
    services.decide(actor=actor, product=seen[0], attribute=MATERIAL, value="woven")
    run(actor, "accept", *seen)
    assert current_values(seen[0])[MATERIAL] == ("decided", "woven")


def test_setting_a_value(actor, merchant, seen):
    services.decide(actor=actor, product=seen[0], attribute=MATERIAL, value="woven")
    operation = run(actor, "set", *seen, attribute=MATERIAL, value="woven")
    assert list(outcomes(operation).values()) == [("unchanged", ""), ("done", ""), ("done", "")]
    assert {current_values(product)[MATERIAL] for product in seen} == {("decided", "woven")}
    operation = run(actor, "set", *seen, attribute=MATERIAL, value="-")
    assert {current_values(product)[MATERIAL] for product in seen} == {("not_applicable", None)}
    assert set(outcomes(run(actor, "set", *seen, attribute=MATERIAL, value="-")).values()) == {("unchanged", "")}


def test_setting_a_category_follows_its_top_category(actor, seen):
    services.save_review(actor=actor, product=seen[0], top_category=None, values={CATEGORY: "Coat"})
    run(actor, "set", *seen, attribute=CATEGORY, value="Tshirt")
    assert {Product.objects.get(pk=product.pk).top_category.code for product in seen} == {"Top"}


def test_a_value_that_such_garments_do_not_have_is_refused_per_product(actor, seen):
    trousers = seen_product(seen[0].merchant, category=("Jeans", 0.9))
    operation = run(actor, "set", seen[0], trousers, attribute="sleeve_length", value="long")
    assert outcomes(operation) == {seen[0].pk: ("done", ""), trousers.pk: ("refused", "does_not_apply")}


def test_unpublishing_archiving_and_restoring(actor, seen):
    run(actor, "publish", *seen[:2])
    assert list(outcomes(run(actor, "unpublish", *seen)).values()) == [("done", ""), ("done", ""), ("unchanged", "")]
    assert _statuses(*seen) == ["ready", "ready", "to_review"]
    run(actor, "archive", *seen)
    assert _statuses(*seen) == ["archived"] * 3
    assert set(outcomes(run(actor, "unpublish", *seen)).values()) == {("refused", "archived")}
    run(actor, "restore", *seen)
    assert _statuses(*seen) == ["ready", "ready", "to_review"]
    assert set(outcomes(run(actor, "restore", *seen)).values()) == {("unchanged", "")}


def test_one_that_breaks_does_not_hold_up_the_others(actor, seen, monkeypatch, caplog):
    def breaks(work, product):
        if product.pk == seen[1].pk:
            raise ValueError("broken")
        return services.archive(actor=work.actor, product=product)

    monkeypatch.setitem(bulk.ACTIONS, "archive", bulk.Action("Archive", breaks, {}))
    operation = run(actor, "archive", *seen)
    assert list(outcomes(operation).values()) == [("done", ""), ("failed", "error"), ("done", "")]
    assert (operation.state, operation.done, operation.failed) == ("done", 2, 1)
    assert "cannot change the product" in caplog.text


def test_products_of_others_are_left_out(actor, seen, other_merchant):
    foreign = seen_product(other_merchant, category=("Jacket", 0.9))
    operation = run(actor, "publish", seen[0], foreign)
    assert outcomes(operation) == {seen[0].pk: ("done", "")}
    assert _statuses(foreign) == ["to_review"]
    with pytest.raises(Invalid) as refused:
        run(actor, "publish", foreign)
    assert refused.value.code == "nothing_chosen"


def test_a_viewer_may_not(dana, actor_of, seen):
    with pytest.raises(Forbidden):
        run(actor_of(dana), "publish", *seen)
    assert _statuses(*seen) == ["to_review"] * 3


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("explode", {}, "unknown_action"),
        ("set", {}, "unknown_attribute"),
        ("set", {"attribute": "material", "value": "gold"}, "unknown_value"),
        ("set", {"attribute": "category", "value": "Top"}, "not_a_leaf"),
        ("set", {"attribute": "category", "value": "-"}, "category_needed"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_starts(actor, seen, action, parameters, code):
    with pytest.raises(Invalid) as refused:
        run(actor, action, *seen, **parameters)
    assert refused.value.code == code
    assert not actor.merchant.operations.exists()


def test_it_says_before_how_many_and_what_cannot_be(actor, merchant, seen):
    ProductFactory(merchant=merchant, status="draft")
    services.publish(actor=actor, product=seen[0])
    services.archive(actor=actor, product=seen[1])
    unclear = seen_product(merchant)
    preview = bulk.look_ahead("publish", Product.objects.filter(merchant=merchant))
    assert (preview.total, preview.already, preview.possible) == (5, 1, 1)
    assert preview.cannot == {"category_open": 2, "archived": 1}
    assert preview.last == unclear.pk
