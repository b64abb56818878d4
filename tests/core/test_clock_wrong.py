"""A process's clock is wrong by a day and more: nothing is deleted that somebody needs, and nothing is done twice."""

import time
from contextlib import contextmanager
from datetime import timedelta
from threading import Event

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from accounts.models import Merchant
from catalog import files
from catalog.models import PendingFile, Product, ProductImage
from classifier.jobs import answering, queue, sweep
from classifier.management.commands import worker
from classifier.models import Classification, ClassifyRequest
from core.clock import database_now, skew
from tests.support.drawn_images import photo
from tests.support.factories import ProductImageFactory

DAY = timedelta(hours=26)
PATH = "products/abc/def.jpg"

pytestmark = pytest.mark.django_db(transaction=True)
either_way = pytest.mark.parametrize("by", [DAY, -DAY], ids=["ahead", "behind"])


@contextmanager
def wrong(by):
    """Let this process's clock be wrong."""
    right_time, right_now = time.time, timezone.now
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(time, "time", lambda: right_time() + by.total_seconds())
        patched.setattr(timezone, "now", lambda: right_now() + by)
        yield


def is_kept():
    """Whether the announced file is there, as its upload needs it."""
    return default_storage.exists(PATH) and PendingFile.objects.filter(path=PATH, tries=0).exists()


@either_way
def test_the_database_knows_how_wrong_it_is(by):
    assert abs(skew()) < timedelta(seconds=5)
    with wrong(by):
        assert abs(skew() - by) < timedelta(seconds=5)
        assert abs(database_now() + by - timezone.now()) < timedelta(seconds=5)


@either_way
def test_a_worker_with_a_wrong_clock_sweeps_nothing(by, merchant, caplog, database_queue):
    files.announce({PATH: "def"})
    files.write(PATH, b"x")
    ClassifyRequest.objects.create(merchant=merchant)
    Merchant.objects.filter(pk=merchant.pk).update(closes_at=timezone.now() + timedelta(hours=1))
    with wrong(by):
        worker.prune(Event())
        sweep.sweep()
    assert is_kept()
    assert ClassifyRequest.objects.exists()
    assert "ahead of the database's" in caplog.text
    PendingFile.objects.update(delete_after=timezone.now() - timedelta(seconds=1))
    worker.prune(Event())
    assert not default_storage.exists(PATH)


@either_way
def test_files_announced_by_a_wrong_clock_have_their_hour(by):
    with wrong(by):
        files.announce({PATH: "def"})
    files.write(PATH, b"x")
    sweep.prune()
    assert is_kept()
    due = PendingFile.objects.get().delete_after - timezone.now()
    assert timedelta(minutes=55) < due < timedelta(minutes=65)


@either_way
def test_a_repeated_request_is_answered_the_same(by, api_key, api):
    def send():
        image = SimpleUploadedFile("a.jpg", photo())
        return api.post("/api/v1/products", {"images": [image]}, headers={"idempotency-key": "8a4b"})

    first = send()
    with wrong(by):
        again = send()
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert Product.objects.count() == ProductImage.objects.count() == 1


@either_way
def test_a_request_that_began_by_a_wrong_clock_is_answered_the_same(by, api):
    body = {"data": {"name": "Coat"}, "content_type": "application/json", "headers": {"idempotency-key": "8a4b"}}
    with wrong(by):
        first = api.post("/api/v1/products", **body)
    sweep.sweep()
    assert api.post("/api/v1/products", **body).content == first.content
    assert Product.objects.count() == 1


@either_way
def test_what_ended_by_a_wrong_clock_counts(by, monkeypatch):
    job = ProductImageFactory().classifications.get()
    with wrong(by):
        batch = queue.claim(1)
        assert batch.ids == [job.pk]
        queue.fail(batch.token, job.pk, Classification.Error.UNREADABLE, "")
    monkeypatch.setattr(sweep, "_GRACE", timedelta(0))
    sweep.sweep()
    job.refresh_from_db()
    assert job.applied_at is not None
    assert abs(job.finished_at - timezone.now()) < timedelta(minutes=1)


@either_way
def test_images_that_are_asked_about_by_a_wrong_clock_are_looked_at(by, merchant):
    with wrong(by):
        request = ClassifyRequest.objects.create(merchant=merchant, state="queued", names=["a.jpg"], results=[None])
    assert timedelta(0) < request.expires_at - timezone.now() < timedelta(minutes=10)
    sweep.sweep()
    with wrong(by):
        assert answering.claim() is not None
