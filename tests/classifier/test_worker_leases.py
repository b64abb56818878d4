"""Leases are short and renewed: a killed worker's jobs are soon another one's, a busy worker keeps its own."""

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.db.models.functions import Now

from catalog.services.uploads import add_images
from classifier.jobs import batches, lanes, leases, queue, sweep
from classifier.jobs.leases import Keeper
from classifier.models import Classification, Garment
from tests.support.drawn_images import upload
from tests.support.factories import ProductImageFactory
from tests.support.fake_engines import StubEngine, expire_leases, garment, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """Stop the time that leases are measured by; returns what sets it forward."""
    now = [1000.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])

    def pass_by(seconds):
        now[0] += seconds

    return pass_by


def _expired():
    return Classification.objects.filter(lease_until__lt=Now()).count()


def test_leases_are_short(settings):
    assert settings.OTJANG_LEASE_SECONDS == 15
    assert settings.OTJANG_LEASE_SECONDS + 3 <= 20  # the take-over looks every three seconds


def test_it_renews_what_it_holds(product, django_assert_num_queries):
    ProductImageFactory.create_batch(3, product=product)
    keeper = Keeper()
    held = [keeper.hold(queue.claim(2, lanes=1)) for _batch in range(2)]
    expire_leases()

    with django_assert_num_queries(3):  # the statement, and the savepoint of a transaction within the test's own
        assert keeper.renew() == 3
    assert _expired() == 0

    keeper.drop(held[0])
    expire_leases()
    assert keeper.renew() == 1
    assert _expired() == 2


def test_it_asks_nothing_while_it_holds_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Keeper().renew() == 0


@pytest.mark.django_db(transaction=True)
def test_it_renews_at_once_what_a_deadlock_kept_it_from(product, monkeypatch):
    ProductImageFactory(product=product)
    keeper = Keeper()
    keeper.hold(queue.claim(1))
    expire_leases()
    deadlocks = [OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")]
    end = queue.lease_end

    def lease_end():
        if deadlocks:
            raise deadlocks.pop()
        return end()

    monkeypatch.setattr(queue, "lease_end", lease_end)
    assert keeper.renew() == 1
    assert _expired() == 0


def test_it_notices_that_a_lease_was_lost(product):
    ProductImageFactory.create_batch(2, product=product)
    keeper = Keeper()
    lost, kept = (keeper.hold(queue.claim(1)) for _batch in range(2))
    Classification.objects.filter(pk__in=lost.batch.ids).update(lease_token="another worker's")

    assert keeper.renew() == 1

    assert (lost.lost, kept.lost) == (True, False)
    assert set(map(type, lanes.look(lost, engine=None, known={}))) == {lanes.Unread}  # nothing is looked at in vain


def test_a_lane_that_hangs_loses_its_lease(product, clock, settings):
    ProductImageFactory(product=product)
    keeper = Keeper()
    lease = keeper.hold(queue.claim(1))
    clock(settings.OTJANG_MAX_JOB_SECONDS + 1)
    assert keeper.renew() == 1  # it waits for a lane, and may

    lease.read()
    clock(settings.OTJANG_MAX_JOB_SECONDS + 1)
    assert (keeper.renew(), keeper.tokens) == (0, [])

    lease.looked()  # after all: it is still there to be written, however long the database is away
    clock(settings.OTJANG_MAX_JOB_SECONDS + 1)
    assert keeper.renew() == 1


def test_a_process_takes_nothing_over_from_itself(product):
    """While the database was away nobody could renew a lease."""
    ProductImageFactory(product=product)
    lease = leases.keeper.hold(queue.claim(1))
    expire_leases()
    try:
        assert sweep.take_over() == 0
    finally:
        leases.keeper.drop(lease)
    assert sweep.take_over() == 1


def test_it_costs_a_query_for_each_table_with_leases_to_find_nothing_to_take_over(product, django_assert_num_queries):
    ProductImageFactory(product=product)
    queue.claim(1)

    with django_assert_num_queries(2):  # jobs, and requests of POST /classify
        assert sweep.take_over() == 0


class _Hangs(FileSystemStorage):
    def open(self, name, mode="rb"):
        hanging.read_until_given_up()
        return super().open(name, mode)


class _Hanging:
    """Time passes, and the lane goes on only once the batch was given up."""

    def __init__(self, clock, settings):
        self.clock, self.settings = clock, settings

    def read_until_given_up(self):
        self.clock(self.settings.OTJANG_MAX_JOB_SECONDS + 1)
        batches.stuck.wait(30)


hanging = None


@pytest.fixture
def hang(clock, settings):
    global hanging
    hanging = _Hanging(clock, settings)
    yield hanging
    batches.stuck.clear()


@pytest.mark.parametrize("reading", [True, False])
def test_a_batch_that_hangs_is_put_back_and_the_process_ends(
    monkeypatch, hang, alice, actor_of, product, reading, django_db_blocker
):
    def answer(_data):
        if not reading:
            hang.read_until_given_up()
        return (garment(),)

    serve(monkeypatch, StubEngine(answer=answer))
    add_images(actor=actor_of(alice), product=product, files=[upload("a.jpg")])
    if reading:
        monkeypatch.setattr(lanes, "default_storage", _Hangs())

    assert batches.classify_waiting() == 0

    assert batches.stuck.is_set()
    job = Classification.objects.get()
    # Waiting for a storage is no attempt; an image that may be what the networks hang over is.
    assert (job.state, job.attempts, job.not_before is not None) == ("queued", 0 if reading else 1, reading)
    assert Garment.objects.count() == 0
