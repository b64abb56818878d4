"""A code of an app, a recovery code or a passkey after the password: asked for at every log-in, wherever it is."""

import re

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts import attempts

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def _browser(**headers):
    client = Client(headers=headers)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def secret(alice):
    """Alice has an app for codes, and recovery codes."""
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


def _log_in(client, user, **more):
    return client.post("/login", {"username": user.email, "password": PASSWORD, **more})


def _logged_in(client):
    return client.get("/").status_code == 200


def test_a_person_sets_up_an_app_and_is_asked_from_then_on(alice):
    client = _browser()
    _log_in(client, alice)
    asked = client.get("/settings/security/totp/activate/")
    page = client.post(asked.url, {"password": PASSWORD}, follow=True)
    secret = re.search(r'<code class="secret">(\w+)</code>', page.text)[1]
    wrong = client.post("/settings/security/totp/activate/", {"code": "000000"})
    assert "This code is not right" in wrong.text
    codes = client.post("/settings/security/totp/activate/", {"code": pyotp.TOTP(secret).now()}, follow=True)
    assert "Recovery codes" in codes.text
    client.post("/logout")

    step = _log_in(client, alice, next="/products/")

    assert step.url == "/settings/security/authenticate/"
    assert not _logged_in(client)
    assert "Type the code that your app shows" in client.get(step.url).text


def test_the_code_of_the_app_or_a_recovery_code_lets_in(alice, secret):
    for code in (
        pyotp.TOTP(secret).now(),
        Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0],
    ):
        client = _browser()
        step = _log_in(client, alice, next="/products/")
        answer = client.post(step.url, {"code": code})
        assert answer.url == "/products/"
        assert _logged_in(client)


def test_codes_cannot_be_guessed_without_end(alice, secret, settings):
    settings.OTJANG_LOGIN_ATTEMPTS = 3
    client = _browser()
    step = _log_in(client, alice)
    for _attempt in range(3):
        assert "This code is not right" in client.post(step.url, {"code": "000000"}).text

    assert "That was too often." in client.post(step.url, {"code": pyotp.TOTP(secret).now()}).text
    assert not _logged_in(client)


def test_the_dialog_in_a_page_leads_to_the_second_step(alice, secret):
    client = _browser(accept="application/json")
    answer = _log_in(client, alice)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_step")
    step = answer.json()["location"]

    done = client.post(step, {"code": pyotp.TOTP(secret).now()}, headers={"accept": "text/html"}, follow=True)

    assert "Close this tab and go on" in done.text
    assert client.get("/login").json()["page_of"]


def test_the_admin_s_own_page_is_no_way_around_it(admin):
    TOTP.activate(admin, pyotp.random_base32())
    client = _browser()

    answer = _log_in_at_admin(client, admin)

    assert "This account has a second step." in answer.text
    assert "/login?next=/admin/" in answer.text
    assert client.get("/admin/").status_code == 302


def _log_in_at_admin(client, user):
    return client.post("/admin/login/", {"username": user.email, "password": PASSWORD})


def test_changing_it_asks_for_the_password_again(alice, client_of, settings):
    settings.OTJANG_LOGIN_ATTEMPTS = 2
    client = client_of(alice)
    asked = client.get("/settings/security/totp/activate/")
    assert asked.url.startswith("/settings/password-again")
    assert re.search(r'<input[^>]* autofocus[^>]* id="id_password"', client.get(asked.url).text)
    for _attempt in range(2):
        assert "This is not your password." in client.post(asked.url, {"password": "wrong"}).text
    assert "That was too often." in client.post(asked.url, {"password": PASSWORD}).text
    for key in ("email", "devices"):
        assert client.get(f"/settings/{key}").status_code in {200, 302}


def test_sessions_are_listed_and_ended(alice):
    here, there = _browser(), _browser(**{"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537"})
    for client in (here, there):
        _log_in(client, alice)
    page = here.get("/settings/devices").text
    assert "Chrome, Windows" in page
    assert "this device" in page
    session = UserSession.objects.get(session_key=there.session.session_key)

    here.post(f"/settings/devices/{session.pk}/end")

    assert not _logged_in(there)
    assert _logged_in(here)
    _log_in(there, alice)
    here.post("/settings/devices")
    assert not _logged_in(there)
    assert _logged_in(here)


def test_nobody_ends_another_person_s_session(alice, bob, client_of):
    client = _browser()
    _log_in(client, alice)
    session = UserSession.objects.get(user=alice)
    assert client_of(bob).post(f"/settings/devices/{session.pk}/end").status_code == 404
    assert _logged_in(client)


def test_a_session_from_before_is_listed_too(alice, client_of):
    client = client_of(alice)
    UserSession.objects.all().delete()
    assert "this device" in client.get("/settings/devices").text


def test_addresses_behind_a_proxy(alice, settings):
    settings.BEHIND_PROXY = True
    client = _browser(**{"x-forwarded-for": "10.0.0.1, 192.0.2.77"})
    _log_in(client, alice)
    assert UserSession.objects.get().ip == "192.0.2.77"
    assert attempts.address_of(client.get("/").wsgi_request) == "192.0.2.77"
