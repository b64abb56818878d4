"""Reclassifying a catalogue: in the background, paused, cancelled, broken off, and every image once."""

import importlib
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actors import Actor, system
from accounts.channels import Channel
from accounts.models import AuditEvent, Operation
from catalog.models import Product
from classifier.jobs import batches, lanes, operations, queue, requests, sweep
from classifier.jobs.tasks import classify_waiting
from classifier.models import Classification, Garment
from classifier.registry import model_sets, shadow, uploads
from core.errors import Conflict, Forbidden
from tests.support.factories import ProductFactory, ProductImageFactory, UserFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

IMAGES = 7


@pytest.fixture
def catalogue(merchant, monkeypatch):
    """Images of several products, all classified once."""
    monkeypatch.setattr(lanes, "_read_one", lambda _job: b"")
    monkeypatch.setattr(operations, "CHUNK", 2)
    monkeypatch.setattr(operations, "IN_THE_QUEUE", 3)
    serve(monkeypatch, StubEngine(garment("Jacket")))
    products = ProductFactory.create_batch(3, merchant=merchant)
    images = [ProductImageFactory(product=products[number % 3]) for number in range(IMAGES)]
    batches.classify_waiting()
    return images


def _once(operation, images):
    """Whether the operation has exactly one job, done, for each image."""
    found = Classification.objects.filter(operation=operation, state="done").values_list("image", flat=True)
    return sorted(found) == [image.pk for image in images]


def _work(operation):
    """Run as workers do until the operation is over."""
    for _round in range(20):
        classify_waiting.func()
        operation.refresh_from_db()
        if operation.state in ("done", "cancelled"):
            return
    raise AssertionError(operation.state)


def test_it_looks_at_every_image_once_more(catalogue, monkeypatch):
    serve(monkeypatch, StubEngine(garment("Jumper", version="2"), version="2"))
    operation = operations.start_reclassify(actor=system())
    assert (operation.state, operation.total) == ("queued", IMAGES)

    operations.feed()
    waiting = Classification.objects.filter(operation=operation)
    assert waiting.count() == 3
    assert {job.priority for job in waiting} == {Classification.Priority.BULK}
    _work(operation)

    assert _once(operation, catalogue)
    assert (operation.done, operation.failed, operation.total) == (IMAGES, 0, IMAGES)
    assert operation.started_at <= operation.finished_at
    for product in Product.objects.all():
        assert [found.attributes["category"].value for found in product.proposal.candidates] == ["Jumper"]
    _work(operation)
    assert Classification.objects.count() == 2 * IMAGES


def test_it_goes_on_after_a_worker_was_killed(catalogue):
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    queue.claim(2)  # by a worker that dies now
    Classification.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))

    sweep.take_over()
    _work(operation)

    assert _once(operation, catalogue)
    assert Classification.objects.filter(operation=operation).count() == IMAGES
    assert Garment.objects.filter(classification__operation=operation).count() == IMAGES


def test_a_killed_workers_images_do_not_go_on_when_it_was_paused(catalogue):
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    queue.claim(2)
    operations.pause(actor=system(), operation=operation)
    Classification.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))

    sweep.take_over()
    classify_waiting.func()

    assert not Classification.objects.filter(operation=operation).exists()
    operations.resume(actor=system(), operation=operation)
    _work(operation)
    assert _once(operation, catalogue)


def test_it_counts_what_was_under_way_when_it_was_paused(catalogue):
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    batch = queue.claim(2)
    operations.pause(actor=system(), operation=operation)
    for job in batch.jobs:
        queue.fail(batch.token, job.pk, "file_missing", "It is gone.")

    operations.feed()

    operation.refresh_from_db()
    assert (operation.state, operation.failed) == ("paused", 2)


def test_ended_jobs_are_added_to_its_counters_and_not_counted_again(catalogue, settings):
    settings.OTJANG_MAX_ATTEMPTS = 1
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    batch = queue.claim(2)
    queue.fail(batch.token, batch.jobs[0].pk, "file_missing", "It is gone.")
    queue.put_back_batch(batch, "broke off")  # what is left of it, for good
    operation.refresh_from_db()
    assert (operation.done, operation.failed) == (0, 2)

    with CaptureQueriesContext(connection) as queries:
        operations.feed()

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
    assert len(counts) <= 2 * len(catalogue)  # those of the open jobs, by an index: never those that ended
    assert not any("'done'" in sql or "'failed'" in sql for sql in counts)
    batches.classify_waiting()
    operation.refresh_from_db()
    assert operation.done > 0


