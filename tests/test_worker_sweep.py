"""The sweep puts right what crashes, lost messages and deletions leave behind."""

import os
import threading
import time
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks import default_task_backend

from catalog.intake import add_images
from catalog.models import Decision, Product, ProductImage
from catalog.selectors import Taxonomy
from classifier import jobs, proposals, results, sweep
from classifier.models import Classification, Garment, Prediction
from classifier.serving import active
from tests.engines import StubEngine, garment, serve
from tests.factories import ProductFactory, ProductImageFactory
from tests.pictures import upload

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=365)


@pytest.fixture
def classified(monkeypatch):
    """Do the waiting jobs up to the end of the first transaction, as a worker that dies right after it."""

    def store(*garments):
        engine = serve(monkeypatch, StubEngine(*garments))
        serving = active(Taxonomy.load())
        while batch := jobs.claim(8):
            photographs = engine.classify_batch([b""] * len(batch.jobs))
            found = dict(zip([job.pk for job in batch.jobs], photographs, strict=True))
            results.store(batch, found, serving=serving, taxonomy=Taxonomy.load(), timings={})

    return store


def test_it_hands_on_the_jobs_of_a_worker_that_died(product):
    ProductImageFactory(product=product)
    jobs.claim(8)
    Classification.objects.update(lease_until=Now() - timedelta(seconds=1), queued_at=timezone.now() - LONG_AGO)
    default_task_backend.clear()

    sweep.take_over()

    assert Classification.objects.get().state == "queued"
    assert len(default_task_backend.results) == 1


def test_it_leaves_a_lease_that_lasts_alone(product):
    ProductImageFactory(product=product)
    jobs.claim(8)

    sweep.take_over()

    assert Classification.objects.get().state == "running"


def test_it_applies_what_was_done_but_never_counted(product, classified):
    ProductImageFactory(product=product)
    classified(garment("Jacket"))
    sweep.sweep()
    product.refresh_from_db()
    assert product.proposal == []  # the worker itself has a few seconds

    Classification.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()

    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW
    assert product.proposal[0]["first_level"] == "Outer"
    assert Garment.objects.count() == 1
    assert Classification.objects.get().applied_at is not None


def test_it_frees_a_product_whose_waiting_photograph_was_deleted(product):
    ProductImageFactory(product=product).delete()
    Product.objects.update(updated_at=timezone.now() - timedelta(minutes=1))

    sweep.sweep()

    product.refresh_from_db()
    assert product.status == Product.Status.TO_REVIEW


def test_it_looks_at_some_of_the_products_that_wait_at_a_time(shop, monkeypatch):
    monkeypatch.setattr(sweep, "_LOOKED_AT", 2)
    products = ProductFactory.create_batch(5, merchant=shop)
    for product in products[:4]:
        ProductImageFactory(product=product)
    ProductImageFactory(product=products[4]).delete()
    Product.objects.update(updated_at=timezone.now() - timedelta(minutes=1))

    freed = []
    for _round in range(4):
        sweep.apply_left_over()
        freed.append(Product.objects.exclude(status=Product.Status.CLASSIFYING).count())

    assert freed == [0, 0, 1, 1]


def test_it_wakes_the_worker_for_photographs_that_wait_too_long(product):
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
        via="portal",
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


def test_it_deletes_files_that_no_photograph_points_to(alice, actor_of, product):
    (received,) = add_images(actor=actor_of(alice), product=product, files=[upload()])
    kept = [received.image.original.name, received.image.display.name, received.image.thumbnail.name]
    folder = f"products/{product.public_id}"
    old = default_storage.save(f"{folder}/old.jpg", ContentFile(b"x"))
    young = default_storage.save(f"{folder}/young.jpg", ContentFile(b"x"))
    hours_ago = time.time() - 7200
    for name in (old, *kept):
        os.utime(default_storage.path(name), (hours_ago, hours_ago))

    assert sweep.delete_orphans() == 1

    assert not default_storage.exists(old)
    assert all(default_storage.exists(name) for name in (young, *kept))


def test_it_deletes_the_files_of_a_deleted_photograph(alice, actor_of, product):
    (received,) = add_images(actor=actor_of(alice), product=product, files=[upload()])
    names = [received.image.original.name, received.image.display.name, received.image.thumbnail.name]
    ProductImage.objects.all().delete()
    for name in names:
        os.utime(default_storage.path(name), (0, 0))

    assert sweep.delete_orphans() == 3


