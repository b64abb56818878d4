"""Who feeds a long operation wakes a worker for what was queued, and for nothing else."""

import pytest
from django_tasks import default_task_backend

from accounts.actors import system
from classifier.jobs import batches, lanes, operations, requests, sweep
from classifier.jobs.tasks import classify_waiting
from classifier.models import Classification
from tests.support.factories import ProductImageFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(product, monkeypatch):
    """An image that was classified once."""
    monkeypatch.setattr(lanes, "_read_one", lambda _job: b"")
    serve(monkeypatch, StubEngine(garment("Jacket")))
    image = ProductImageFactory(product=product)
    batches.classify_waiting()
    default_task_backend.clear()
    return image


@pytest.mark.parametrize("feed", [classify_waiting.func, sweep.sweep])
def test_it_is_woken_for_what_an_operation_queued(image, feed):
    operations.start_reclassify(actor=system())

    feed()

    assert Classification.objects.filter(state="queued").count() == 1
    assert [result.task.name for result in default_task_backend.results] == ["classify_waiting"]


@pytest.mark.parametrize("feed", [classify_waiting.func, sweep.sweep])
def test_it_is_not_woken_for_an_image_that_somebody_else_waits_for(image, feed, monkeypatch):
    monkeypatch.setattr(batches, "classify_waiting", lambda: 0)
    requests.request_classification(image=image, again=True)
    operations.start_reclassify(actor=system())

    feed()

    assert Classification.objects.filter(operation__isnull=False).count() == 0
    assert default_task_backend.results == []


def test_one_that_breaks_keeps_nobody_from_being_woken(image, monkeypatch):
    operations.start_reclassify(actor=system())
    monkeypatch.setattr(operations, "_end_if_over", lambda _pk: 1 / 0)

    sweep.sweep()

    assert len(default_task_backend.results) == 1