def test_stopping_it_keeps_what_a_person_asked_for_meanwhile(catalogue, alice, actor_of):
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    job = Classification.objects.filter(operation=operation).first()

    requests.classify_again(actor=actor_of(alice), product=job.image.product)
    assert Classification.objects.get(pk=job.pk).priority == Classification.Priority.INTERACTIVE
    operations.cancel(actor=system(), operation=operation)

    assert Classification.objects.filter(image=job.image, state="queued").exists()


def test_one_that_cannot_end_does_not_hold_up_the_others(catalogue, monkeypatch):
    def broken(_operation):
        raise RuntimeError("no report")

    Operation.objects.create(kind=shadow.KIND, parameters={"last": 0, "cursor": 0, "images": []})
    monkeypatch.setattr(shadow, "write_report", broken)
    operation = operations.start_reclassify(actor=system())

    _work(operation)

    assert _once(operation, catalogue)


def test_it_can_be_paused_and_goes_on(catalogue):
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    claimed = queue.claim(1)

    operations.pause(actor=system(), operation=operation)
    operations.feed()

    operation.refresh_from_db()
    assert operation.state == "paused"
    assert [job.pk for job in Classification.objects.filter(operation=operation)] == [claimed.jobs[0].pk]
    queue.put_back_batch(claimed, "")
    sweep.apply_left_over()
    operations.resume(actor=system(), operation=operation)
    _work(operation)
    assert _once(operation, catalogue)
    with pytest.raises(Conflict):
        operations.pause(actor=system(), operation=operation)


def test_it_can_be_cancelled_and_leaves_no_product_waiting(catalogue):
    operation = operations.start_reclassify(actor=system())
    operations.feed()
    Product.objects.update(updated_at=Product.objects.first().updated_at - timedelta(minutes=1))

    operations.cancel(actor=system(), operation=operation)
    sweep.sweep()

    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("cancelled", 0)
    assert not Classification.objects.filter(operation=operation).exists()
    assert not Product.objects.filter(status=Product.Status.CLASSIFYING).exists()


def test_it_waits_for_images_that_are_being_classified(catalogue):
    busy = catalogue[0]
    requests.request_classification(image=busy, again=True)
    (job,) = queue.claim(1).jobs
    operation = operations.start_reclassify(actor=system())
    for _round in range(6):
        classify_waiting.func()
    operation.refresh_from_db()
    assert (operation.state, operation.done) == ("running", IMAGES - 1)

    Classification.objects.filter(pk=job.pk).update(state="done", open_key=None, lease_token="")
    _work(operation)

    assert _once(operation, catalogue)


def test_it_is_not_started_twice(catalogue, other_merchant):
    first = operations.start_reclassify(actor=system())
    operations.start_reclassify(actor=system(), merchant=other_merchant)
    with pytest.raises(Conflict, match=first.public_id):
        operations.start_reclassify(actor=system())

    operations.cancel(actor=system(), operation=first)
    second = operations.start_reclassify(actor=system())
    _work(second)
    assert second.open_key is None
    operations.start_reclassify(actor=system())


def test_the_database_lets_only_one_of_two_at_the_same_moment_start(catalogue, merchant):
    first = operations.start_reclassify(actor=system(), merchant=merchant)
    twin = Operation(kind="reclassify", merchant=merchant, open_key=first.open_key)
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()
    with pytest.raises(IntegrityError), transaction.atomic():  # an ended one would bar the way for ever
        Operation.objects.filter(pk=first.pk).update(state="done")


