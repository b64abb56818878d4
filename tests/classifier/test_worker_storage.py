"""A storage that does not answer costs time, and no image."""

from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage
from django.db.models.functions import Now
from django.utils import timezone, translation

from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import batches, lanes, queue
from classifier.models import Classification, ModelSet
from classifier.registry import serving
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, fake_manifest, garment, serve

pytestmark = pytest.mark.django_db


class Broken(FileSystemStorage):
    """Gives out no file whose name is in `but_not`, or none at all."""

    but_not = None

    def __init__(self):
        super().__init__()
        self.asked = []

    def open(self, name, mode="rb"):
        self.asked.append(name)
        if self.but_not is None or name in self.but_not:
            raise RuntimeError("503 Slow Down")
        return super().open(name, mode)


@pytest.fixture
def storage(monkeypatch):
    """Break the storage for the worker; pauses after an error take no time."""
    monkeypatch.setattr(batches, "LANES", 1)
    monkeypatch.setattr(batches, "STORAGE_PAUSES", (0.0, 0.0))
    broken = Broken()
    monkeypatch.setattr(lanes, "default_storage", broken)
    return broken


@pytest.fixture
def images(alice, actor_of, product):
    files = [upload(f"{color}.jpg", color=color) for color in ("red", "green", "blue")]
    return [received.image for received in add_images(actor=actor_of(alice), product=product, files=files)]


def _due():
    Classification.objects.update(not_before=Now() - timedelta(seconds=1))


def test_a_storage_that_fails_uses_up_no_attempt(monkeypatch, storage, images, product, settings):
    settings.OTJANG_MAX_ATTEMPTS = 1
    engine = serve(monkeypatch, StubEngine(garment()))

    for _round in range(5):
        assert batches.classify_waiting() == 0
        assert batches.classify_waiting() == 0  # too soon: nothing is claimed
        _due()

    assert len(storage.asked) == 5 * len(images)
    found = Classification.objects.values_list("state", "attempts", "error_code")
    assert set(found) == {("queued", 0, "storage_unavailable")}
    with translation.override("en"):
        assert "The storage does not answer" in Classification.objects.first().get_error_code_display()

    storage.but_not = ()
    assert batches.classify_waiting() == 3
    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW
    assert set(Classification.objects.values_list("state", "attempts", "error_code")) == {("done", 1, "")}
    assert sum(map(len, engine.batches)) == 3


def test_it_waits_longer_each_time(monkeypatch, storage, images):
    serve(monkeypatch, StubEngine())
    for age, seconds in ((0, 5), (60, 60), (3600, 300)):
        Classification.objects.update(queued_at=timezone.now() - timedelta(seconds=age), not_before=None)
        batches.classify_waiting()
        for job in Classification.objects.all():
            assert (job.not_before - timezone.now()).total_seconds() == pytest.approx(seconds, abs=4)


def test_one_file_that_is_not_given_out_does_not_hold_up_the_others(monkeypatch, storage, images):
    serve(monkeypatch, StubEngine(garment()))
    storage.but_not = {images[0].display.name}

    assert batches.classify_waiting() == 2

    assert [job.state for job in Classification.objects.order_by("id")] == ["queued", "done", "done"]


def test_it_asks_a_storage_that_fails_less_often(monkeypatch, storage, images):
    serve(monkeypatch, StubEngine(garment()))
    monkeypatch.setattr(batches, "STORAGE_PAUSES", (60.0, 60.0))
    waited = []

    def wait_out(run):
        waited.append(run.is_paused)
        run._paused_until = 0.0

    monkeypatch.setattr(batches._Run, "wait_out", wait_out)
    storage.but_not = {images[0].display.name}

    assert batches.classify_waiting() == 2
    assert waited == [True]


def test_a_file_that_is_missing_is_a_failure_of_its_image(monkeypatch, storage, images):
    serve(monkeypatch, StubEngine(garment()))
    storage.but_not = ()
    storage.delete(images[1].display.name)

    assert batches.classify_waiting() == 3

    assert [job.error_code for job in Classification.objects.order_by("id")] == ["", "file_missing", ""]


@pytest.mark.parametrize("candidate", [False, True])
def test_model_files_that_are_not_given_out_use_up_no_attempt(monkeypatch, storage, images, candidate):
    storage.but_not = ()
    engine = serve(monkeypatch, StubEngine(garment()))
    batches.serving_now(batches.Taxonomy.load())  # registers the set
    if candidate:
        Classification.objects.update(model_set=ModelSet.objects.get())
        monkeypatch.setattr(serving, "active", lambda taxonomy: serving.Serving(engine, 1, {}))

    def silent(*_args):
        raise TimeoutError("read timed out")

    monkeypatch.setattr(serving, "load_engine", silent)

    assert batches.classify_waiting() == 0

    found = set(Classification.objects.values_list("state", "attempts", "error_code"))
    assert found == {("queued", 0, "storage_unavailable")}


def test_it_asks_for_no_file_of_a_set_that_it_knows(monkeypatch):
    serve(monkeypatch, StubEngine(version="once"))
    assert fake_manifest("once").models
    asked = []
    exists = FileSystemStorage.exists
    monkeypatch.setattr(FileSystemStorage, "exists", lambda self, name: asked.append(name) or exists(self, name))
    taxonomy = batches.Taxonomy.load()
    for _time in range(2):  # registered, and seen in the storage
        serving.active(taxonomy)
    asked.clear()

    for _wake_up in range(3):
        serving.active(taxonomy)
        queue.claim(8)

    assert asked == []
