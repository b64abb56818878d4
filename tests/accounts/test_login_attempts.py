"""Passwords cannot be tried without end, neither in the portal nor in the admin."""

from types import SimpleNamespace

import pytest
from django.test import Client

from accounts import attempts

pytestmark = pytest.mark.django_db

RIGHT = "correct horse battery"
STRETCH = attempts.STRETCH_SECONDS


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that stands, one minute into a stretch."""
    now = [1000 * STRETCH + 60.0]
    monkeypatch.setattr(attempts, "time", SimpleNamespace(time=lambda: now[0]))
    return now


@pytest.fixture(autouse=True)
def _few(settings):
    settings.OTJANG_LOGIN_ATTEMPTS = 3


def _log_in(user, password=RIGHT, page="/login", address="192.0.2.1", **headers):
    client = Client(headers={"accept-language": "en", **headers}, REMOTE_ADDR=address)
    return client.post(page, {"username": user.email, "password": password})


def _exhaust(user, **options):
    for _attempt in range(3):
        assert "Too many attempts" not in _log_in(user, "wrong", **options).text


@pytest.mark.parametrize("page", ["/login", "/admin/login/"])
def test_it_refuses_even_the_right_password_after_too_many_attempts(admin, page):
    _exhaust(admin, page=page)

    response = _log_in(admin, page=page)

    assert response.status_code == 200
    assert "Too many attempts to log in. Try again in 15 minutes." in response.text
    assert "sessionid" not in response.cookies


def test_a_stranger_s_guesses_cost_the_owner_nothing_elsewhere(alice):
    _exhaust(alice, address="198.51.100.7")

    assert "Too many attempts" in _log_in(alice, address="198.51.100.7").text
    assert _log_in(alice, address="192.0.2.1").status_code == 302


def _spread(user, addresses):
    for number in range(addresses):
        for _attempt in range(3):
            _log_in(user, "wrong", address=f"198.51.100.{number}")


def test_an_account_is_not_guessed_from_many_addresses_either(alice):
    _spread(alice, 9)
    assert _log_in(alice, address="192.0.2.1").status_code == 302
    _spread(alice, 11)

    assert "Too many attempts" in _log_in(alice, address="192.0.2.1").text


def test_a_device_that_logged_in_before_goes_on(alice, bob):
    known = Client(REMOTE_ADDR="198.51.100.1")
    known.cookies["django_language"] = "en"
    right = {"username": alice.email, "password": RIGHT}
    assert known.post("/login", right).status_code == 302
    known.post("/logout")
    _spread(alice, 11)
    assert "Too many attempts" in _log_in(alice, address="198.51.100.1").text

    assert known.post("/login", right).status_code == 302

    known.post("/logout")
    for _attempt in range(3):
        known.post("/login", {**right, "password": "wrong"})
    assert "Too many attempts" in known.post("/login", right).text  # nor can it guess without end
    assert _log_in(bob, address="192.0.2.9").status_code == 302


def test_a_forged_device_is_a_stranger(alice):
    _exhaust(alice)
    client = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.1")
    for forged in ("x", "a:b:c", ""):
        client.cookies["device"] = forged
        assert "Too many attempts" in client.post("/login", {"username": alice.email, "password": RIGHT}).text


def test_the_old_password_is_not_guessed_without_end(alice, client_of):
    client = client_of(alice)
    sent = {
        "old_password": "wrong",
        "new_password1": "entirely other staples",
        "new_password2": "entirely other staples",
    }
    for _attempt in range(3):
        assert "entered incorrectly" in client.post("/password", sent).text

    assert (
        "That was too often. Try again in 15 minutes." in client.post("/password", sent | {"old_password": RIGHT}).text
    )
    assert _log_in(alice).status_code == 302  # it is counted apart


def test_it_counts_an_account_however_it_is_spelled(alice, bob):
    _exhaust(alice)
    alice.email = " ALICE@example.com"

    assert "Too many attempts" in _log_in(alice).text
    assert _log_in(bob).status_code == 302


def test_it_lets_people_try_again_later(alice, clock):
    _exhaust(alice)
    clock[0] += STRETCH

    assert _log_in(alice).status_code == 302


def test_it_begins_again_after_a_log_in(alice):
    for _day in range(3):
        _log_in(alice, "wrong")
        _log_in(alice, "")
        assert _log_in(alice).status_code == 302


def test_an_empty_password_does_not_begin_again(alice):
    _exhaust(alice)
    _log_in(alice, "")

    assert "Too many attempts" in _log_in(alice).text


def test_it_counts_addresses(alice, bob, monkeypatch):
    monkeypatch.setattr(attempts, "_PEOPLE_BEHIND_AN_ADDRESS", 1)
    _exhaust(alice)

    assert "Too many attempts" in _log_in(bob).text


def test_it_counts_the_address_that_the_proxy_saw(alice, bob, settings, monkeypatch):
    monkeypatch.setattr(attempts, "_PEOPLE_BEHIND_AN_ADDRESS", 1)
    settings.BEHIND_PROXY = True
    _exhaust(alice, **{"x-forwarded-for": "10.0.0.1, 10.0.0.2"})

    assert _log_in(bob, **{"x-forwarded-for": "10.0.0.2, 10.0.0.3"}).status_code == 302
    assert "Too many attempts" in _log_in(bob, **{"x-forwarded-for": "10.0.0.9, 10.0.0.2"}).text


def test_an_exhausted_address_locks_nobody_out(alice, bob, monkeypatch):
    monkeypatch.setattr(attempts, "_PEOPLE_BEHIND_AN_ADDRESS", 1)
    _exhaust(alice)
    for _attempt in range(4):
        assert "Too many attempts" in _log_in(bob, "wrong").text

    assert _log_in(bob, address="192.0.2.2").status_code == 302


def test_no_flood_of_other_accounts_frees_one(alice, rf):
    _exhaust(alice)
    for number in range(310):  # more than a cache holds by default
        request = rf.post("/login", REMOTE_ADDR=f"10.0.{number // 200}.{number % 200}")
        assert attempts.minutes_to_wait(request, f"{number}@example.com") == 0

    assert "Too many attempts" in _log_in(alice).text


def test_no_flood_of_calls_to_the_api_frees_an_account(alice, client):
    _exhaust(alice)
    for number in range(310):
        assert client.get("/api/v1/docs", REMOTE_ADDR=f"10.0.{number // 200}.{number % 200}").status_code == 200

    assert "Too many attempts" in _log_in(alice).text
