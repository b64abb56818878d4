"""Who may call which operation of the API: every one of the schema, by everybody, with their own ids and others'."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from accounts.actors import Actor
from accounts.channels import Channel
from accounts.models import ApiKey
from tests.support.access_table import TABLE
from tests.support.access_world import World
from tests.support.address_world import personas
from tests.support.api_clients import ApiClient
from tests.support.everything import everything, taken_back
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

NOBODY = ("no key", "wrong key", "expired key", "revoked key")
STAFF = ("staff", "support", "superuser")  # who belong to no merchant
SINGLE_SCOPES = ("read", "write", "classify")


def _operations():
    """By id: the method, the path and the scope that the schema names (None where nobody needs a key)."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            keys = [one["apiKey"] for one in operation.get("security", []) if "apiKey" in one]
            assert operation["operationId"] not in found, operation["operationId"]
            found[operation["operationId"]] = (method, path, keys[0][0] if keys else None)
    return found


@pytest.fixture(scope="session")
def operations():
    return _operations()


def _key(merchant, scopes=SINGLE_SCOPES, **fields):
    secret, prefix, key_hash = ApiKey.generate()
    may = {f"may_{scope}": scope in scopes for scope in SINGLE_SCOPES}
    key = ApiKey.objects.create(merchant=merchant, name="walk", prefix=prefix, key_hash=key_hash, **may, **fields)
    return key, secret


def _client(merchant, scopes=SINGLE_SCOPES, **fields):
    return ApiClient(_key(merchant, scopes, **fields)[1])


@pytest.fixture
def callers(merchant, other_merchant, alice, bob, dana, charlie, admin, client_of):
    """Everybody who may come, by what they are: keys, and the personas of the table of addresses by their session."""
    past = timezone.now() - timedelta(days=1)
    people = {"outsider": charlie, "viewer": dana, "editor": bob, "owner": alice, "superuser": admin}
    browsers = personas(client_of, ApiClient(), **people)
    browsers["no key"] = browsers.pop("anonymous")
    return {
        "wrong key": ApiClient(f"otj_000000_{'0' * 40}"),
        "expired key": _client(merchant, expires_at=past),
        "revoked key": _client(merchant, revoked_at=past),
        **{scope: _client(merchant, (scope,)) for scope in SINGLE_SCOPES},
        "other merchant": _client(other_merchant),
        **browsers,
    }


@pytest.fixture
def world(merchant, product, monkeypatch):
    """What the merchant has, by the names that addresses have for it."""
    serve(monkeypatch, StubEngine(garment("Jacket")))
    actor = Actor(channel=Channel.API, api_key=_key(merchant)[0], merchant=merchant)
    return World(actor, product)


def _address(path, row, world):
    return re.sub(r"{(\w+)}", lambda name: str(world[row.ids.get(name[1], name[1])]), path) + row.query


def _answer(client, method, address, row, world):
    if row.form is not None:
        return client.post(address, row.form(world), headers=row.headers)
    body = row.body(world) if callable(row.body) else row.body
    sent = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(address, headers=row.headers, **sent)


def _expected(caller, row, path):
    """What the caller must be answered."""
    if row.scope == "open":
        return row.ok
    if caller in NOBODY:
        return 401
    if caller in SINGLE_SCOPES:
        return row.ok if caller == row.scope else 403
    if caller in {"viewer", "editor"} and row.owner_only:
        return 403
    of_a_merchant = "{" in path and not row.shared
    if caller in {"other merchant", "outsider"}:
        return row.foreign or (404 if of_a_merchant else row.ok)
    if caller in STAFF:
        if row.scope != "read" or row.needs_merchant:
            return 403
        return 404 if of_a_merchant else row.ok
    if caller == "impersonated" and row.own:
        return 403
    if caller == "viewer":
        return row.ok if row.scope == "read" else 403
    return row.editor or row.ok if caller == "editor" else row.ok


def test_every_operation_of_the_schema_has_a_row(operations):
    assert set(operations) - set(TABLE) == set(), "say in tests/support/access_table.py who may call them"
    assert set(TABLE) - set(operations) == set(), "the schema has no such operations (any more)"


def test_the_schema_names_the_scopes(operations):
    named = {name: scope or "open" for name, (_method, _path, scope) in operations.items()}
    assert named == {name: row.scope for name, row in TABLE.items()}


@pytest.mark.parametrize("name", sorted(TABLE))
def test_it_answers_everybody_as_the_table_says(name, operations, world, callers):
    method, path, _scope = operations[name]
    row = TABLE[name]
    world.show_image()
    address = _address(path, row, world)
    row.prepare(world)
    address = _address(path, row, world)
    expected = {caller: _expected(caller, row, path) for caller in callers}
    before = everything()
    statuses = {}
    # First those who are refused: nothing may have changed after all of them.
    for caller in sorted(callers, key=lambda one: expected[one] < 400):
        if expected[caller] >= 400:
            statuses[caller] = _answer(callers[caller], method, address, row, world).status_code
            continue
        if before is not None:
            assert everything() == before
            before = None
        with taken_back():
            statuses[caller] = _answer(callers[caller], method, address, row, world).status_code
    assert statuses == expected
