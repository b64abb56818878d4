"""What failed leaves the list once it was tried again, and all of one reason are tried again by an operation."""

import pytest
from django.urls import reverse

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import AuditEvent, Operation
from accounts.ready_groups import load_groups
from accounts.services.operations import continue_some
from classifier.jobs import failures, operations
from classifier.models import Classification
from core.errors import Conflict, Forbidden, Invalid
from tests.support.factories import ProductImageFactory, in_group

pytestmark = pytest.mark.django_db

LIST = reverse("admin:classifier_classification_changelist")
RETRY = reverse("admin:classifier_classification_retry_failed")


def _failed(product, error="gave_up"):
    image = ProductImageFactory(product=product)
    Classification.objects.filter(image=image).delete()
    return Classification.objects.create(
        image=image, merchant=product.merchant, state="failed", error_code=error, image_sha256=image.sha256
    )


@pytest.fixture
def operator(db):
    load_groups()
    return in_group("Operator")


@pytest.fixture
def actor(operator):
    return Actor(channel=Channel.ADMIN, user=operator)


def _listed(client, **query):
    return {job.pk for job in client.get(LIST, query).context["cl"].result_list}


def test_what_was_tried_again_leaves_the_list(client_of, operator, product):
    solved, stands = _failed(product), _failed(product)
    done = Classification.objects.create(image=solved.image, state="done")
    client = client_of(operator)
    assert _listed(client) == {stands.pk, done.pk}
    assert _listed(client, state="unsolved") == {stands.pk}
    assert _listed(client, state="failed") == {solved.pk, stands.pk}
    assert _listed(client, state="everything") == {solved.pk, stands.pk, done.pk}
    assert "failed, tried again since" in client.get(LIST, {"state": "failed"}).text


def test_a_page_says_what_failed_and_starts_the_operation(client_of, operator, product):
    jobs = [_failed(product) for _number in range(3)]
    other = _failed(product, "file_missing")
    client = client_of(operator)
    page = client.get(RETRY).text
    assert "broke off several times" in page
    assert client.post(RETRY, {"error": "gave_up"}).status_code == 302
    operation = Operation.objects.get()
    assert (operation.kind, operation.total) == ("retry_failed", 3)
    assert AuditEvent.objects.get(action="operation.start").details["error"] == "gave_up"
    continue_some()
    operation.refresh_from_db()
    assert (operation.state, operation.done, operation.total) == ("done", 3, 3)
    queued = Classification.objects.filter(state="queued")
    assert set(queued.values_list("image", flat=True)) == {job.image_id for job in jobs}
    assert failures.unsolved().get() == other


def test_it_can_be_paused_and_goes_on(actor, product, monkeypatch):
    monkeypatch.setattr(failures, "_CHUNK", 1)
    for _number in range(3):
        _failed(product)
    operation = failures.start_retry(actor=actor, error="gave_up")
    operations.pause(actor=actor, operation=operation)
    continue_some()
    assert Classification.objects.filter(state="queued").count() == 0
    operations.resume(actor=actor, operation=operation)
    continue_some()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("done", 3)


def test_it_leaves_room_in_the_queue(actor, product, monkeypatch):
    monkeypatch.setattr(failures, "_IN_THE_QUEUE", 2)
    for _number in range(3):
        _failed(product)
    operation = failures.start_retry(actor=actor, error="gave_up")
    continue_some()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("running", 2)
    Classification.objects.filter(state="queued").update(state="done", open_key=None)
    continue_some()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("done", 3)


def test_it_is_started_once_and_only_where_something_failed(actor, product):
    with pytest.raises(Invalid):
        failures.start_retry(actor=actor, error="gave_up")
    _failed(product)
    failures.start_retry(actor=actor, error="gave_up")
    with pytest.raises(Conflict):
        failures.start_retry(actor=actor, error="gave_up")


def test_others_may_not(client_of, product, bob, actor_of):
    load_groups()
    _failed(product)
    reviewer = in_group("Reviewer")
    assert client_of(reviewer).post(RETRY, {"error": "gave_up"}).status_code == 403
    for who in (actor_of(bob), Actor(channel=Channel.ADMIN, user=reviewer)):
        with pytest.raises(Forbidden):
            failures.start_retry(actor=who, error="gave_up")


@pytest.mark.parametrize(
    "model", ["catalog_productimage", "classifier_classification", "classifier_prediction", "catalog_decision"]
)
def test_lists_are_filtered_by_merchant(client_of, admin, product, other_merchant, model, actor_of, alice):
    from tests.support.admin_world import full_world

    full_world(product, actor_of(alice))
    path = {
        "catalog_productimage": "product__merchant",
        "catalog_decision": "product__merchant",
        "classifier_classification": "image__product__merchant",
        "classifier_prediction": "garment__image__product__merchant",
    }[model]
    client = client_of(admin)
    url = reverse(f"admin:{model}_changelist")
    mine = client.get(url, {f"{path}__id__exact": product.merchant_id}).context["cl"].result_list
    others = client.get(url, {f"{path}__id__exact": other_merchant.pk}).context["cl"].result_list
    assert len(mine) > 0
    assert len(others) == 0
