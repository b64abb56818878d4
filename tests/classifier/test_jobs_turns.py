"""Every merchant gets its share of the queue, however much another one has put into it."""

import importlib

import pytest
from django.apps import apps
from django.db import connection

from classifier.jobs import queue
from classifier.jobs.requests import queue_place, request_classification
from classifier.models import Classification
from tests.support.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db

BULK = Classification.Priority.BULK


def _upload(merchant, images):
    product = ProductFactory(merchant=merchant)
    return [image.classifications.get() for image in ProductImageFactory.create_batch(images, product=product)]


def _claims(times=1):
    """Whose jobs are claimed, one after the other."""
    return [queue.claim(1).jobs[0].image.product.merchant for _time in range(times)]


def test_a_new_product_comes_before_what_another_merchant_has_waiting(merchant, other_merchant):
    _upload(merchant, 40)
    assert _claims(10) == [merchant] * 10

    _upload(other_merchant, 3)

    assert _claims(6) == [merchant, other_merchant] * 3
    assert _claims(24) == [merchant] * 24


def test_who_had_nothing_waiting_does_not_catch_up(merchant, other_merchant):
    _upload(merchant, 20)
    _claims(10)
    _upload(other_merchant, 10)

    assert _claims(10).count(other_merchant) == 5


def test_what_comes_later_from_the_same_merchant_stands_behind_its_own(merchant, other_merchant):
    first = _upload(merchant, 3)
    _upload(other_merchant, 3)
    last = _upload(merchant, 1)

    claimed = [queue.claim(1).jobs[0].pk for _time in range(7)]

    assert [pk for pk in claimed if pk in {job.pk for job in first + last}] == [job.pk for job in first + last]
    assert claimed[-1] == last[0].pk


def test_each_priority_has_turns_of_its_own(merchant, other_merchant):
    bulk = _upload(merchant, 5)
    Classification.objects.update(priority=BULK)

    _upload(other_merchant, 2)

    assert _claims(7) == [other_merchant] * 2 + [merchant] * 5
    assert [job.turn for job in bulk] == [0, 1, 2, 3, 4]


def test_a_place_costs_one_query(merchant, django_assert_num_queries):
    _upload(merchant, 5)
    with django_assert_num_queries(1):
        assert queue.place(merchant.pk, 0) == queue.Place(merchant.pk, 5)


def test_the_place_that_people_read_counts_turns(merchant, other_merchant):
    waiting = _upload(merchant, 10)
    (theirs,) = _upload(other_merchant, 1)

    assert queue_place(theirs) == 2
    assert queue_place(waiting[-1]) == 11


def test_a_job_that_somebody_waits_for_gets_a_turn_among_those(merchant, other_merchant):
    from accounts.models import Operation

    (bulk,) = _upload(merchant, 1)
    operation = Operation.objects.create(kind="reclassify")
    Classification.objects.filter(pk=bulk.pk).update(priority=BULK, turn=900, operation=operation)
    _upload(other_merchant, 3)

    request_classification(image=bulk.image, again=True)

    bulk.refresh_from_db()
    assert (bulk.priority, bulk.turn) == (0, 0)


def test_what_waited_before_the_upgrade_takes_turns(merchant, other_merchant):
    _upload(merchant, 3)
    _upload(other_merchant, 2)
    Classification.objects.update(turn=0, merchant=None)

    migration = importlib.import_module("classifier.migrations.0008_queue_turns")
    migration.give_turns(apps, connection.schema_editor())

    assert _claims(5) == [merchant, other_merchant, merchant, other_merchant, merchant]