def _old_file(path):
    name = default_storage.save(path, ContentFile(b"x"))
    os.utime(default_storage.path(name), (0, 0))
    return name


def test_it_leaves_the_photographs_of_another_database_alone(alice, actor_of, product, caplog):
    """Two installations on one folder of uploads, as after a change of DATABASE_URL."""
    theirs = [_old_file(f"products/{number}/a.jpg") for number in ("theirs0", "theirs1")]
    stray = _old_file(f"products/{product.public_id}/stray.jpg")

    with caplog.at_level("INFO", "classifier"):
        assert sweep.delete_orphans() == 1

    assert all(default_storage.exists(name) for name in theirs)
    assert not default_storage.exists(stray)
    assert "2 folders in products/ belong to no product of this database" in caplog.text


def test_it_deletes_the_files_of_a_deleted_product(shop, alice, actor_of):
    product = ProductFactory(merchant=shop)
    (received,) = add_images(actor=actor_of(alice), product=product, files=[upload()])
    names = [received.image.original.name, received.image.display.name, received.image.thumbnail.name]
    product.delete()
    for name in names:
        os.utime(default_storage.path(name), (0, 0))

    assert sweep.delete_orphans() == 3
    assert not any(default_storage.exists(name) for name in names)


def test_it_asks_once_a_folder_by_an_index(product, django_assert_num_queries):
    _old_file(f"products/{product.public_id}/stray.jpg")
    with django_assert_num_queries(1) as queries:
        sweep.delete_orphans()
    assert "LIKE" not in queries.captured_queries[0]["sql"]


class OthersAreQuicker(FileSystemStorage):
    """Another worker deletes a file, and a folder, just before it is looked at."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def listdir(self, path):
        folders, files = super().listdir(path)
        return sorted([*folders, "vanished"] if path == "products" else folders), sorted(files)

    def get_modified_time(self, name):
        if name.endswith("/quicker.jpg"):
            self.delete(name)
            raise self.error
        return super().get_modified_time(name)


@pytest.mark.parametrize("error", [FileNotFoundError("quicker.jpg"), RuntimeError("404")])  # on a disk, on S3
def test_it_goes_on_where_another_worker_was_quicker(product, error):
    for name in ("quicker.jpg", "stray.jpg"):
        _old_file(f"products/{product.public_id}/{name}")

    assert sweep.delete_orphans(storage=OthersAreQuicker(error)) == 1

    assert default_storage.listdir(f"products/{product.public_id}") == ([], [])


def test_it_breaks_off_where_a_storage_does_not_answer(product):
    _old_file(f"products/{product.public_id}/stray.jpg")

    class Silent(FileSystemStorage):
        def get_modified_time(self, name):
            raise RuntimeError("503")

    with pytest.raises(RuntimeError, match="503"):
        sweep.delete_orphans(storage=Silent())


def test_it_stops_pruning_when_it_is_told_to(shop):
    for product in ProductFactory.create_batch(3, merchant=shop):
        _old_file(f"products/{product.public_id}/stray.jpg")

    class AfterTheFirstFolder(threading.Event):
        asked = 0

        def is_set(self):
            self.asked += 1
            return self.asked > 1

    assert sweep.delete_orphans(AfterTheFirstFolder()) == 1


def test_one_product_that_fails_does_not_hold_up_the_others(shop, classified, monkeypatch, caplog):
    products = ProductFactory.create_batch(3, merchant=shop)
    for product in products:
        ProductImageFactory(product=product)
    classified(garment("Jacket"))
    Classification.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    refresh = proposals.refresh

    def broken(product, taxonomy):
        if product == products[0]:
            raise KeyError("category")
        refresh(product, taxonomy)

    monkeypatch.setattr(proposals, "refresh", broken)

    assert sweep.apply_left_over() == 2

    assert list(Product.objects.order_by("pk").values_list("status", flat=True)) == [
        Product.Status.CLASSIFYING,
        Product.Status.TO_REVIEW,
        Product.Status.TO_REVIEW,
    ]
    assert f"product {products[0].pk} could not" in caplog.text


def test_it_prunes_where_nothing_was_uploaded_yet():
    sweep.prune()
