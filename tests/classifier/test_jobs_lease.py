"""A job is claimed by one worker under a lease, and done once."""

import pytest

from classifier.jobs import queue, sweep
from classifier.models import Classification
from tests.support.factories import ProductImageFactory
from tests.support.fake_engines import expire_leases

pytestmark = pytest.mark.django_db


def test_it_claims_interactive_work_first(product):
    bulk, first, second = (
        image.classifications.get() for image in ProductImageFactory.create_batch(3, product=product)
    )
    Classification.objects.filter(pk=bulk.pk).update(priority=Classification.Priority.BULK)

    assert [job.pk for job in queue.claim(2).jobs] == [first.pk, second.pk]
    assert [job.pk for job in queue.claim(2).jobs] == [bulk.pk]
    assert queue.claim(2) is None


def test_it_divides_a_short_queue_among_free_lanes(product):
    ProductImageFactory.create_batch(11, product=product)

    assert [len(queue.claim(4, lanes=lanes).jobs) for lanes in (2, 1, 2, 1)] == [4, 4, 2, 1]


def test_it_claims_with_three_queries(product, django_assert_num_queries):
    ProductImageFactory.create_batch(5, product=product)

    # savepoint, what waits, the claim, the claimed rows with their images, release
    with django_assert_num_queries(5):
        batch = queue.claim(8)

    assert len(batch.jobs) == 5
    assert {(job.state, job.attempts, job.lease_token) for job in batch.jobs} == {("running", 1, batch.token)}


def test_it_takes_over_when_the_lease_has_ended(product):
    ProductImageFactory(product=product)
    dead = queue.claim(8)
    assert queue.put_back_expired() == 0

    expire_leases()
    sweep.take_over()
    alive = queue.claim(8)

    assert [job.pk for job in alive.jobs] == [job.pk for job in dead.jobs]
    assert queue.finish(dead.token, {dead.jobs[0].pk: 1}, model_set_id=None, timings={}) == set()
    assert not queue.fail(dead.token, dead.jobs[0].pk, "unreadable", "late")
    assert queue.finish(alive.token, {alive.jobs[0].pk: 1}, model_set_id=None, timings={}) == {alive.jobs[0].pk}
    job = Classification.objects.get()
    assert (job.state, job.open_key, job.attempts, job.error_code) == ("done", None, 2, "")


def test_it_gives_up_after_the_last_attempt(product, settings):
    settings.OTJANG_MAX_ATTEMPTS = 2
    ProductImageFactory(product=product)
    for _attempt in range(2):
        assert queue.claim(8) is not None
        expire_leases()
        assert queue.put_back_expired() == 1

    assert queue.claim(8) is None
    job = Classification.objects.get()
    assert (job.state, job.open_key, job.error_code) == ("failed", None, "gave_up")


def test_it_claims_alone_what_was_broken_off_before(product):
    first, second, third = (
        image.classifications.get() for image in ProductImageFactory.create_batch(3, product=product)
    )
    Classification.objects.filter(pk=second.pk).update(attempts=1)

    assert [job.pk for job in queue.claim(8).jobs] == [first.pk, third.pk]
    assert [job.pk for job in queue.claim(8).jobs] == [second.pk]


def test_it_holds_back_what_was_broken_off_until_nothing_else_is_on_the_way(product):
    first, second = (image.classifications.get() for image in ProductImageFactory.create_batch(2, product=product))
    Classification.objects.filter(pk=first.pk).update(attempts=1)

    assert queue.claim(8, alone=False) is None
    retry = queue.claim(8, alone=True)
    assert ([job.pk for job in retry.jobs], retry.is_retry) == ([first.pk], True)
    fresh = queue.claim(8, alone=False)
    assert ([job.pk for job in fresh.jobs], fresh.is_retry) == ([second.pk], False)


def test_it_ends_only_the_jobs_that_are_still_held(product):
    ProductImageFactory.create_batch(2, product=product)
    batch = queue.claim(8)
    lost, kept = batch.jobs
    Classification.objects.filter(pk=lost.pk).update(lease_token="somebody else's")

    assert queue.finish(batch.token, {lost.pk: 0, kept.pk: 2}, model_set_id=None, timings={}) == {kept.pk}

    lost.refresh_from_db()
    kept.refresh_from_db()
    assert (lost.state, lost.garments_found) == ("running", None)
    assert (kept.state, kept.garments_found) == ("done", 2)
