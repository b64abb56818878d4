"""`manage.py worker` behind a broker: messages wake it, and no message is missed where one is lost or comes twice."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from kombu.asynchronous import Hub

from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import batches, lanes, requests, sweep, tasks
from classifier.jobs.consumer import CeleryWorker
from classifier.management.commands.worker import of_queue, prune_wake_ups
from classifier.models import Classification, Garment
from core.broker import broker
from tests.support import brokers
from tests.support.drawn_images import upload
from tests.support.factories import ProductImageFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(days=1)
BULK = Classification.Priority.BULK


@pytest.fixture(autouse=True)
def _broker(settings, monkeypatch):
    serve(monkeypatch, StubEngine(garment("Jacket")))
    brokers.use(settings)


@pytest.fixture
def save(alice, actor_of, product):
    """Upload two images, as Alice."""

    def save():
        add_images(actor=actor_of(alice), product=product, files=[upload("a.jpg"), upload("b.jpg", color="navy")])

    return save


@pytest.fixture
def drawn_in_bulk(product, monkeypatch):
    """Queue so many images as bulk work, whose messages get lost."""
    monkeypatch.setattr(lanes, "_read_one", lambda _job: b"")

    def queue(count):
        for number in range(count):
            ProductImageFactory(product=product, sha256=f"{number:064}")
        Classification.objects.update(priority=BULK, queued_at=timezone.now() - LONG_AGO)
        brokers.forget()

    return queue


def waiting():
    return {name: broker().waiting(name) for name in ("interactive", "bulk")}


def is_done(product):
    product.refresh_from_db()
    return product.status == Product.Status.TO_REVIEW and Garment.objects.count() == product.images.count()


def test_a_message_wakes_it_for_what_was_saved(save, product):
    save()
    assert waiting() == {"interactive": 1, "bulk": 0}

    brokers.take(1)

    assert waiting() == {"interactive": 0, "bulk": 0}
    assert is_done(product)
    assert not DBTaskResult.objects.exists()


def test_a_message_that_comes_twice_does_nothing_the_second_time(save, product):
    save()
    tasks.wake_worker()

    brokers.take(2)

    assert is_done(product)
    assert Classification.objects.count() == 2


def test_a_message_that_is_lost_is_sent_again_by_the_sweep(save, product):
    save()
    brokers.forget()
    sweep.wake_for_waiting()
    assert waiting() == {"interactive": 0, "bulk": 0}  # nobody has waited for long yet
    Classification.objects.update(queued_at=timezone.now() - LONG_AGO)

    sweep.sweep()
    assert waiting() == {"interactive": 1, "bulk": 0}
    sweep.sweep()
    assert waiting() == {"interactive": 1, "bulk": 0}
    brokers.take(1)

    assert is_done(product)


def test_a_message_of_another_release_holds_up_nothing(save, product, caplog):
    save()
    backend = broker()
    for path in ("classifier.jobs.tasks.gone", "classifier.models.Classification"):
        backend.app.send_task("otjang.run", (path, [], {}), queue="interactive")

    brokers.take(3)

    assert is_done(product)
    assert caplog.text.count("raised unexpected") == 2


def test_while_the_broker_is_away_images_are_stored_and_classified(save, product, settings, caplog):
    brokers.use(settings, brokers.NOWHERE)

    save()
    assert Classification.objects.filter(state="queued").count() == 2
    assert "no worker is woken: the broker is away" in caplog.text
    sweep.sweep()
    CeleryWorker(broker(), "test").work_alone()

    assert is_done(product)


def test_it_does_nothing_alone_while_it_listens_to_the_broker(save, monkeypatch):
    save()
    worker = CeleryWorker(broker(), "test")
    monkeypatch.setattr(worker, "_listens", lambda: True)

    worker.work_alone()

    assert Classification.objects.filter(state="queued").count() == 2


def test_it_works_alone_where_its_connection_is_dead_and_does_not_know_it(save, product, settings, monkeypatch):
    save()
    Classification.objects.update(queued_at=timezone.now() - LONG_AGO)
    brokers.use(settings, brokers.NOWHERE)
    worker = CeleryWorker(broker(), "test")
    monkeypatch.setattr(worker, "_listens", lambda: True)

    worker.work_alone()

    assert is_done(product)


@pytest.fixture
def connected(monkeypatch):
    """A worker, the channel by which it gets one message at a time, and the loop in which it waits for it."""
    worker, hub = CeleryWorker(broker(), "test"), Hub()
    with broker().app.connection_for_write() as connection:
        connection.connect()
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        consumer = SimpleNamespace(connection=connection, hub=hub, task_consumer=SimpleNamespace(channel=channel))
        monkeypatch.setattr(worker, "_controller", SimpleNamespace(consumer=consumer))
        yield worker, channel, hub
    hub.close()


def test_it_works_alone_and_connects_again_where_a_message_stays_in_hand(save, product, connected, caplog):
    save()
    worker, channel, hub = connected
    assert channel.basic_get("interactive") is not None  # and is never acknowledged

    worker.work_alone()
    assert is_done(product)
    next(hub.create_loop())
    worker.work_alone()

    assert "connecting to the broker again" in caplog.text
    with pytest.raises(ConnectionResetError):
        next(hub.create_loop())


def test_it_leaves_alone_a_connection_by_which_messages_can_come(save, connected):
    save()
    worker, channel, _hub = connected
    for _look in range(3):
        worker.work_alone()
    message = channel.basic_get("interactive")
    channel.basic_ack(message.delivery_tag)
    for _look in range(3):
        worker.work_alone()

    assert Classification.objects.filter(state="queued").count() == 2


def test_it_works_alone_until_it_listens_to_the_broker_again(save, product):
    tasks.wake_worker()
    worker = brokers.take(1)  # which has ended
    save()

    worker.work_alone()

    assert is_done(product)


def test_bulk_work_has_a_queue_of_its_own(product, settings):
    image = ProductImageFactory(product=product)
    Classification.objects.all().delete()
    brokers.forget()

    requests.request_classification(image=image, priority=BULK, again=True)

    assert waiting() == {"interactive": 0, "bulk": 1}


def test_whoever_takes_bulk_work_begins_with_what_is_interactive(drawn_in_bulk, save, product, settings):
    settings.OTJANG_CLASSIFY_BATCH = 1
    drawn_in_bulk(3)
    save()
    brokers.forget()
    tasks.wake_bulk_worker()

    brokers.take(1)

    started = Classification.objects.order_by("started_at").values_list("priority", flat=True)
    assert list(started) == [Classification.Priority.INTERACTIVE] * 2 + [BULK] * 3
    assert is_done(product)


def test_one_that_is_for_uploads_alone_leaves_bulk_work_to_others(drawn_in_bulk, save, product, settings):
    settings.OTJANG_WORKER_QUEUES = ["interactive"]
    drawn_in_bulk(3)
    save()

    brokers.take(1)

    assert Classification.objects.filter(state="done").count() == 2
    assert waiting() == {"interactive": 0, "bulk": 1}  # which it has asked others for
    settings.OTJANG_WORKER_QUEUES = ["interactive", "bulk"]
    brokers.take(1)
    assert is_done(product)


def test_the_length_of_the_queue_says_how_much_waits(drawn_in_bulk, monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_A_MESSAGE", 2)
    monkeypatch.setattr(tasks, "MOST_MESSAGES", 4)
    drawn_in_bulk(5)

    sweep.wake_for_waiting()
    assert waiting() == {"interactive": 0, "bulk": 3}
    sweep.wake_for_waiting()
    assert waiting() == {"interactive": 0, "bulk": 3}

    Classification.objects.all().delete()
    drawn_in_bulk(12)
    sweep.wake_for_waiting()
    assert waiting() == {"interactive": 0, "bulk": 4}


def test_one_task_hands_on_to_the_next_when_its_time_is_over(save, product, settings, monkeypatch):
    settings.OTJANG_TASK_SECONDS = 0
    settings.OTJANG_CLASSIFY_BATCH = 1
    monkeypatch.setattr(batches, "BATCHES_ON_THE_WAY", 1)
    save()

    brokers.take(2)

    assert is_done(product)


def test_once_does_what_waits_without_any_message(save, product):
    save()
    brokers.forget()

    call_command("worker", once=True)

    assert is_done(product)


def test_a_worker_goes_on_without_the_broker_beside_its_queue():
    worker, beside = of_queue(once=False)
    assert isinstance(worker, CeleryWorker)
    assert [thread.name for thread in beside] == ["without the broker"]


def test_it_forgets_wake_ups_from_before_the_broker():
    DBTaskResult.objects.create(args_kwargs={}, priority=0, task_path="a.b", queue_name="bulk", backend_name="default")
    prune_wake_ups()
    assert DBTaskResult.objects.count() == 1
    DBTaskResult.objects.update(enqueued_at=timezone.now() - 2 * LONG_AGO)
    prune_wake_ups()
    assert DBTaskResult.objects.count() == 0
