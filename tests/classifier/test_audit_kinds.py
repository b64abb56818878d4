"""`manage.py audit_data` finds each kind of what must not be, and nothing else beside it."""

import os
import time
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import IdempotentRequest, Operation
from catalog import files
from catalog.models import (
    Decision,
    FetchedImage,
    ImportFile,
    PendingFile,
    Product,
    ProductAttribute,
    ProductImage,
    ProductImport,
    ProductTerm,
    UploadDraft,
)
from catalog.services import accept, decide
from classifier.jobs import requests
from classifier.models import Classification, ClassifyRequest, Garment
from core.ids import public_id
from tests.support.audited import findings
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=400)


@pytest.fixture
def good(merchant, classified):
    """A product with one image that was looked at; beside it another one, which stays right."""
    classified(merchant, "blue")
    return classified(merchant, "red")


def put(path):
    """Store a file that is older than the sweep."""
    stored = default_storage.save(path, ContentFile(b"x"))
    then = time.time() - timedelta(hours=4).total_seconds()
    os.utime(default_storage.path(stored), (then, then))
    return stored


def change(product, **fields):
    Product.objects.filter(pk=product.pk).update(**fields)


def test_a_file_that_is_missing(good):
    name = str(good.images.get().small)
    default_storage.delete(name)
    assert findings() == {"files-missing": [name]}


def test_a_file_without_a_row(good):
    path = put(f"products/{good.public_id}/{public_id()}.jpg")
    assert findings() == {"files-without-row": [path]}


def test_a_file_that_may_still_get_its_row_is_left(good):
    default_storage.save(f"products/{good.public_id}/{public_id()}.jpg", ContentFile(b"x"))
    path = put(f"products/{good.public_id}/{public_id()}.jpg")
    PendingFile.objects.create(path=path, image=public_id(), delete_after=timezone.now())
    assert findings() == {}


@pytest.mark.parametrize("root", ["imports", "operations", "spool"])
def test_a_file_beside_those_of_its_row(merchant, root):
    now = timezone.now()
    if root == "imports":
        row = ProductImport.objects.create(merchant=merchant, expires_at=now)
        ImportFile.objects.create(of=row, kind="table", name="a.csv", stored=f"imports/{row.public_id}/a", size=1)
    elif root == "operations":
        row = Operation.objects.create(kind="export", merchant=merchant, finished_at=now, state="done")
        Operation.objects.update(result_file=f"operations/{row.public_id}/a")
    else:
        row = ClassifyRequest.objects.create(merchant=merchant, names=["a"], results=[None])
    put(f"{root}/{row.public_id}/{'0' if root == 'spool' else 'a'}")
    path = put(f"{root}/{row.public_id}/other")
    assert findings() == {"files-without-row": [path]}


def test_uploaded_weights_that_nobody_registers():
    path = put("models/uploads/left.pt")
    kept = put("models/uploads/waits.pt")
    Operation.objects.create(kind="register_model", parameters={"file": kept})
    assert findings() == {"files-without-row": [path]}


@pytest.mark.parametrize("root", ["products", "imports", "operations", "spool"])
def test_a_file_of_nobody(good, root):
    path = put(f"{root}/{public_id()}/a.jpg")
    assert findings() == {"files-of-nobody": [path]}


def test_an_image_without_a_final_state(good):
    image = good.images.get()
    ProductImage.objects.update(current_classification=None)
    Garment.objects.filter(image=image).delete()
    Classification.objects.filter(image=image).delete()
    assert findings("images-without-state") == {"images-without-state": [image.public_id]}


def test_an_image_that_shows_no_result(good):
    image = good.images.get()
    ProductImage.objects.filter(pk=image.pk).update(current_classification=None)
    assert findings() == {"images-behind": [image.public_id]}


