"""Owners manage their shop's webhooks in its settings."""

import re

import pytest

from accounts.models import AuditEvent
from tests.support.webhook_endpoints import deliver, endpoint_at, got, receiving
from webhooks import services
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of, alice):
    return client_of(alice)


def _add(client, merchant, **fields):
    return client.post(f"/merchants/{merchant.public_id}/webhooks", fields)


def test_an_owner_adds_one_whose_secret_is_shown_once(client, merchant, alice, receiver):
    answer = _add(client, merchant, url=receiver.url, description="till", types=["product.published"])
    secret = re.search(r'<code class="secret">([^<]+)</code>', answer.text)[1]
    assert "no-store" in answer.headers["Cache-Control"]
    endpoint = Endpoint.objects.get()
    assert (endpoint.secret, endpoint.types, endpoint.created_by) == (secret, ["product.published"], alice)
    page = f"/settings/webhooks/{endpoint.public_id}/"
    assert secret not in client.get(page).text
    assert "till" in client.get("/settings/webhooks/").text
    assert AuditEvent.objects.get(action="endpoint.create").user == alice


def test_the_form_that_is_sent_twice_adds_one(client, merchant, receiver):
    page = client.get("/settings/webhooks/").text
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    assert _add(client, merchant, url=receiver.url, seen=seen).status_code == 200
    again = _add(client, merchant, url=receiver.url, seen=seen)
    assert again.status_code == 400
    assert "was added meanwhile" in again.text
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "It begins with https://"),
        ("ftp://example.com", "It begins with https://"),
        ("http://169.254.169.254/", "leads into a network that is not public"),
        ("https://a:b@example.com/", "must not hold a user name or password"),
    ],
)
def test_it_says_what_is_wrong_with_an_address(client, merchant, url, sentence):
    answer = _add(client, merchant, url=url, description="kept")
    assert answer.status_code == 400
    assert sentence in answer.text
    assert 'value="kept"' in answer.text
    assert not Endpoint.objects.exists()


def _seen(client, page):
    return {"seen": re.search(r'name="seen" value="([^"]+)"', client.get(page).text)[1]}


def test_an_owner_tests_changes_switches_and_deletes(client, actor, receiver):
    endpoint = endpoint_at(receiver, actor)
    page = f"/settings/webhooks/{endpoint.public_id}/"
    client.post(f"{page}test")
    deliver()
    assert [message["type"] for message in got(receiver, endpoint)] == ["webhook.test"]
    shown = client.get(page).text
    assert "a test" in shown
    assert "204" in shown
    client.post(f"{page}deliveries/{Delivery.objects.get().public_id}/replay")
    assert deliver() == 1

    client.post(f"{page}change", {"url": f"{receiver.url}/b", "description": "x", "types": ["product.decided"]})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.types) == (f"{receiver.url}/b", ["product.decided"])

    client.post(f"{page}switch", {"on": "0"})
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.off_reason) == (False, "person")
    assert "switched off" in client.get("/settings/webhooks/").text
    assert client.post(f"{page}test").status_code == 400
    client.post(f"{page}switch", {"on": "1"})
    rotated = client.post(f"{page}rotate", _seen(client, page))
    assert "no-store" in rotated.headers["Cache-Control"]
    before = endpoint.secret
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.previous_secret) == (True, before)

    client.post(f"{page}delete")
    assert not Endpoint.objects.exists()


def test_nobody_else_sees_or_changes_them(client_of, bob, dana, charlie, actor, merchant, receiver):
    endpoint = endpoint_at(receiver, actor)
    page = f"/settings/webhooks/{endpoint.public_id}/"
    for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
        client = client_of(person)
        assert client.get(page).status_code == status
        for action in ("change", "switch", "rotate", "test", "delete"):
            assert client.post(f"{page}{action}", {"url": "https://example.com"}).status_code == status
        assert _add(client, merchant, url="https://example.com").status_code == status
    endpoint.refresh_from_db()
    assert endpoint.is_active
    assert Endpoint.objects.count() == 1


def test_a_shop_has_only_so_many(client, actor, merchant, receiver):
    for _number in range(10):
        endpoint_at(receiver, actor)
    assert "at most 10" in _add(client, merchant, url=receiver.url).text


def test_owners_are_told_on_their_first_page_of_one_that_was_switched_off(client, client_of, bob, actor, product):
    with receiving(410) as gone:
        endpoint = endpoint_at(gone, actor, description="till")
        services.send_test(actor=actor, endpoint=endpoint)
        deliver()
    assert "The webhook till was switched off" in client.get("/").text
    assert "The webhook till was switched off" not in client_of(bob).get("/").text
    client.post(f"/settings/webhooks/{endpoint.public_id}/switch", {"on": "1"})
    assert "The webhook till" not in client.get("/").text


def test_older_deliveries_have_a_page(client, actor, receiver):
    endpoint = endpoint_at(receiver, actor)
    page = f"/settings/webhooks/{endpoint.public_id}/"
    for _number in range(51):
        client.post(f"{page}test")
    first = client.get(page).text
    older = re.search(r"\?before=(\d+)", first)[1]
    assert first.count("<strong>a test</strong>") == 50
    assert client.get(f"{page}?before={older}").text.count("<strong>a test</strong>") == 1
    assert client.get(f"{page}?before=x").status_code == 200


def test_a_form_for_another_secret_that_is_sent_twice_makes_one(client, merchant, receiver):
    _add(client, merchant, url=receiver.url)
    endpoint = Endpoint.objects.get()
    address = f"/settings/webhooks/{endpoint.public_id}/"
    seen = _seen(client, address)
    assert client.post(f"{address}rotate", seen).status_code == 200
    endpoint.refresh_from_db()
    second = (endpoint.secret, endpoint.previous_secret)
    answer = client.post(f"{address}rotate", seen)
    assert (answer.status_code, "replaced meanwhile" in answer.text) == (400, True)
    endpoint.refresh_from_db()
    assert (endpoint.secret, endpoint.previous_secret) == second
