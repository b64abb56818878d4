"""Owners make and revoke their merchant's API keys in the portal."""

import re

import pytest

from accounts.models import ApiKey, AuditEvent
from tests.support.api_clients import ApiClient

pytestmark = pytest.mark.django_db


def _path(merchant, *rest):
    return "/".join((f"/merchants/{merchant.public_id}/keys", *map(str, rest)))


def _secret(page):
    return re.search(r'<code class="secret">(\w+)</code>', page)[1]


def test_an_owner_makes_a_key_that_is_shown_once(client_of, alice, merchant):
    client = client_of(alice)
    answer = client.post(_path(merchant), {"name": " till ", "read_only": "on"})

    secret = _secret(answer.text)
    key = ApiKey.objects.get()
    assert (key.name, key.read_only, key.merchant, key.created_by) == ("till", True, merchant, alice)
    assert ApiClient(secret).send("get", "/products").status_code == 200
    settings = client.get(f"/merchants/{merchant.public_id}/settings").text
    assert "till" in settings
    assert secret not in settings
    event = AuditEvent.objects.get(action="api_key.create")
    assert (event.user, event.channel) == (alice, "portal")


def test_the_same_form_sent_again_makes_no_second_key(client_of, alice, merchant):
    client = client_of(alice)
    client.post(_path(merchant), {"name": "till"})
    answer = client.post(_path(merchant), {"name": "till"})
    assert answer.status_code == 400
    assert "There is a valid key of this name already." in answer.text
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "sentence"), [(" ", "Give the key a name"), ("x" * 101, "The name has 101 characters; at most 100")]
)
def test_it_says_what_is_wrong_with_a_name(client_of, alice, merchant, name, sentence):
    answer = client_of(alice).post(_path(merchant), {"name": name})
    assert answer.status_code == 400
    assert sentence in answer.text
    assert not ApiKey.objects.exists()


def test_an_owner_revokes_a_key(client_of, alice, merchant, api_key):
    key, secret = api_key
    answer = client_of(alice).post(_path(merchant, key.pk, "revoke"), follow=True)
    assert "The key “till” opens nothing any more." in answer.text
    assert ApiClient(secret).send("get", "/products").status_code == 401
    again = client_of(alice).post(_path(merchant), {"name": key.name})
    assert _secret(again.text) != secret


def test_nobody_else_makes_or_revokes_keys(client_of, bob, dana, charlie, alice, merchant, other_merchant, api_key):
    key = api_key[0]
    for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
        assert client_of(person).post(_path(merchant), {"name": "mine"}).status_code == status
        assert client_of(person).post(_path(merchant, key.pk, "revoke")).status_code == status
    assert client_of(charlie).post(_path(other_merchant, key.pk, "revoke")).status_code == 404
    assert ApiKey.objects.get().revoked_at is None
