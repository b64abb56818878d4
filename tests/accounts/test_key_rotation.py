"""A key gets another secret; the one before stays good for a while."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiKey, AuditEvent
from accounts.services import create_api_key, revoke_api_key, rotate_api_key
from core.errors import Conflict, Forbidden, Invalid
from tests.support.api_clients import ApiClient

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def _status(secret):
    return ApiClient(secret).send("get", "/attributes").status_code


def test_both_secrets_are_good_until_the_chosen_time(api_key, actor):
    key, old = api_key
    new = rotate_api_key(actor=actor, key=key, overlap=DAY)

    assert new != old
    assert new.startswith(f"{key.prefix}_")
    assert (_status(old), _status(new)) == (200, 200)
    key.refresh_from_db()
    assert timedelta(hours=23) < key.previous_until - timezone.now() <= DAY
    assert key.previous_used_at is not None
    assert AuditEvent.objects.get().action == "api_key.rotate"

    ApiKey.objects.filter(pk=key.pk).update(previous_until=timezone.now())
    assert (_status(old), _status(new)) == (401, 200)


def test_it_notes_the_use_of_the_old_secret_only_when_that_is_used(api_key, actor):
    key, old = api_key
    new = rotate_api_key(actor=actor, key=key, overlap=DAY)
    _status(new)
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert key.previous_used_at is None
    _status(old)
    key.refresh_from_db()
    assert key.previous_used_at is not None


def test_the_old_secret_can_end_at_once(api_key, actor):
    key, old = api_key
    new = rotate_api_key(actor=actor, key=key, overlap=timedelta())
    assert (_status(old), _status(new)) == (401, 200)


def test_a_second_rotation_ends_the_secret_from_before_the_first(api_key, actor):
    key, first = api_key
    second = rotate_api_key(actor=actor, key=key, overlap=DAY)
    third = rotate_api_key(actor=actor, key=key, overlap=DAY)
    assert [_status(secret) for secret in (first, second, third)] == [401, 200, 200]


def test_a_form_that_is_sent_twice_rotates_once(api_key, actor):
    key, old = api_key
    seen = key.rotation
    new = rotate_api_key(actor=actor, key=key, overlap=DAY, seen=seen)
    with pytest.raises(Conflict) as refusal:
        rotate_api_key(actor=actor, key=key, overlap=DAY, seen=seen)
    assert refusal.value.code == "rotated_meanwhile"
    assert (_status(old), _status(new)) == (200, 200)


def test_a_revoked_key_has_no_good_secret_and_gets_none(api_key, actor):
    key, old = api_key
    new = rotate_api_key(actor=actor, key=key, overlap=DAY)
    revoke_api_key(actor=actor, key=key)
    assert (_status(old), _status(new)) == (401, 401)
    with pytest.raises(Conflict) as refusal:
        rotate_api_key(actor=actor, key=key, overlap=DAY)
    assert refusal.value.code == "key_not_valid"


def test_an_expired_key_gets_none_either(api_key, actor):
    ApiKey.objects.update(expires_at=timezone.now())
    with pytest.raises(Conflict):
        rotate_api_key(actor=actor, key=api_key[0], overlap=DAY)


def test_the_old_secret_stays_good_for_at_most_a_month(api_key, actor):
    for overlap in (timedelta(days=31), timedelta(seconds=-1)):
        with pytest.raises(Invalid):
            rotate_api_key(actor=actor, key=api_key[0], overlap=overlap)
    assert _status(api_key[1]) == 200


@pytest.mark.parametrize("person", ["bob", "dana", "charlie"])
def test_nobody_else_rotates_it(person, request, actor_of, api_key):
    with pytest.raises(Forbidden):
        rotate_api_key(actor=actor_of(request.getfixturevalue(person)), key=api_key[0], overlap=DAY)
    assert _status(api_key[1]) == 200
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"scopes": []}, "no_scope"),
        ({"scopes": ["read", "admin"]}, "unknown_scope"),
        ({"expires_at": timezone.now() - DAY}, "expires_in_the_past"),
    ],
)
def test_it_makes_no_key_that_makes_no_sense(actor, merchant, asked, code):
    with pytest.raises(Invalid) as refusal:
        create_api_key(actor=actor, merchant=merchant, name="x", **asked)
    assert refusal.value.code == code
    assert not ApiKey.objects.exists()


def test_the_name_of_an_expired_key_is_free_again(actor, merchant):
    key, _secret = create_api_key(actor=actor, merchant=merchant, name="x")
    with pytest.raises(Conflict):
        create_api_key(actor=actor, merchant=merchant, name="x")
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    create_api_key(actor=actor, merchant=merchant, name="x")


def _command(*arguments):
    output, notes = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=output, stderr=notes)
    return output.getvalue().strip(), notes.getvalue()


def test_the_command_makes_keys_with_scopes_and_a_last_day(merchant):
    secret, notes = _command(
        "create_api_key", merchant.public_id, "--scopes", "read,classify", "--last-day", "2100-12-31"
    )
    key = ApiKey.objects.get()
    assert key.scopes == ["read", "classify"]
    assert timezone.localtime(key.expires_at).isoformat() == "2101-01-01T00:00:00+09:00"
    assert "scopes: read, classify" in notes
    assert _status(secret) == 200
    with pytest.raises(CommandError, match="no scope “fly”"):
        _command("create_api_key", merchant.public_id, "--name", "y", "--scopes", "fly")


def test_the_command_replaces_a_secret(api_key):
    key, old = api_key
    secret, _notes = _command("rotate_api_key", key.prefix, "--keep-old-hours", "0")
    assert (_status(old), _status(secret)) == (401, 200)
    with pytest.raises(CommandError, match="no key"):
        _command("rotate_api_key", "otj_zzzzzz")
