"""API keys: who may make and revoke them, and the command that does."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiKey, AuditEvent
from accounts.services import create_api_key, revoke_api_key
from core.errors import Forbidden, Invalid
from tests.support.api_clients import ApiClient
from tests.support.factories import MerchantFactory

pytestmark = pytest.mark.django_db


def test_an_owner_makes_a_key_and_sees_it_once(alice, actor_of, merchant):
    key, secret = create_api_key(actor=actor_of(alice), merchant=merchant, name=" till ")
    assert secret.startswith(f"{key.prefix}_")
    assert (key.name, key.key_hash, key.created_by) == ("till", ApiKey.hash(secret), alice)
    assert AuditEvent.objects.get().action == "api_key.create"
    assert ApiClient(secret).send("get", "/products").status_code == 200


def test_two_keys_are_never_the_same(alice, actor_of, merchant):
    secrets = {create_api_key(actor=actor_of(alice), merchant=merchant, name=f"till {n}")[1] for n in range(5)}
    assert len(secrets) == 5


@pytest.mark.parametrize("person", ["bob", "dana", "charlie"])
def test_nobody_else_makes_one(person, request, actor_of, merchant):
    with pytest.raises(Forbidden):
        create_api_key(actor=actor_of(request.getfixturevalue(person)), merchant=merchant, name="x")
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_key_needs_a_name(alice, actor_of, merchant):
    with pytest.raises(Invalid) as refusal:
        create_api_key(actor=actor_of(alice), merchant=merchant, name="  ")
    assert refusal.value.code == "empty_name"


def test_a_keys_name_fits_its_column(alice, actor_of, merchant):
    with pytest.raises(Invalid) as refusal:
        create_api_key(actor=actor_of(alice), merchant=merchant, name="가" * 101)
    assert refusal.value.code == "name_too_long"
    with pytest.raises(CommandError, match="The name has 101 characters; at most 100 are possible"):
        _command(merchant.public_id, "--name", "x" * 101)
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()

    key, _secret = create_api_key(actor=actor_of(alice), merchant=merchant, name=" " + "가" * 100)
    assert ApiKey.objects.get().name == key.name == "가" * 100


def test_a_revoked_key_is_useless_at_once_and_stays_in_the_history(alice, actor_of, merchant):
    key, secret = create_api_key(actor=actor_of(alice), merchant=merchant, name="x")
    client = ApiClient(secret)
    product = client.send("post", "/products", {"name": "Made by a key"}).json()
    revoke_api_key(actor=actor_of(alice), key=key)
    assert client.send("get", f"/products/{product['id']}").status_code == 401
    assert AuditEvent.objects.get(action="product.create").api_key == key
    revoke_api_key(actor=actor_of(alice), key=key)
    assert AuditEvent.objects.filter(action="api_key.revoke").count() == 1


@pytest.mark.parametrize("person", ["bob", "charlie"])
def test_nobody_else_revokes_it(person, request, actor_of, api_key):
    with pytest.raises(Forbidden):
        revoke_api_key(actor=actor_of(request.getfixturevalue(person)), key=api_key[0])
    assert ApiClient(api_key[1]).send("get", "/products").status_code == 200


def _command(*arguments):
    output, notes = io.StringIO(), io.StringIO()
    call_command("create_api_key", *arguments, stdout=output, stderr=notes)
    return output.getvalue().strip(), notes.getvalue()


def test_the_command_prints_nothing_but_the_secret(merchant):
    secret, notes = _command(merchant.name, "--name", "nightly export")
    assert ApiClient(secret).send("post", "/products", {}).status_code == 201
    assert "nightly export" in notes
    assert ApiKey.objects.get().merchant == merchant


def test_the_command_makes_a_read_only_key(merchant):
    secret, _notes = _command(merchant.public_id, "--read-only")
    assert ApiClient(secret).send("get", "/products").status_code == 200
    assert ApiClient(secret).send("post", "/products", {}).status_code == 403


def test_the_command_names_the_merchants_there_are(merchant):
    with pytest.raises(CommandError, match="Alice's merchant"):
        _command("Alices merchant")
    MerchantFactory(name=merchant.name)
    with pytest.raises(CommandError, match="identifier"):
        _command(merchant.name)
    with pytest.raises(CommandError):
        _command(merchant.public_id, "--name", " ")
    assert not ApiKey.objects.exists()


def test_the_command_takes_a_name_for_no_other_one(db):
    cafe = MerchantFactory(name="Café Mode")
    with pytest.raises(CommandError, match="no open merchant"):
        _command("CAFE MODE ")
    with pytest.raises(CommandError, match="no open merchant"):
        _command(cafe.public_id + " ")
    assert not ApiKey.objects.exists()

    MerchantFactory(name="Cafe mode")
    _command("Café Mode")
    assert ApiKey.objects.get().merchant == cafe
