"""Webhooks in the API: keys and owners manage them, see what was sent, and have it sent again."""

import pytest
from django.test import Client
from standardwebhooks.webhooks import Webhook

from accounts.models import Membership
from tests.support.api_clients import ApiClient, error_of
from tests.support.webhook_endpoints import deliver
from webhooks.models import Endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def added(api, receiver):
    """A webhook as the API shows it when it is added."""
    answer = api.send("post", "/webhooks", {"url": f"{receiver.url}/hook", "events": ["product.published"]})
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/api/v1/webhooks/{answer.json()['id']}")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json()


def test_a_webhook_from_adding_to_deleting(api, added):
    path = f"/webhooks/{added['id']}"
    assert added["secret"].startswith("whsec_")
    shown = api.send("get", path).json()
    assert "secret" not in shown
    assert (shown["events"], shown["active"], shown["off_reason"]) == (["product.published"], True, "")
    assert [one["id"] for one in api.send("get", "/webhooks").json()["results"]] == [added["id"]]

    changed = api.send("patch", path, {"events": [], "description": "till", "active": False}).json()
    assert (changed["events"], changed["active"], changed["off_reason"]) == ([], False, "person")
    assert error_of(api.send("post", f"{path}/test")) == "endpoint_off"
    assert api.send("patch", path, {"active": True}).json()["off_reason"] == ""
    assert api.send("delete", path).status_code == 204
    assert api.send("get", path).status_code == 404


def test_a_test_event_is_listed_with_its_answer_and_replayed(api, added, receiver):
    path = f"/webhooks/{added['id']}"
    sent = api.send("post", f"{path}/test")
    assert sent.status_code == 202
    assert deliver() == 1
    (call,) = receiver.calls
    Webhook(added["secret"]).verify(call.body, call.headers)

    (listed,) = api.send("get", f"{path}/deliveries?state=delivered").json()["results"]
    assert (listed["state"], listed["answers"][0]["status"]) == ("delivered", 204)
    assert listed["answers"][0]["at"] == listed["finished_at"]
    assert listed["event"]["id"] == call.headers["webhook-id"]
    one = api.get(sent.headers["Location"]).json()
    assert one["body"]["type"] == "webhook.test"
    assert api.send("get", f"{path}/deliveries?state=failed").json()["results"] == []
    assert api.send("get", f"{path}/deliveries?colour=red").status_code == 400

    again = api.send("post", f"{path}/deliveries/{listed['id']}/replay")
    assert (again.status_code, again.json()["state"]) == (202, "pending")
    assert deliver() == 1


def test_rotation_with_and_without_a_body(api, added):
    path = f"/webhooks/{added['id']}"
    rotated = api.send("post", f"{path}/rotate")
    assert rotated.status_code == 200
    assert rotated.headers["Cache-Control"] == "no-store"
    assert rotated.json()["secret"] != added["secret"]
    assert rotated.json()["previous_secret_until"]
    assert api.send("post", f"{path}/rotate", {"overlap_hours": 0}).json()["previous_secret_until"] is None
    assert api.send("post", f"{path}/rotate", {"overlap_hours": 1000}).status_code == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "ftp://example.com"}, "url_invalid"),
        ({"url": "http://169.254.169.254/"}, "url_forbidden"),
        ({"url": "https://a:b@example.com"}, "url_credentials"),
        ({"url": "https://example.com", "events": ["product.eaten"]}, "invalid_choice"),
        ({"url": "https://example.com", "colour": "red"}, "unknown_field"),
        ({}, "required"),
    ],
)
def test_it_says_what_is_wrong(api, body, code):
    answer = api.send("post", "/webhooks", body)
    assert (answer.status_code, error_of(answer)) == (400, code)
    assert not Endpoint.objects.exists()


def test_it_names_the_field_of_a_refused_address(api, added):
    for answer in (
        api.send("post", "/webhooks", {"url": "http://10.0.0.1/"}),
        api.send("patch", f"/webhooks/{added['id']}", {"url": "http://10.0.0.1/"}),
    ):
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [("/url", "url_forbidden")]


def test_others_see_and_change_nothing(api, added, client_of, alice, bob, dana, charlie):
    path = f"/api/v1/webhooks/{added['id']}"
    for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
        client = client_of(person)
        for answer in (
            client.get(path),
            client.patch(path, {"active": False}, content_type="application/json"),
            client.delete(path),
            client.post(f"{path}/rotate"),
            client.post(f"{path}/test"),
            client.get(f"{path}/deliveries"),
        ):
            assert answer.status_code == status
    assert client_of(alice).get(path).status_code == 200
    assert Client().get(path).status_code == 401
    assert Endpoint.objects.get().is_active


def test_a_key_that_only_reads_changes_nothing(read_only_key, added):
    reader = ApiClient(read_only_key[1])
    path = f"/webhooks/{added['id']}"
    assert reader.send("get", path).status_code == 200
    for method, address, body in (
        ("post", "/webhooks", {"url": "https://example.com"}),
        ("patch", path, {"active": False}),
        ("delete", path, None),
        ("post", f"{path}/test", None),
        ("post", f"{path}/rotate", None),
    ):
        assert reader.send(method, address, body).status_code == 403
    assert Endpoint.objects.get().is_active


def test_lists_cost_the_same_whatever_they_hold(api, added, django_assert_max_num_queries):
    path = f"/webhooks/{added['id']}"
    for _number in range(5):
        api.send("post", f"{path}/test")
    with django_assert_max_num_queries(5):
        assert len(api.send("get", f"{path}/deliveries").json()["results"]) == 5


def test_who_owns_the_shop_no_more_is_told_no_secret_again(alice, merchant, client_of, receiver):
    owner = client_of(alice)

    def sent(path, body):
        headers = {"Idempotency-Key": f"once{path}"}
        return owner.post(f"/api/v1/webhooks{path}", body, content_type="application/json", headers=headers)

    added = sent("", {"url": f"{receiver.url}/hook"})
    rotate = f"/{added.json()['id']}/rotate"
    rotated = sent(rotate, {})
    assert (added.status_code, rotated.status_code) == (201, 200)
    assert sent("", {"url": f"{receiver.url}/hook"}).json() == added.json()

    Membership.objects.filter(user=alice, merchant=merchant).update(role=Membership.Role.EDITOR)
    for again in (sent("", {"url": f"{receiver.url}/hook"}), sent(rotate, {})):
        assert (again.status_code, error_of(again)) == (403, "forbidden")
        assert "whsec_" not in again.content.decode()
