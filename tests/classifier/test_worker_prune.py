"""What nobody needs any more is deleted by one worker at a time, and costs little where there is nothing to do."""

import os
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.db.models.functions import Now
from django.utils import timezone

from catalog import files
from catalog.selectors import Taxonomy
from classifier.jobs import chores, results, sweep
from classifier.models import Chore, Classification, Garment
from tests.support.factories import ProductImageFactory

pytestmark = pytest.mark.django_db

GOES_ON = threading.Event()
LONG_AGO = timedelta(days=365)


def test_one_worker_at_a_time_does_it():
    with chores.alone("prune", GOES_ON) as first:
        assert first()
        with chores.alone("prune", GOES_ON) as second:
            assert second is None
        with chores.alone("something else", GOES_ON) as other:
            assert other()
        assert first()
    with chores.alone("prune", GOES_ON) as again:
        assert again()


def test_it_leaves_everything_to_the_worker_that_is_at_it(monkeypatch):
    monkeypatch.setattr(files, "delete_due", None)
    with chores.alone("prune", GOES_ON):
        sweep.prune()


def test_another_worker_takes_over_from_a_dead_one():
    with chores.alone("prune", GOES_ON) as dead:
        Chore.objects.update(lease_until=Now() - timedelta(seconds=1))
        with chores.alone("prune", GOES_ON) as alive:
            assert alive()
            assert not dead()
        assert not dead()


def test_it_is_free_again_after_an_error():
    with pytest.raises(RuntimeError), chores.alone("prune", GOES_ON):
        raise RuntimeError
    with chores.alone("prune", GOES_ON) as goes_on:
        assert goes_on()


def test_it_stops_when_the_worker_does():
    stop = threading.Event()
    with chores.alone("prune", stop) as goes_on:
        assert goes_on()
        stop.set()
        assert not goes_on()


@pytest.fixture
def classified(product):
    """An image that was looked at twice, long ago."""
    image = ProductImageFactory(product=product)
    _finish(image)
    image.classifications.create(image_sha256=image.sha256, open_key=f"{image.pk}:live")
    _finish(image)
    return image


def _finish(image):
    for job in Classification.objects.filter(state="queued"):
        Garment.objects.create(image=image, classification=job, x1=0, y1=0, x2=1, y2=1, confidence=0.9)
        job.state, job.open_key, job.finished_at = "done", None, timezone.now() - LONG_AGO
        job.save()
        results.apply(image.product_id, Taxonomy.load())


def test_it_looks_at_each_job_once(classified, django_assert_num_queries):
    assert sweep.prune_superseded() == 1
    assert Garment.objects.get().classification_id == Classification.objects.latest("pk").pk
    with django_assert_num_queries(2):  # how far it has come; the jobs behind that
        assert sweep.prune_superseded() == 0


def test_it_prunes_what_a_later_run_has_superseded_when_that_is_old(classified):
    sweep.prune_superseded()
    classified.classifications.create(image_sha256=classified.sha256, open_key=f"{classified.pk}:live")
    _finish(classified)
    Classification.objects.filter(pk=Classification.objects.latest("pk").pk).update(finished_at=timezone.now())
    assert sweep.prune_superseded() == 0

    newest = Classification.objects.latest("pk")
    Classification.objects.filter(pk=newest.pk).update(finished_at=timezone.now() - timedelta(days=91))

    assert sweep.prune_superseded() == 1
    assert Garment.objects.get().classification_id == newest.pk


def test_jobs_that_ended_at_the_same_moment_are_all_looked_at(product, monkeypatch):
    monkeypatch.setattr(sweep, "_CHUNK", 1)
    images = [ProductImageFactory(product=product) for _n in range(3)]
    for image in images:
        Garment.objects.create(
            image=image, classification=image.classifications.get(), x1=0, y1=0, x2=1, y2=1, confidence=0.9
        )
    now = timezone.now() - LONG_AGO
    Classification.objects.update(state="done", open_key=None, finished_at=now, applied_at=now)
    assert sweep.prune_superseded() == 3  # no image names them as its current ones


def test_it_removes_old_temporary_files_of_uploads(tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    for name in ("old.upload", "old.upload.jpg", "young.upload.jpg", "old.txt"):
        (tmp_path / name).write_bytes(b"x")
        if name.startswith("old"):
            os.utime(tmp_path / name, (time.time() - 90_000,) * 2)

    sweep.prune()

    assert {path.name for path in tmp_path.iterdir()} == {"young.upload.jpg", "old.txt"}


def test_uploads_come_in_where_they_are_swept():
    assert site.FILE_UPLOAD_TEMP_DIR.is_dir()
    assert site.FILE_UPLOAD_TEMP_DIR.is_relative_to(site.VAR_DIR)


def test_it_prunes_where_nothing_was_uploaded_yet():
    sweep.prune()
