"""The sweep puts right what crashes, lost messages and deletions leave behind."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks import default_task_backend

from catalog.models import Decision, Product
from catalog.proposal import Proposal
from catalog.selectors import Taxonomy
from classifier import proposals
from classifier.jobs import queue, results, sweep
from classifier.models import Classification, Garment, Prediction
from classifier.registry.serving import active
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=365)


@pytest.fixture
def classified(monkeypatch):
    """Do the waiting jobs up to the end of the first transaction, as a worker that dies right after it."""

    def store(*garments):
        engine = serve(monkeypatch, StubEngine(*garments))
        serving = active(Taxonomy.load())
        while batch := queue.claim(8):
            images = engine.classify_batch([b""] * len(batch.jobs))
            found = dict(zip([job.pk for job in batch.jobs], images, strict=True))
            results.store(batch, found, serving=serving, taxonomy=Taxonomy.load(), timings={})

    return store


def test_it_hands_on_the_jobs_of_a_worker_that_died(product):
    ProductImageFactory(product=product)
    queue.claim(8)
    Classification.objects.update(lease_until=Now() - timedelta(seconds=1), queued_at=timezone.now() - LONG_AGO)
    default_task_backend.clear()

    sweep.take_over()

    assert Classification.objects.get().state == "queued"
    assert len(default_task_backend.results) == 1


def test_it_leaves_a_lease_that_lasts_alone(product):
    ProductImageFactory(product=product)
    queue.claim(8)

    sweep.take_over()

    assert Classification.objects.get().state == "running"


def test_it_applies_what_was_done_but_never_counted(product, classified):
    ProductImageFactory(product=product)
    classified(garment("Jacket"))
    sweep.sweep()
    product.refresh_from_db()
    assert product.proposal == Proposal()  # the worker itself has a few seconds

    Classification.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()

    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW
    assert product.proposal.candidates[0].top_category == "Outer"
    assert Garment.objects.count() == 1
    assert Classification.objects.get().applied_at is not None


def test_it_frees_a_product_whose_waiting_image_was_deleted(product):
    ProductImageFactory(product=product).delete()
    Product.objects.update(updated_at=timezone.now() - timedelta(minutes=1))

    sweep.sweep()

    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW


def test_it_looks_at_some_of_the_products_that_wait_at_a_time(merchant, monkeypatch):
    monkeypatch.setattr(sweep, "_LOOKED_AT", 2)
    products = ProductFactory.create_batch(5, merchant=merchant)
    for product in products[:4]:
        ProductImageFactory(product=product)
    ProductImageFactory(product=products[4]).delete()
    Product.objects.update(updated_at=timezone.now() - timedelta(minutes=1))

    freed = []
    for _round in range(4):
        sweep.apply_left_over()
        freed.append(Product.objects.exclude(status=Product.Status.CLASSIFYING).count())

    assert freed == [0, 0, 1, 1]


def test_it_wakes_the_worker_for_images_that_wait_too_long(product):
    ProductImageFactory(product=product)
    default_task_backend.clear()
    sweep.sweep()
    assert default_task_backend.results == []

    Classification.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()

    assert len(default_task_backend.results) == 1


def test_it_prunes_superseded_predictions_that_nobody_decided_on(product, classified):
    image = ProductImageFactory(product=product)
    for run in range(3):
        classified(garment("Jacket", material="denim"))
        results.apply(product.pk, Taxonomy.load())
        if run < 2:
            image.classifications.create(image_sha256=image.sha256, open_key=f"{image.pk}:live")
    oldest = Prediction.objects.filter(attribute__code="category").earliest("id")
    Decision.objects.create(
        product=product,
        attribute=oldest.attribute,
        value=oldest.value,
        kind="set",
        source="human",
        channel="portal",
        prediction=oldest,
    )
    assert sweep.prune_superseded() == 0  # too young

    Classification.objects.update(finished_at=timezone.now() - LONG_AGO)
    assert sweep.prune_superseded() == 1

    kept = Garment.objects.order_by("id")
    image.refresh_from_db()
    assert [found.classification_id for found in kept] == [
        oldest.garment.classification_id,
        image.current_classification_id,
    ]


def test_one_product_that_fails_does_not_hold_up_the_others(merchant, classified, monkeypatch, caplog):
    products = ProductFactory.create_batch(3, merchant=merchant)
    for product in products:
        ProductImageFactory(product=product)
    classified(garment("Jacket"))
    Classification.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    refresh = proposals.propose

    def broken(product, taxonomy):
        if product == products[0]:
            raise KeyError("category")
        refresh(product, taxonomy)

    monkeypatch.setattr(proposals, "propose", broken)

    assert sweep.apply_left_over() == 2

    assert list(Product.objects.order_by("pk").values_list("status", flat=True)) == [
        Product.Status.CLASSIFYING,
        Product.Status.TO_REVIEW,
        Product.Status.TO_REVIEW,
    ]
    assert f"product {products[0].pk} could not" in caplog.text
