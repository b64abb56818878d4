"""A session that somebody planted is worth nothing: it is another one after each log-in, and none after the log-out."""

import pyotp
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts.ready_groups import load_groups
from tests.support.factories import in_group

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def _planted():
    """A browser whose session an attacker knows, and that session's key."""
    browser = Client()
    session = browser.session
    session["planted"] = "by an attacker"
    session.save()
    browser.cookies[site.SESSION_COOKIE_NAME] = session.session_key
    return browser, session.session_key


def _is_in(key):
    attacker = Client()
    attacker.cookies[site.SESSION_COOKIE_NAME] = key
    return attacker.get("/products/").status_code == 200


@pytest.mark.parametrize("page", ["/login", "/admin/login/"])
def test_a_log_in_begins_another_session(admin, page):
    browser, planted = _planted()
    browser.post(page, {"username": admin.email, "password": PASSWORD})

    assert browser.get("/products/").status_code == 200
    assert browser.session.session_key != planted
    assert not _is_in(planted)


def test_so_does_the_second_step(alice):
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    browser, planted = _planted()
    step = browser.post("/login", {"username": alice.email, "password": PASSWORD})
    between = browser.session.session_key
    assert not _is_in(between)
    browser.post(step.url, {"code": pyotp.TOTP(secret).now()})

    assert browser.get("/products/").status_code == 200
    assert browser.session.session_key not in {planted, between}
    assert not _is_in(planted)
    assert not _is_in(between)


def test_so_do_beginning_and_end_of_working_as_another_person(client_of, bob):
    load_groups()
    browser = client_of(in_group("Support"))
    keys = [browser.session.session_key]
    for path, sent in (("hijack:acquire", {"user_pk": bob.pk}), ("hijack:release", {})):
        browser.post(reverse(path), sent)
        keys.append(browser.session.session_key)
    assert len(set(keys)) == 3
    assert not _is_in(keys[0])
    assert not _is_in(keys[1])


def test_an_unknown_session_is_not_taken_over(alice):
    browser = Client()
    browser.cookies[site.SESSION_COOKIE_NAME] = "chosenbytheattacker0123456789ab"
    browser.post("/login", {"username": alice.email, "password": PASSWORD})
    assert browser.session.session_key != "chosenbytheattacker0123456789ab"


def test_a_log_out_leaves_nothing(alice):
    browser = Client()
    browser.post("/login", {"username": alice.email, "password": PASSWORD})
    key = browser.session.session_key
    assert _is_in(key)
    browser.post("/logout")
    assert not _is_in(key)
    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.parametrize("https", [False, True])
def test_cookies_are_the_browser_s_alone(alice, settings, https):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = https
    browser = Client()
    browser.get("/login")
    browser.post("/login", {"username": alice.email, "password": PASSWORD})
    for name in ("sessionid", "device"):
        cookie = browser.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], bool(cookie["secure"])) == (True, "Lax", https)
        assert cookie["domain"] == ""
    assert (browser.cookies["csrftoken"]["samesite"], bool(browser.cookies["csrftoken"]["secure"])) == ("Lax", https)