def test_older_ones_that_are_open_bar_the_way_after_the_upgrade(catalogue, merchant):
    for one in (merchant, merchant, None):
        Operation.objects.create(kind="reclassify", merchant=one, state="paused")
    Operation.objects.create(kind="reclassify", state="done")

    importlib.import_module("accounts.migrations.0004_operation_leases").fill_open_keys(apps, None)

    keys = list(Operation.objects.order_by("pk").values_list("open_key", flat=True))
    assert keys == [f"reclassify:{merchant.pk}", None, "reclassify:-", None]
    for one in (merchant, None):
        with pytest.raises(Conflict):
            operations.start_reclassify(actor=system(), merchant=one)


def test_it_takes_one_merchant_and_counts_what_failed(catalogue, other_merchant, monkeypatch):
    monkeypatch.setattr(lanes, "_read_one", lambda _job: lanes.Failure("file_missing", "gone"))
    other = ProductImageFactory(product=ProductFactory(merchant=other_merchant))
    operation = operations.start_reclassify(actor=system(), merchant=other_merchant)
    _work(operation)

    assert (operation.total, operation.done, operation.failed) == (1, 0, 1)
    assert Classification.objects.filter(operation=operation).get().image == other


def test_it_is_for_managers_of_models_only(catalogue, alice, actor_of):
    operation = operations.start_reclassify(actor=system())
    events = AuditEvent.objects.count()
    for actor in (actor_of(alice), Actor(channel=Channel.ADMIN, user=UserFactory(is_staff=True))):
        for attempt in (
            lambda actor=actor: operations.start_reclassify(actor=actor),
            lambda actor=actor: operations.pause(actor=actor, operation=operation),
            lambda actor=actor: operations.cancel(actor=actor, operation=operation),
        ):
            with pytest.raises(Forbidden):
                attempt()
    operation.refresh_from_db()
    assert (Operation.objects.count(), operation.state, AuditEvent.objects.count()) == (1, "queued", events)


def test_commands_start_and_stop_it(catalogue, capsys):
    call_command("reclassify")
    public_id = capsys.readouterr().out.strip()
    call_command("operations", public_id, "pause")
    assert "paused  0 of 7" in capsys.readouterr().out
    call_command("operations", public_id, "resume")
    _work(Operation.objects.get())
    capsys.readouterr()
    call_command("operations")
    assert f"{public_id}  reclassify  done  7 of 7, 0 failed" in capsys.readouterr().out


def test_the_command_takes_one_merchant_by_name_or_identifier(catalogue, merchant, other_merchant, capsys):
    for text in (merchant.name, merchant.public_id):
        call_command("reclassify", "--merchant", text)
        Operation.objects.update(state="done", open_key=None)
    assert [operation.merchant for operation in Operation.objects.all()] == [merchant, merchant]
    call_command("reclassify", "--merchant", merchant.name)
    with pytest.raises(CommandError, match="under way already"):
        call_command("reclassify", "--merchant", merchant.name)
    Operation.objects.filter(state="queued").delete()
    for text in ("nobody", ""):
        with pytest.raises(CommandError, match=merchant.name):
            call_command("reclassify", "--merchant", text)
    assert Operation.objects.count() == 2


def test_the_admin_starts_and_stops_it(catalogue, client_of, admin):
    model_sets.register_shipped()
    client = client_of(admin)
    client.post(reverse("admin:classifier_deployment_reclassify", args=[1]), {"_form_submitted": "on"})
    operation = Operation.objects.get()
    assert operation.created_by == admin
    for button, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        page = reverse(f"admin:accounts_operation_{button}", args=[operation.pk])
        client.post(page, {"_form_submitted": "on"})
        operation.refresh_from_db()
        assert operation.state == state

    assert _buttons(client, operation) == []


def test_an_upload_can_be_cancelled_until_it_has_ended(client_of, admin):
    client = client_of(admin)
    upload = Operation.objects.create(kind=uploads.KIND, parameters={"file": "models/uploads/x.pt"})
    assert _buttons(client, upload) == ["cancel"]

    Operation.objects.update(state="running")
    assert _buttons(client, upload) == ["cancel"]

    Operation.objects.update(state="done")
    assert _buttons(client, upload) == []


def _buttons(client, operation):
    page = client.get(reverse("admin:accounts_operation_change", args=[operation.pk])).text
    buttons = ("pause", "resume", "cancel")
    return [name for name in buttons if reverse(f"admin:accounts_operation_{name}", args=[operation.pk]) in page]
