"""`manage.py worker`, from the saved image through the real task queue to the result."""

import os
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone, translation
from django_tasks_db.models import DBTaskResult

from accounts.actors import system
from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import answering, batches, sweep
from classifier.management.commands.worker import DrainingWorker, Recurring, give_way, prune_wake_ups, recurring
from classifier.models import Classification, Deployment, ModelSet, ModelVersion
from classifier.registry import model_sets
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve
from vision.engine import WeightsMissing

# The queue's worker closes connections that are left in a transaction, which on MySQL a test's own would be.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("database_queue")]


@pytest.fixture
def save(alice, actor_of, product):
    """Upload two images, as Alice."""
    add_images(actor=actor_of(alice), product=product, files=[upload("a.jpg"), upload("b.jpg", color="navy")])


def test_it_gives_way_to_what_people_wait_for(settings):
    settings.OTJANG_WORKER_NICENESS = 7
    before, found = os.getpriority(os.PRIO_PROCESS, 0), []
    thread = threading.Thread(target=lambda: (give_way(), found.append(os.getpriority(os.PRIO_PROCESS, 0))))
    thread.start()
    thread.join()

    assert found == [max(before, 7)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before  # another thread's is its own


def test_it_classifies_what_was_saved(monkeypatch, product, save):
    serve(monkeypatch, StubEngine(garment("Jacket")))
    assert DBTaskResult.objects.count() == 1

    call_command("worker", once=True)

    task = DBTaskResult.objects.get()
    assert (task.status, task.return_value) == ("SUCCESSFUL", 2)
    product.refresh_from_db()
    assert (product.status, product.proposal.candidates[0].top_category) == (Product.Status.TO_REVIEW, "Outer")
    assert ModelVersion.objects.count() == 4


def test_no_task_lasts_longer_than_its_time(monkeypatch, product, save, settings):
    settings.OTJANG_CLASSIFY_BATCH = 1
    monkeypatch.setattr(batches, "BATCHES_ON_THE_WAY", 1)
    settings.OTJANG_TASK_SECONDS = 0
    serve(monkeypatch, StubEngine(garment("Jacket")))

    call_command("worker", once=True)

    assert [task.return_value for task in DBTaskResult.objects.order_by("started_at")] == [1, 1]
    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW


def test_wake_ups_for_bulk_work_are_left_to_who_takes_it(monkeypatch, product, save, settings):
    serve(monkeypatch, StubEngine(garment("Jacket")))
    Classification.objects.update(priority=Classification.Priority.BULK)
    DBTaskResult.objects.all().delete()
    Classification.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    assert sweep.wake_for_waiting()
    assert list(DBTaskResult.objects.values_list("queue_name", flat=True)) == ["bulk"]

    settings.OTJANG_WORKER_QUEUES = ("interactive",)
    monkeypatch.setattr(sweep, "sweep", lambda: None)  # it sends others
    call_command("worker", once=True)
    assert DBTaskResult.objects.get().status == "READY"

    settings.OTJANG_WORKER_QUEUES = ("interactive", "bulk")
    call_command("worker", once=True)
    assert DBTaskResult.objects.filter(status="SUCCESSFUL").exists()
    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW


def test_it_runs_without_weights(monkeypatch, product, save):
    serve(monkeypatch, WeightsMissing("There is no manifest.json."))

    call_command("worker", once=True)

    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING
    assert {job.error_code for image in product.images.all() for job in image.classifications.all()} == {
        "model_not_available"
    }


@pytest.mark.parametrize("chosen", [False, True])
def test_a_release_that_was_taken_back_serves_its_weights_again(monkeypatch, chosen):
    for version in ("1", "2"):
        serve(monkeypatch, StubEngine(version=version))
        call_command("worker", once=True)
    if chosen:
        model_sets.promote_set(actor=system(), model_set=Deployment.objects.get().active)

    serve(monkeypatch, StubEngine(version="1"))
    model_sets.register_shipped()  # an older release beside the newer one, still running
    assert Deployment.objects.get().active.name == "2"
    call_command("worker", once=True)

    deployment = Deployment.objects.get()
    assert (deployment.active.name, deployment.chosen) == (("2", True) if chosen else ("1", False))
    assert ModelSet.objects.count() == 2


def test_it_keeps_the_language_of_the_site(monkeypatch):
    spoken = []
    monkeypatch.setattr(sweep, "sweep", lambda: spoken.append(translation.get_language()))

    with translation.override("ko"):
        call_command("worker", once=True)

    assert spoken == ["ko"]


def test_it_claims_nothing_more_when_it_is_told_to_end(monkeypatch):
    monkeypatch.setattr(batches.draining, "set", lambda: told.append(True))
    told = []
    worker = DrainingWorker(
        queue_names=["*"],
        interval=0,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id="test",
        excluded_queue_names=[],
    )
    worker.running_task = True

    worker.shutdown(15, None)

    assert told == [True]
    assert worker.running is False


def test_a_long_prune_delays_neither_the_sweep_nor_the_end():
    pruning, swept = threading.Event(), threading.Event()

    def prune(stop):
        pruning.set()
        stop.wait()

    threads = [Recurring("prune", prune, 3600), Recurring("sweep", lambda _stop: pruning.wait() and swept.set(), 15)]
    for thread in threads:
        thread.start()
    assert swept.wait(30)
    for thread in threads:
        thread.stop()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_what_breaks_off_is_tried_again(caplog):
    done = threading.Event()
    rounds = []

    def work(_stop):
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise RuntimeError("no database")
        done.set()

    thread = Recurring("sweep", work, 0)
    thread.start()
    assert done.wait(30)
    thread.stop()
    thread.join(30)
    assert "sweep broke off" in caplog.text


def test_each_kind_of_upkeep_has_a_thread_of_its_own():
    assert [thread.name for thread in recurring()] == [
        "renewal of leases",
        "take-over",
        *["requests"] * answering.THREADS,
        "sweep",
        "registration of uploads",
        "operations",
        "long operations",
        "prune",
        "figures of merchants",
        *(f"webhooks {number}" for number in range(4)),
        *(f"images by URL {number}" for number in range(2)),
    ]


def test_it_forgets_old_wake_ups(save):
    DBTaskResult.objects.update(status="RUNNING", started_at=timezone.now())
    prune_wake_ups()
    assert DBTaskResult.objects.count() == 1

    DBTaskResult.objects.update(started_at=timezone.now() - timedelta(days=2))
    prune_wake_ups()
    assert DBTaskResult.objects.count() == 0


def test_it_forgets_old_wake_ups_that_ended(save):
    DBTaskResult.objects.update(status="SUCCESSFUL", finished_at=timezone.now() - timedelta(days=2))
    prune_wake_ups()
    assert DBTaskResult.objects.count() == 0


@pytest.mark.parametrize("path", ["classifier.tasks.classify_waiting", "classifier.models.Classification"])
def test_it_goes_on_after_a_task_of_another_release(monkeypatch, product, save, path):
    serve(monkeypatch, StubEngine(garment("Jacket")))
    ours = DBTaskResult.objects.get()
    theirs = DBTaskResult.objects.get()
    theirs.pk, theirs.task_path, theirs.priority = uuid4(), path, 100
    theirs.save(force_insert=True)

    call_command("worker", once=True)

    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (theirs.status, ours.status) == ("FAILED", "SUCCESSFUL")
    assert theirs.started_at < ours.started_at
    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW
