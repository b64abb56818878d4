"""The worker never stops for the database: it waits, connects again, and does nothing twice."""

import threading

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django_tasks_db.management.commands.db_worker import Worker

from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import batches, queue, results, sweep
from classifier.management.commands import worker as command
from classifier.models import Classification, Garment
from classifier.registry import model_sets
from core import db
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

# What breaks off outside of a transaction is repeated; in a test's own transaction nothing could be.
pytestmark = pytest.mark.django_db(transaction=True)

LOST = OperationalError(2013, "Lost connection to server during query")
GONE = OperationalError(2006, "Server has gone away")
REFUSED = OperationalError(2002, "Can't connect to local server through socket")
LOCKED = OperationalError("database is locked")
DENIED = OperationalError(1045, "Access denied for user 'otjang'@'localhost'")


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """Let no time pass; return for how long it would have waited."""
    pauses = []
    monkeypatch.setattr(db, "sleep_until", lambda moment, stop: pauses.append(moment - db.time.monotonic()))
    monkeypatch.setattr(command, "sleep_until", db.sleep_until)
    return pauses


@pytest.fixture
def engine(monkeypatch):
    return serve(monkeypatch, StubEngine(garment("Jacket")))


@pytest.fixture
def saved(alice, actor_of, product):
    """Upload two images, as Alice."""
    return [
        received.image
        for received in add_images(
            actor=actor_of(alice), product=product, files=[upload("a.jpg"), upload("b.jpg", color="navy")]
        )
    ]


def _broken(monkeypatch, module, name, *errors, after=False):
    """Let a function meet these errors first; `after` it has done its work, or before."""
    function, left = getattr(module, name), list(errors)

    def meet(*args, **kwargs):
        if after:
            result = function(*args, **kwargs)
        if left:
            raise left.pop(0)
        return result if after else function(*args, **kwargs)

    monkeypatch.setattr(module, name, meet)
    return left


@pytest.mark.parametrize("error", [LOST, GONE, REFUSED, LOCKED, DENIED], ids=lambda error: str(error.args[0]))
@pytest.mark.parametrize(
    ("module", "name", "after"),
    [
        (queue, "claim", False),
        (results, "store", False),
        (results, "store", True),  # committed, but the answer was lost
        (results, "apply", False),
        (results, "apply", True),
    ],
)
def test_it_goes_on_after_the_database_was_away(monkeypatch, engine, product, saved, slept, error, module, name, after):
    left = _broken(monkeypatch, module, name, error, error, error, after=after)

    batches.classify_waiting()

    assert left == []
    assert slept == sorted(slept)
    assert [(job.state, job.attempts) for job in Classification.objects.all()] == [("done", 1)] * 2
    assert Garment.objects.count() == 2
    assert sum(len(batch) for batch in engine.batches) == 2  # nothing was looked at again
    product.refresh_from_db()
    assert (product.status, product.proposal.candidates[0].images) == (Product.Status.TO_REVIEW, 2)


def test_results_are_dropped_where_another_worker_took_over_meanwhile(monkeypatch, engine, saved):
    monkeypatch.setattr(batches, "LANES", 1)
    store = results.store

    def away(batch, *args, **kwargs):
        monkeypatch.setattr(results, "store", store)
        Classification.objects.filter(pk__in=batch.ids).update(lease_token="another worker's")
        raise LOST

    monkeypatch.setattr(results, "store", away)

    batches.classify_waiting()

    assert Garment.objects.count() == 0
    assert set(Classification.objects.values_list("state", "lease_token")) == {("running", "another worker's")}


def test_what_waits_for_the_database_at_the_end_is_left_to_others(monkeypatch, engine, saved):
    draining = threading.Event()
    monkeypatch.setattr(batches, "draining", draining)

    def away(*args, **kwargs):
        draining.set()
        raise REFUSED

    monkeypatch.setattr(results, "store", away)

    assert batches.classify_waiting() == 0
    assert batches.keeper.tokens == []
    assert {job.state for job in Classification.objects.all()} == {"running"}


def test_a_statement_that_is_wrong_is_not_repeated():
    tried = []

    def wrong():
        tried.append(True)
        raise ProgrammingError(1064, "You have an error in your SQL syntax")

    with pytest.raises(ProgrammingError):
        db.outlast(wrong, what="test", stop=threading.Event())
    assert len(tried) == 1


def test_nothing_is_repeated_within_a_transaction():
    def away():
        raise LOST

    with pytest.raises(OperationalError), db.transaction.atomic():
        db.outlast(away, what="test", stop=threading.Event())


def _worker():
    return command.DrainingWorker(
        queue_names=["*"],
        interval=0,
        batch=True,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="test",
        excluded_queue_names=[],
    )


def test_its_loop_begins_again(monkeypatch, slept):
    left = _broken(monkeypatch, Worker, "run", REFUSED, DENIED, OperationalError("no such table"))

    _worker().run()

    assert left == []
    assert len(slept) == 3


def test_it_ends_without_the_database_when_it_is_told_to(monkeypatch):
    worker = _worker()

    def run(self):
        self.running = False
        raise LOST

    monkeypatch.setattr(Worker, "run", run)

    worker.run()


def test_it_starts_once_the_database_is_there(monkeypatch, engine, saved, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["interactive", "bulk"]}}
    left = _broken(monkeypatch, model_sets, "serve_shipped", REFUSED, REFUSED)

    command.call_command("worker", once=True)

    assert left == []


def test_upkeep_says_in_one_line_that_the_database_is_away(monkeypatch, caplog):
    rounds, done = [], threading.Event()

    def work(_stop):
        rounds.append(True)
        if len(rounds) < 3:
            raise REFUSED
        done.set()

    thread = command.Recurring("sweep", work, 0)
    with caplog.at_level("WARNING", "classifier.worker"):
        thread.start()
        assert done.wait(30)
        thread.stop()
        thread.join(30)

    lines = [record for record in caplog.records if "sweep: the database is away" in record.getMessage()]
    assert len(lines) == 2
    assert not any(record.exc_info for record in lines)


def test_others_come_back_before_their_jobs_are_taken_over(monkeypatch, engine, saved):
    queue.claim(8)
    Classification.objects.update(lease_until="2020-01-01T00:00Z")
    take_over = sweep.TakeOver()

    take_over()  # the first round, as after a start of everything
    assert {job.state for job in Classification.objects.all()} == {"running"}

    with monkeypatch.context() as patched:
        patched.setattr(queue, "put_back_expired", lambda _mine: (_ for _ in ()).throw(LOST))
        with pytest.raises(OperationalError):
            take_over()
    take_over()
    assert {job.state for job in Classification.objects.all()} == {"running"}

    take_over()
    assert {job.state for job in Classification.objects.all()} == {"queued"}
    connection.close()
