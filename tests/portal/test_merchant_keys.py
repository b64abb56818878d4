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
    answer = client.post(_path(merchant), {"name": " till ", "scopes": ["read"]})

    secret = _secret(answer.text)
    key = ApiKey.objects.get()
    assert (key.name, key.scopes, key.merchant, key.created_by) == ("till", ["read"], merchant, alice)
    assert ApiClient(secret).send("get", "/products").status_code == 200
    settings = client.get(f"/merchants/{merchant.public_id}/settings").text
    assert "till" in settings
    assert secret not in settings
    event = AuditEvent.objects.get(action="api_key.create")
    assert (event.user, event.channel) == (alice, "portal")


def test_the_same_form_sent_again_makes_no_second_key(client_of, alice, merchant):
    client = client_of(alice)
    client.post(_path(merchant), {"name": "till", "scopes": ["read", "write"]})
    answer = client.post(_path(merchant), {"name": "till", "scopes": ["read", "write"]})
    assert answer.status_code == 400
    assert "There is a valid key of this name already." in answer.text
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "sentence"), [(" ", "Give the key a name"), ("x" * 101, "The name has 101 characters; at most 100")]
)
def test_it_says_what_is_wrong_with_a_name(client_of, alice, merchant, name, sentence):
    answer = client_of(alice).post(_path(merchant), {"name": name, "scopes": ["read"]})
    assert answer.status_code == 400
    assert sentence in answer.text
    assert not ApiKey.objects.exists()


def test_an_owner_revokes_a_key(client_of, alice, merchant, api_key):
    key, secret = api_key
    answer = client_of(alice).post(_path(merchant, key.pk, "revoke"), follow=True)
    assert "The key “till” opens nothing any more." in answer.text
    assert ApiClient(secret).send("get", "/products").status_code == 401
    again = client_of(alice).post(_path(merchant), {"name": key.name, "scopes": ["read"]})
    assert _secret(again.text) != secret


def test_nobody_else_makes_or_revokes_keys(client_of, bob, dana, charlie, alice, merchant, other_merchant, api_key):
    key = api_key[0]
    for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
        assert client_of(person).post(_path(merchant), {"name": "mine", "scopes": ["read"]}).status_code == status
        assert client_of(person).post(_path(merchant, key.pk, "revoke")).status_code == status
    assert client_of(charlie).post(_path(other_merchant, key.pk, "revoke")).status_code == 404
    assert ApiKey.objects.get().revoked_at is None


def test_an_owner_chooses_what_a_key_may_and_how_long(client_of, alice, merchant):
    client = client_of(alice)
    client.post(_path(merchant), {"name": "feed", "scopes": ["write"], "last_day": "2100-12-31"})
    key = ApiKey.objects.get()
    assert key.scopes == ["write"]
    assert key.expires_at.isoformat() == "2100-12-31T15:00:00+00:00"  # midnight in Seoul

    for wrong in ({"last_day": "2020-01-01", "scopes": ["read"]}, {"last_day": "soon", "scopes": ["read"]}, {}):
        answer = client.post(_path(merchant), {"name": "other", **wrong})
        assert answer.status_code == 400
        assert 'class="refusal"' in answer.text
        assert 'value="other"' in answer.text
    assert ApiKey.objects.count() == 1


def test_an_owner_replaces_a_secret_once_however_often_the_form_is_sent(client_of, alice, merchant, api_key):
    key, old = api_key
    client = client_of(alice)
    form = {"overlap": "24", "seen": key.rotation}
    answer = client.post(_path(merchant, key.pk, "rotate"), form)
    new = _secret(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    again = client.post(_path(merchant, key.pk, "rotate"), form)
    assert again.status_code == 409
    assert "replaced meanwhile" in again.text
    for secret in (old, new):
        assert ApiClient(secret).send("get", "/products").status_code == 200
    assert "The old secret is good until" in client.get(f"/merchants/{merchant.public_id}/settings").text
    assert client.post(_path(merchant, key.pk, "rotate"), {"overlap": "7", "seen": "0"}).status_code == 400


def test_nobody_else_replaces_a_secret(client_of, bob, dana, charlie, merchant, other_merchant, api_key):
    form = {"overlap": "0", "seen": api_key[0].rotation}
    for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
        assert client_of(person).post(_path(merchant, api_key[0].pk, "rotate"), form).status_code == status
    assert client_of(charlie).post(_path(other_merchant, api_key[0].pk, "rotate"), form).status_code == 404
    assert ApiClient(api_key[1]).send("get", "/products").status_code == 200


def test_no_cache_keeps_the_page_with_a_secret(client_of, alice, merchant):
    answer = client_of(alice).post(_path(merchant), {"name": "till", "scopes": ["read"]})
    assert answer.headers["Cache-Control"] == "no-store"