def test_two_open_jobs_of_an_image(good):
    image = good.images.get()
    requests.request_classification(image=image, again=True)
    waiting = Classification.objects.get(state="queued")
    waiting.pk, waiting.open_key = None, "another"
    waiting.save(force_insert=True)
    assert findings() == {"jobs-doubled": [image.public_id]}


def test_a_candidate_waits_beside_what_is_live(good):
    image = good.images.get()
    requests.request_classification(image=image, again=True)
    for operation in (Operation.objects.create(kind="shadow"), Operation.objects.create(kind="shadow")):
        Classification.objects.create(
            image=image, purpose="shadow", operation=operation, open_key=f"{image.pk}:shadow:{operation.pk}"
        )
    assert findings() == {}


@pytest.mark.parametrize("lease", [timezone.now() - LONG_AGO, None])
def test_a_job_whose_worker_stopped_long_ago(good, lease):
    requests.request_classification(image=good.images.get(), again=True)
    Classification.objects.filter(state="queued").update(state="running", lease_token="gone", lease_until=lease)
    job = Classification.objects.get(state="running")
    assert findings() == {"leases-over": [f"job {job.pk}"]}


def test_other_work_whose_worker_stopped_long_ago(merchant, good):
    ended = {"lease_token": "gone", "lease_until": timezone.now() - LONG_AGO}
    asked = ClassifyRequest.objects.create(merchant=merchant, state="running", **ended)
    fetch = FetchedImage.objects.create(merchant=merchant, product=good, url="https://a.example/", place=0, **ended)
    operation = Operation.objects.create(kind="export", state="running", **ended)
    names = [f"classify {asked.public_id}", f"fetch {fetch.public_id}", f"operation {operation.public_id}"]
    assert findings() == {"leases-over": names}


@pytest.mark.parametrize("state", ["done", "failed"])
def test_a_job_that_was_never_applied(good, state):
    job = Classification.objects.get(image__product=good)
    Classification.objects.filter(pk=job.pk).update(
        state=state, applied_at=None, finished_at=timezone.now() - timedelta(minutes=10)
    )
    assert findings() == {"jobs-not-applied": [f"job {job.pk}"]}


@pytest.mark.parametrize("status", ["classifying", "ready"])
def test_a_status_that_does_not_follow(good, status):
    change(good, status=status, updated_at=timezone.now() - LONG_AGO)
    assert findings() == {"status": [good.public_id]}


def test_a_status_that_knows_nothing_of_an_image_that_waits(good):
    requests.request_classification(image=good.images.get(), again=True)
    change(good, status="to_review")
    assert findings() == {"status": [good.public_id]}


def test_a_status_that_asks_for_a_review_without_need(good, actor):
    accept(actor=actor, product=good)
    change(good, status="to_review")
    assert findings() == {"status": [good.public_id]}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("failed-images", {"failed_images": 3}),
        ("unclear", {"unclear": "nothing"}),
        ("certainty", {"certainty": 17}),
        ("words", {"name_order": "zz"}),
        ("words", {"sku_order": "zz"}),
    ],
)
def test_a_field_that_does_not_follow(good, kind, fields):
    change(good, **fields)
    assert findings() == {kind: [good.public_id]}


def test_a_text_that_is_not_searched_by_its_words(good):
    change(good, search_text="something else")
    assert {kind for kind in findings() if kind != "terms-strange"} == {"words", "terms"}


@pytest.mark.parametrize("broken", ["value", "state", "confidence", "decision", "missing"])
def test_a_current_value_that_does_not_follow(good, actor, broken):
    decide(actor=actor, product=good, attribute="category", value="Jumper")
    rows = ProductAttribute.objects.filter(product=good)
    material, category = rows.filter(attribute__code="material"), rows.filter(attribute__code="category")
    if broken == "value":
        category.update(value=good.top_category)
    elif broken == "state":
        material.update(state="decided")
    elif broken == "confidence":
        material.update(confidence=0.123)
    elif broken == "decision":
        category.update(decision=None)
    else:
        material.delete()
    assert findings() == {"values": [good.public_id]}


