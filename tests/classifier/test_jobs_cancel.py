"""Classifications that somebody cancels, and those that somebody tries again."""

import pytest

from accounts.models import AuditEvent
from catalog.models import Product
from catalog.services import archive, archive_image
from catalog.services.uploads import add_images
from classifier import garments
from classifier.jobs import batches, queue, requests, sweep
from classifier.models import Classification
from core.errors import Conflict, Forbidden, Gone
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(monkeypatch):
    return serve(monkeypatch, StubEngine(garment("Jacket", material="denim")))


@pytest.fixture
def image(actor, product):
    (received,) = add_images(actor=actor, product=product, files=[upload()])
    return received.image


def refusal(function, **arguments):
    with pytest.raises((Conflict, Forbidden, Gone)) as refused:
        function(**arguments)
    return refused.value.code


def test_a_cancelled_job_is_over_and_its_product_waits_for_nothing(actor, product, image, engine):
    job = image.classifications.get()
    requests.cancel(actor=actor, job=job)

    batches.classify_waiting()
    sweep.sweep()

    job.refresh_from_db()
    product.refresh_from_db()
    assert engine.batches == []
    assert (job.state, job.open_key, job.error_code) == ("cancelled", None, "cancelled")
    assert job.applied_at is not None
    assert (product.status, product.failed_images) == (Product.Status.TO_REVIEW, 1)
    event = AuditEvent.objects.get(action="product.classify_cancel")
    assert event.subject_id == product.public_id
    assert refusal(requests.cancel, actor=actor, job=job) == "already_ended"


def test_it_may_be_tried_again(actor, product, image, engine):
    job = image.classifications.get()
    assert refusal(requests.retry, actor=actor, job=job) == "nothing_to_retry"  # it waits
    requests.cancel(actor=actor, job=job)
    new = requests.retry(actor=actor, job=job)
    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING
    assert refusal(requests.retry, actor=actor, job=job) == "nothing_to_retry"  # not the last one any more

    batches.classify_waiting()

    new.refresh_from_db()
    product.refresh_from_db()
    assert (new.state, product.status, product.failed_images) == ("done", Product.Status.TO_REVIEW, 0)
    assert refusal(requests.retry, actor=actor, job=new) == "nothing_to_retry"  # it is done


def test_what_a_worker_finds_meanwhile_does_not_count(actor, product, image):
    batch = queue.claim(8)
    requests.cancel(actor=actor, job=image.classifications.get())
    assert queue.finish(batch.token, dict.fromkeys(batch.ids, 1), model_set_id=1, timings={}) == set()
    assert not queue.fail(batch.token, batch.ids[0], "unreadable", "broken")
    assert queue.put_back_batch(batch, "broke off") == 0
    assert image.classifications.get().state == "cancelled"


def test_what_was_found_before_stays(actor, product, image, engine):
    batches.classify_waiting()
    requests.classify_again(actor=actor, product=product)
    requests.cancel(actor=actor, job=image.classifications.first())
    product.refresh_from_db()
    assert [found.top_category for found in product.proposal.candidates] == ["Outer"]
    assert product.status == Product.Status.TO_REVIEW


def test_the_other_images_go_on(actor, product, image, engine):
    add_images(actor=actor, product=product, files=[upload(color="navy")])
    requests.cancel(actor=actor, job=image.classifications.get())
    product.refresh_from_db()
    assert product.status == Product.Status.CLASSIFYING
    batches.classify_waiting()
    product.refresh_from_db()
    assert (product.status, product.failed_images) == (Product.Status.TO_REVIEW, 1)


def test_a_drawn_box_whose_description_is_cancelled_has_failed(actor, image, engine):
    batches.classify_waiting()
    garments.draw(actor=actor, image=image, box=(0.1, 0.1, 0.4, 0.4))
    requests.cancel(actor=actor, job=image.classifications.first())
    assert sorted(shown.state for shown in garments.shown_garments(image)) == ["done", "failed"]


def test_all_of_a_product_s_are_cancelled_together(actor, product, image):
    add_images(actor=actor, product=product, files=[upload(color="navy")])
    assert queue.claim(1) is not None
    assert (requests.cancel_all(actor=actor, product=product), requests.cancel_all(actor=actor, product=product)) == (
        2,
        0,
    )
    product.refresh_from_db()
    assert (product.status, product.failed_images) == (Product.Status.TO_REVIEW, 2)
    assert AuditEvent.objects.filter(action="product.classify_cancel").count() == 1


def test_only_who_may_edit_may_cancel_and_retry(actor, actor_of, dana, charlie, product, image):
    job = image.classifications.get()
    for person in (dana, charlie):
        assert refusal(requests.cancel, actor=actor_of(person), job=job) == "forbidden"
        assert refusal(requests.retry, actor=actor_of(person), job=job) == "forbidden"
    archive_image(actor=actor, image=image)
    assert refusal(requests.retry, actor=actor, job=job) == "not_found"
    archive(actor=actor, product=product)
    assert refusal(requests.cancel, actor=actor, job=job) == "archived"


def test_an_operator_s_retry_leaves_what_was_cancelled(actor, image):
    from classifier.jobs.failures import unsolved

    requests.cancel(actor=actor, job=image.classifications.get())
    assert not unsolved().exists()
    assert not queue.any_waiting()


def test_the_portal_and_the_admin_say_so(actor, alice, admin, client_of, product, image):
    requests.cancel(actor=actor, job=image.classifications.get())
    page = client_of(alice).get(f"/products/{product.public_id}").text
    assert "The classification was cancelled. You can start it again." in page
    assert 'id="retry"' in page
    assert "cancelled the classification" in page
    jobs = client_of(admin).get("/admin/classifier/classification/?state=cancelled").text
    assert str(Classification.State.CANCELLED.label) in jobs
