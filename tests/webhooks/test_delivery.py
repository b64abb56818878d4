"""Events arrive at least once, in the order of a product, signed, whatever the receiver does meanwhile."""

import json
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from catalog import services as catalog
from tests.support.webhook_endpoints import deliver, endpoint_at, got, pass_time, receiving
from webhooks import delivery, retention, services
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def decide(actor, product):
    """Decide the product's category as often as asked; returns the versions."""

    def times(count):
        versions = []
        for number in range(count):
            value = ("Jumper", "Jacket")[number % 2]
            catalog.decide(actor=actor, product=product, attribute="category", value=value)
            product.refresh_from_db()
            versions.append(product.version)
        return versions

    return times


def test_after_an_outage_every_event_arrives_and_versions_rise(actor, decide):
    with receiving() as gone:
        endpoint = endpoint_at(gone, actor)
    versions = decide(6)
    for _round in range(5):
        assert deliver() <= 1  # it is left alone between the attempts
        pass_time(minutes=15)
    assert Delivery.objects.filter(state="pending").count() == 6
    endpoint.refresh_from_db()
    assert endpoint.failures == 5

    with receiving(port=gone.port) as receiver:
        for _round in range(12):
            pass_time(minutes=30)
            deliver()
        messages = got(receiver, endpoint)
    assert [message["data"]["product"]["version"] for message in messages] == versions
    assert not Delivery.objects.exclude(state="delivered").exists()
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.is_active) == (0, None, True)


def test_what_was_not_confirmed_is_sent_again_with_the_same_number(actor, decide, receiver):
    receiver.answer = 500
    endpoint = endpoint_at(receiver, actor)
    decide(1)
    deliver()
    receiver.answer = 200
    pass_time(minutes=1)
    deliver()
    first, second = receiver.calls
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert len(got(receiver, endpoint)) == 2
    sent = Delivery.objects.get()
    assert (sent.state, sent.attempts, [answer["status"] for answer in sent.answers]) == ("delivered", 2, [500, 200])


def test_pauses_grow_until_a_day_is_over(actor, decide, receiver):
    receiver.answer = 503
    endpoint_at(receiver, actor)
    decide(1)
    began, passed = timezone.now(), timedelta()
    pauses = []
    while (waiting := Delivery.objects.get()).state == "pending":
        assert deliver() == 1
        waiting.refresh_from_db()
        pause = waiting.next_at - timezone.now()
        pauses.append(pause)
        pass_time(seconds=pause.total_seconds() + 1)
        Endpoint.objects.update(paused_until=None)
        passed += pause
    assert began
    assert timedelta(hours=20) < passed < timedelta(hours=30)
    assert pauses[0] < timedelta(seconds=10)
    assert pauses[-1] > timedelta(hours=2)
    assert 8 <= len(receiver.calls) <= 16


def test_a_product_s_later_event_waits_for_its_earlier_one(actor, decide, receiver):
    endpoint = endpoint_at(receiver, actor)
    first, second = decide(2)
    refused = []

    def answer(call):
        version = json.loads(call.body)["data"]["product"]["version"]
        if version == first and not refused:
            refused.append(version)
            return 500
        return 204

    receiver.answer = answer
    deliver()
    Endpoint.objects.update(paused_until=None)
    assert deliver() == 0
    pass_time(minutes=1)
    deliver()
    assert [one["data"]["product"]["version"] for one in got(receiver, endpoint)] == [first, first, second]