def test_an_automatic_decision_that_was_recorded_twice(good):
    material = good.attributes.get(attribute__code="material")
    for _time in range(2):
        Decision.objects.create(
            product=good,
            attribute=material.attribute,
            kind="set",
            value=material.value,
            source="auto",
            channel="command",
        )
    assert findings("decisions-doubled") == {"decisions-doubled": [good.public_id]}


def test_a_product_that_a_search_does_not_find(good):
    term = ProductTerm.objects.filter(product=good).order_by("term")[0]
    ProductTerm.objects.filter(product=good, term=term.term).delete()
    assert findings() == {"terms": [good.public_id]}


def test_terms_that_lead_to_a_product_without_them_or_to_none(merchant, good):
    ProductTerm.objects.create(merchant=merchant, term=7, product=good)
    ProductTerm.objects.create(merchant=merchant, term=8, product_id=good.pk + 1000)
    assert findings() == {"terms-strange": [f"{good.public_id}: 7", f"{good.pk + 1000}: 8"]}


def test_a_job_whose_garments_were_stored_twice(good):
    garment = Garment.objects.filter(image__product=good)[0]
    garment.pk = None
    garment.save(force_insert=True)
    assert findings("garments-doubled") == {"garments-doubled": [f"job {garment.classification_id}"]}


def test_files_that_were_to_be_deleted():
    PendingFile.objects.create(path="products/a/b.jpg", image=public_id(), delete_after=timezone.now() - LONG_AGO)
    assert findings() == {"files-overdue": ["products/a/b.jpg"]}


def test_rows_with_files_after_their_time(merchant, alice, good):
    then = timezone.now() - LONG_AGO
    draft = UploadDraft.objects.create(public_id=public_id(), merchant=merchant, created_by=alice, expires_at=then)
    sent = ProductImport.objects.create(merchant=merchant, expires_at=then)
    ImportFile.objects.create(of=sent, kind="table", name="a.csv", stored="imports/a/b", size=1)
    ended = Operation.objects.create(kind="export", state="done", finished_at=then, result_file="operations/a/b")
    asked = ClassifyRequest.objects.create(merchant=merchant, state="done", expires_at=then)
    fetch = FetchedImage.objects.create(
        merchant=merchant, product=good, url="https://a.example/", place=0, state="done", finished_at=then
    )
    names = ["draft", "import", "operation", "classify", "fetch"]
    rows = [draft, sent, ended, asked, fetch]
    assert findings() == {"rows-overdue": [f"{name} {row.public_id}" for name, row in zip(names, rows, strict=True)]}


def test_deliveries_and_events_after_their_time(merchant):
    then = timezone.now() - LONG_AGO
    endpoint = Endpoint.objects.create(merchant=merchant, url="https://a.example/", failures=3)
    waits = Event.objects.create(merchant=merchant, type="webhook.test", created_at=then)
    told = Event.objects.create(merchant=merchant, type="webhook.test", created_at=then)
    late = Delivery.objects.create(endpoint=endpoint, event=waits, until=then)
    Delivery.objects.create(endpoint=endpoint, event=told, until=then, state="delivered")
    assert findings() == {"deliveries-overdue": [f"delivery {late.public_id}", f"event {told.public_id}"]}


def test_repeatable_requests_after_their_time(merchant):
    then = timezone.now() - LONG_AGO
    row = IdempotentRequest.objects.create(digest="a", merchant=merchant, lease_until=then, expires_at=then)
    assert findings() == {"requests-overdue": [f"request {row.pk}"]}


def test_the_sweep_has_an_hour_for_the_files_of_what_was_deleted(good, actor):
    paths = [put(path) for path in [f"products/{good.public_id}/a.jpg", f"products/{public_id()}/a.jpg"]]
    files.delete_soon(*paths, image=public_id())
    assert findings() == {}
