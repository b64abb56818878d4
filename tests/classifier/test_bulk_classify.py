"""Classifying many products again: a bulk operation that fills the queue only as far as others can stand it."""

import pytest

from catalog import services
from catalog.models import Product
from catalog.services import bulk
from classifier.jobs import bulk as classifying
from classifier.models import Classification
from tests.support.bulk_operations import finish, outcomes, run
from tests.support.factories import ProductFactory
from tests.support.seen_products import seen_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def seen(merchant):
    return [seen_product(merchant, category=("Jacket", 0.9)) for _n in range(3)]


def _waiting():
    return Classification.objects.filter(state="queued")


def test_it_queues_their_images(actor, merchant, seen):
    away = services.archive(actor=actor, product=ProductFactory(merchant=merchant))
    operation = run(actor, "classify", *seen, away)
    assert list(outcomes(operation).values()) == [("done", "")] * 3 + [("refused", "archived")]
    assert _waiting().count() == 3
    assert set(Product.objects.exclude(pk=away.pk).values_list("status", flat=True)) == {"classifying"}
    assert set(outcomes(run(actor, "classify", *seen)).values()) == {("unchanged", "")}
    assert not bulk.can_undo(operation)


@pytest.mark.parametrize(("bulk_from", "priority"), [(50, "INTERACTIVE"), (3, "BULK")])
def test_many_wait_behind_what_people_wait_for(actor, seen, settings, bulk_from, priority):
    settings.OTJANG_BULK_FROM = bulk_from
    run(actor, "classify", *seen)
    assert set(_waiting().values_list("priority", flat=True)) == {Classification.Priority[priority]}


def test_it_goes_on_as_there_is_room_in_the_queue(actor, seen, settings, monkeypatch):
    settings.OTJANG_BULK_FROM = 1
    monkeypatch.setattr(classifying, "_IN_THE_QUEUE", 2)
    operation = run(actor, "classify", *seen)
    assert (operation.state, operation.done, _waiting().count()) == ("running", 2, 2)
    Classification.objects.filter(pk=_waiting().first().pk).update(state="done", open_key=None)
    finish(operation)
    assert (operation.state, operation.done, _waiting().count()) == ("done", 3, 2)