def test_both_secrets_sign_while_one_takes_the_other_s_place(actor, decide, receiver):
    endpoint = endpoint_at(receiver, actor)
    before = endpoint.secret
    endpoint = services.rotate_secret(actor=actor, endpoint=endpoint, overlap_hours=1)
    assert endpoint.secret != before
    decide(1)
    deliver()
    assert got(receiver, endpoint, before) == got(receiver, endpoint)

    pass_time(hours=2)
    decide(1)
    deliver()
    newest = receiver.calls[-1]
    Webhook(endpoint.secret).verify(newest.body, newest.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(before).verify(newest.body, newest.headers)


def test_a_slow_receiver_holds_up_no_other_one(actor, actor_of, charlie, decide, settings):
    """Each endpoint occupies one thread at most."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(call):
        asked.set()
        go_on.wait(10)
        return 204

    with receiving(slow) as slow_one, receiving() as quick_one:
        endpoint_at(slow_one, actor)
        other = endpoint_at(quick_one, actor)
        decide(3)
        calls = []
        settings.OTJANG_WEBHOOK_SECONDS = 20
        slow_id = Endpoint.objects.exclude(pk=other.pk).get().pk
        Endpoint.objects.filter(pk=slow_id).update(lease_until=timezone.now() + timedelta(seconds=60))
        calls = deliver()
        assert calls == 3
        assert len(quick_one.calls) == 3
        assert slow_one.calls == []
        go_on.set()


def test_an_endpoint_is_one_thread_s_at_a_time(actor, decide, receiver):
    endpoint = endpoint_at(receiver, actor)
    decide(1)
    with delivery._claimed() as held:
        assert held == endpoint
        assert deliver() == 0
    assert deliver() == 1


def test_who_keeps_failing_is_switched_off_and_owners_are_told(actor, alice, bob, decide, receiver, client_of):
    receiver.answer = 500
    endpoint = endpoint_at(receiver, actor)
    decide(2)
    deliver()
    pass_time(hours=73)
    Delivery.objects.update(until=timezone.now() + timedelta(hours=1))
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason) == (False, "failing")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}
    decide(1)
    assert Delivery.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_owners_get_a_mail_when_one_is_switched_off(alice, bob, actor, product, receiver):
    receiver.answer = 410
    endpoint = endpoint_at(receiver, actor)
    catalog.decide(actor=actor, product=product, attribute="category", value="Jumper")
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason) == (False, "gone")
    (sent,) = mail.outbox
    assert sent.to == [alice.email]
    assert endpoint.url in sent.body


def test_what_was_given_up_can_be_replayed(actor, decide, receiver):
    receiver.answer = 500
    endpoint = endpoint_at(receiver, actor)
    decide(1)
    deliver()
    Delivery.objects.update(state="failed")
    receiver.answer = 200
    services.replay(actor=actor, delivery=Delivery.objects.select_related("endpoint").get())
    assert deliver() == 1
    assert Delivery.objects.get().state == "delivered"
    services.replay(actor=actor, delivery=Delivery.objects.select_related("endpoint").get())
    assert deliver() == 1
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len(got(receiver, endpoint)) == 3


def test_a_receiver_may_ask_to_be_left_alone(actor, decide, receiver):
    receiver.answer = lambda call: (429, {"Retry-After": "1800"}, [])
    endpoint = endpoint_at(receiver, actor)
    decide(1)
    deliver()
    endpoint.refresh_from_db()
    assert endpoint.paused_until > timezone.now() + timedelta(minutes=29)


def test_a_redirect_is_no_delivery(actor, decide, receiver):
    receiver.answer = lambda call: (302, {"Location": "/elsewhere"}, [])
    endpoint_at(receiver, actor)
    decide(1)
    assert deliver() == 1
    assert Delivery.objects.get().state == "pending"


def test_no_address_inside_is_called_though_the_allow_list_shrank(actor, decide, receiver, settings):
    endpoint_at(receiver, actor)
    settings.OTJANG_OUTGOING_ALLOWED = []
    decide(1)
    deliver()
    assert receiver.calls == []
    assert Delivery.objects.get().answers[0]["error"] == "url_forbidden"


def test_a_closed_merchant_is_told_nothing(actor, decide, merchant, receiver):
    endpoint_at(receiver, actor)
    decide(1)
    merchant.is_active = False
    merchant.save()
    assert deliver() == 0


def test_what_waited_its_day_for_nothing_is_given_up(actor, decide, receiver):
    receiver.answer = 500
    endpoint_at(receiver, actor)
    decide(3)
    deliver()
    pass_time(hours=25)
    assert delivery.expire() == 3


def test_old_events_are_deleted(actor, decide, receiver):
    endpoint_at(receiver, actor)
    decide(1)
    deliver()
    decide(1)
    Event.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert retention.prune() == 1
    assert Delivery.objects.get().state == "pending"
