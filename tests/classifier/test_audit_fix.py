"""`manage.py audit_data --fix` puts right what is safe to, and says what is left."""

import os
import time
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import IdempotentRequest
from catalog import files
from catalog.models import PendingFile, Product, ProductAttribute, ProductImage, ProductTerm, UploadDraft
from classifier.jobs import requests
from classifier.models import Classification, Garment
from core.ids import public_id
from tests.support.audited import audited, findings
from tests.support.stored_files import let_an_hour_pass, stored_files
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=400)


@pytest.fixture
def good(merchant, classified):
    return classified(merchant, "red")


def fixed():
    """Let it put right what it can; returns what was found and what is left, by kind."""
    answer, status = audited(fix=True)
    found = {kind: (one["count"], one["left"]) for kind, one in answer["kinds"].items() if one["count"]}
    assert status == any(left for _count, left in found.values())
    return found


def put(path):
    stored = default_storage.save(path, ContentFile(b"x"))
    then = time.time() - timedelta(hours=4).total_seconds()
    os.utime(default_storage.path(stored), (then, then))
    return stored


def test_it_leaves_files_without_rows_to_the_sweep(good):
    before = stored_files()
    path = put(f"products/{good.public_id}/{public_id()}.jpg")

    assert fixed() == {"files-without-row": (1, 0)}

    assert path in stored_files()
    let_an_hour_pass()
    files.delete_due()
    assert stored_files() == before


def test_it_never_deletes_what_a_row_names_from_elsewhere(merchant, good, classified):
    other = classified(merchant, "blue")
    path = put(f"products/{good.public_id}/{public_id()}.jpg")
    ProductImage.objects.filter(product=other).update(small=path)

    found = fixed()

    assert found["files-without-row"] == (1, 1)
    assert not PendingFile.objects.filter(path=path).exists()


def test_it_leaves_files_of_nobody_alone(good):
    path = put(f"products/{public_id()}/a.jpg")
    assert fixed() == {"files-of-nobody": (1, 1)}
    let_an_hour_pass()
    files.delete_due()
    assert default_storage.exists(path)


def test_it_does_not_invent_files(good):
    default_storage.delete(str(good.images.get().display))
    assert fixed() == {"files-missing": (1, 1)}


def test_it_queues_images_that_nothing_looks_at(good):
    Garment.objects.all().delete()
    ProductImage.objects.update(current_classification=None)
    Classification.objects.all().delete()

    assert fixed()["images-without-state"] == (1, 0)

    job = Classification.objects.get()
    assert (job.state, job.priority) == ("queued", Classification.Priority.BULK)


def test_it_lets_results_count(good):
    ProductImage.objects.update(current_classification=None)
    assert fixed() == {"images-behind": (1, 0)}
    Classification.objects.update(applied_at=None, finished_at=timezone.now() - LONG_AGO)
    assert fixed() == {"jobs-not-applied": (1, 0)}
    assert good.images.get().current_classification is not None


@pytest.mark.parametrize("lease", [timezone.now() - LONG_AGO, None])
def test_it_lets_jobs_of_stopped_workers_wait_again(good, lease):
    requests.request_classification(image=good.images.get(), again=True)
    Classification.objects.filter(state="queued").update(
        state="running", attempts=1, lease_token="gone", lease_until=lease
    )
    assert fixed() == {"leases-over": (1, 0)}
    assert Classification.objects.filter(state="queued").count() == 1


def test_it_writes_again_what_follows_of_a_product(good):
    before = Product.objects.values().get()
    values = list(ProductAttribute.objects.values("attribute", "state", "value", "confidence"))
    terms = set(ProductTerm.objects.values_list("term", flat=True))
    Product.objects.update(
        status="ready", failed_images=2, unclear="nothing", certainty=3, name_order="x", search_text="other words"
    )
    ProductAttribute.objects.filter(attribute__code="material").update(confidence=0.1)
    ProductTerm.objects.filter(term=min(terms)).delete()
    ProductTerm.objects.create(merchant=good.merchant, term=7, product=good)

    assert all(left == 0 for _count, left in fixed().values())

    after = Product.objects.values().get()
    assert {name for name in before if before[name] != after[name]} == {"updated_at"}
    assert list(ProductAttribute.objects.values("attribute", "state", "value", "confidence")) == values
    assert set(ProductTerm.objects.values_list("term", flat=True)) == terms
    assert findings() == {}


def test_it_decides_nothing(good):
    ProductAttribute.objects.all().delete()
    assert fixed() == {"values": (1, 0)}
    assert not good.decisions.exists()


def test_it_does_what_sweeps_should_have_done(merchant, alice):
    then = timezone.now() - LONG_AGO
    UploadDraft.objects.create(public_id=public_id(), merchant=merchant, created_by=alice, expires_at=then)
    PendingFile.objects.create(path="products/a/b.jpg", image=public_id(), delete_after=then)
    endpoint = Endpoint.objects.create(merchant=merchant, url="https://a.example/", failures=3)
    event = Event.objects.create(merchant=merchant, type="webhook.test", created_at=then)
    Delivery.objects.create(endpoint=endpoint, event=event, until=then)
    IdempotentRequest.objects.create(digest="a", merchant=merchant, lease_until=then, expires_at=then)

    kinds = ("files-overdue", "rows-overdue", "deliveries-overdue", "requests-overdue")
    assert fixed() == dict.fromkeys(kinds, (1, 0))

    assert not Event.objects.exists()
    assert not IdempotentRequest.objects.exists()
