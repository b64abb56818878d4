"""Saving an image queues its classification, once."""

import pytest
from django.db import transaction
from django_tasks import default_task_backend

from catalog import services as catalog
from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import requests
from classifier.models import Classification
from core.errors import Forbidden
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def wake_ups():
    """Return the tasks that were sent; the queue of the tests only keeps them."""
    default_task_backend.clear()
    return default_task_backend.results


def test_it_queues_an_uploaded_image(alice, actor_of, product):
    (received,) = add_images(actor=actor_of(alice), product=product, files=[upload()])

    job = received.image.classifications.get()
    assert (job.state, job.purpose, job.open_key) == ("queued", "live", f"{received.image.pk}:live")
    assert job.image_sha256 == received.image.sha256
    assert job.priority == Classification.Priority.INTERACTIVE
    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING


def test_it_wakes_the_worker_once_a_transaction_and_only_on_commit(
    alice, actor_of, product, wake_ups, django_capture_on_commit_callbacks
):
    files = [upload(f"{color}.jpg", color=color) for color in ("red", "green", "blue")]
    with django_capture_on_commit_callbacks(execute=True):
        add_images(actor=actor_of(alice), product=product, files=files)
        assert wake_ups == []

    assert Classification.objects.count() == 3
    assert [result.task.name for result in wake_ups] == ["classify_waiting"]
    assert (wake_ups[0].args, wake_ups[0].kwargs) == ([], {})


def _add_and_break_off(product):
    with transaction.atomic():
        ProductImageFactory(product=product)
        raise RuntimeError


@pytest.mark.django_db(transaction=True)
def test_it_wakes_nobody_for_what_was_rolled_back(product, wake_ups):
    with pytest.raises(RuntimeError):
        _add_and_break_off(product)
    assert wake_ups == []

    with transaction.atomic():
        with pytest.raises(RuntimeError):
            _add_and_break_off(product)
        ProductImageFactory(product=product)
    assert len(wake_ups) == 1
    assert Classification.objects.count() == 1


@pytest.mark.parametrize("state", ["queued", "running", "done"])
def test_it_does_not_queue_the_same_bytes_again(product, state):
    image = ProductImageFactory(product=product)
    open_key = None if state == "done" else f"{image.pk}:live"
    image.classifications.update(state=state, open_key=open_key)

    image.position = 7
    image.save()

    assert image.classifications.count() == 1


def test_it_queues_a_failed_image_again_when_it_is_saved(product):
    image = ProductImageFactory(product=product)
    image.classifications.update(state="failed", open_key=None)

    image.save()

    assert image.classifications.filter(state="queued").count() == 1


def test_it_queues_new_bytes(product):
    image = ProductImageFactory(product=product)
    image.classifications.update(state="done", open_key=None)

    image.sha256 = "f" * 64
    image.save()

    assert image.classifications.filter(state="queued", image_sha256="f" * 64).count() == 1


def test_it_takes_the_lease_from_who_works_on_old_bytes(product):
    image = ProductImageFactory(product=product)
    image.classifications.update(state="running", lease_token="old")

    image.sha256 = "f" * 64
    image.save()

    job = image.classifications.get()
    assert (job.state, job.lease_token, job.image_sha256) == ("queued", "", "f" * 64)


def test_it_leaves_what_is_public_or_put_away_where_it_is(merchant):
    for before, after in (("published", "published"), ("archived", "archived"), ("ready", "classifying")):
        product = ProductFactory(merchant=merchant, status=before)
        ProductImageFactory(product=product)
        product.refresh_from_db()
        assert product.status == after


def test_it_classifies_again_when_asked(bob, actor_of, product):
    done, waiting, archived = ProductImageFactory.create_batch(3, product=product)
    done.classifications.update(state="done", open_key=None)
    catalog.archive_image(actor=actor_of(bob), image=archived)
    archived.classifications.update(state="done", open_key=None)

    assert requests.classify_again(actor=actor_of(bob), product=product) == 1

    assert done.classifications.count() == 2
    assert waiting.classifications.count() == 1
    assert archived.classifications.count() == 1


def test_it_does_not_classify_again_for_a_viewer(dana, actor_of, product):
    image = ProductImageFactory(product=product)
    image.classifications.update(state="done", open_key=None)

    with pytest.raises(Forbidden):
        requests.classify_again(actor=actor_of(dana), product=product)

    assert image.classifications.count() == 1


def test_it_tells_a_job_its_place(product):
    first, second = (image.classifications.get() for image in ProductImageFactory.create_batch(2, product=product))
    bulk = ProductImageFactory(product=product).classifications.get()
    Classification.objects.filter(pk=first.pk).update(priority=Classification.Priority.BULK)
    first.refresh_from_db()

    assert requests.queue_place(second) == 1
    assert requests.queue_place(bulk) == 2
    assert requests.queue_place(first) == 3
    Classification.objects.filter(pk=second.pk).update(state="running")
    second.refresh_from_db()
    assert requests.queue_place(second) == 0
    assert requests.queue_place(bulk) == 1
