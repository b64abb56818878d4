"""A bulk operation is undone as a whole, for a day; what was changed since is left alone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Operation
from catalog import services
from catalog.models import MATERIAL, Decision, Product
from catalog.services import bulk
from core.errors import Conflict, Forbidden
from tests.support.bulk_operations import finish, outcomes, run, state_of_all
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values, seen_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(actor, merchant):
    """Products of many kinds."""
    plain = [seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.5)) for _n in range(2)]
    decided = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.5))
    services.decide(actor=actor, product=decided, attribute=MATERIAL, value="woven")
    public = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.5))
    services.publish(actor=actor, product=public)
    away = seen_product(merchant, category=("Tshirt", 0.9))
    services.archive(actor=actor, product=away)
    return [*plain, decided, public, away, ProductFactory(merchant=merchant)]


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("publish", {}),
        ("unpublish", {}),
        ("archive", {}),
        ("restore", {}),
        ("accept", {}),
        ("set", {"attribute": "material", "value": "knit"}),
        ("set", {"attribute": "material", "value": "-"}),
        ("set", {"attribute": "category", "value": "Tshirt"}),
    ],
)
def test_undone_it_is_as_if_nothing_had_been_done(actor, merchant, seen, action, parameters):
    before = state_of_all(merchant)
    operation = run(actor, action, *seen, **parameters)
    changed = state_of_all(merchant)
    assert changed != before
    undo = finish(bulk.start_undo(actor=actor, operation=operation))
    assert state_of_all(merchant) == before
    assert (undo.kind, undo.failed) == ("bulk_undo", 0)
    done = {product for product, (outcome, _reason) in outcomes(operation).items() if outcome == "done"}
    assert outcomes(undo) == dict.fromkeys(done, ("done", ""))


def test_the_undo_can_be_undone(actor, merchant, seen):
    operation = run(actor, "archive", *seen)
    changed = {pk: row[0] for pk, row in state_of_all(merchant).items()}
    undo = finish(bulk.start_undo(actor=actor, operation=operation))
    finish(bulk.start_undo(actor=actor, operation=undo))
    assert {pk: row[0] for pk, row in state_of_all(merchant).items()} == changed


def test_a_product_that_was_changed_since_is_left_alone(actor, bob, actor_of, merchant, seen):
    operation = run(actor, "publish", *seen)
    services.decide(actor=actor_of(bob), product=seen[0], attribute=MATERIAL, value="woven")
    undo = finish(bulk.start_undo(actor=actor, operation=operation))
    assert outcomes(undo)[seen[0].pk] == ("refused", "stale")
    assert outcomes(undo)[seen[1].pk] == ("done", "")
    assert Product.objects.get(pk=seen[0].pk).status == "published"
    assert current_values(seen[0])[MATERIAL] == ("decided", "woven")
    assert (undo.done, undo.failed) == (2, 1)


def test_what_it_decides_again_carries_the_undo(actor, seen):
    operation = run(actor, "set", *seen[:3], attribute="material", value="knit")
    undo = finish(bulk.start_undo(actor=actor, operation=operation))
    assert sorted(Decision.objects.filter(operation=undo).values_list("kind", "value__code")) == [
        ("set", "woven"),
        ("withdrawn", None),
        ("withdrawn", None),
    ]


def _refusal(actor, operation):
    count = Operation.objects.count()
    with pytest.raises(Conflict) as refused:
        bulk.start_undo(actor=actor, operation=operation)
    assert Operation.objects.count() == count
    return refused.value.code


def test_it_is_undone_once(actor, seen):
    operation = run(actor, "archive", *seen)
    bulk.start_undo(actor=actor, operation=operation)
    operation.refresh_from_db()
    assert not bulk.can_undo(operation)
    assert _refusal(actor, operation) == "undone_already"


def test_it_is_undone_for_a_day(actor, seen):
    operation = run(actor, "archive", *seen)
    assert bulk.can_undo(operation)
    Operation.objects.filter(pk=operation.pk).update(finished_at=timezone.now() - timedelta(hours=25))
    assert _refusal(actor, operation) == "too_late"


def test_not_while_it_is_under_way(actor, seen):
    operation = bulk.start(actor=actor, action="archive", products=Product.objects.all())
    assert _refusal(actor, operation) in {"not_over", "nothing_to_undo"}


def test_nothing_done_is_nothing_to_undo(actor, merchant):
    operation = run(actor, "publish", ProductFactory(merchant=merchant))
    assert _refusal(actor, operation) == "nothing_to_undo"


def test_viewers_and_outsiders_may_not(actor, dana, charlie, actor_of, merchant, seen):
    operation = run(actor, "publish", *seen)
    before = state_of_all(merchant)
    with pytest.raises(Forbidden):
        bulk.start_undo(actor=actor_of(dana), operation=operation)
    with pytest.raises(Operation.DoesNotExist):
        bulk.start_undo(actor=actor_of(charlie), operation=operation)
    assert state_of_all(merchant) == before
