"""Addresses that let in whoever has them, and what people type: the log has them nowhere."""

import io
import logging
import time

import pytest
from django.test import Client

from accounts.services import members
from core import logs

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture(params=[logs.Lines, logs.JsonLines])
def written(request, settings):
    """What the site's loggers write, as people and as programs read it."""
    settings.ACCESS_LOG = True
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(request.param())
    loggers = [logging.getLogger(name) for name in ("", "otjang", "django", "accounts", "core", "webhooks")]
    for logger in loggers:
        logger.addHandler(handler)
    yield output.getvalue
    for logger in loggers:
        logger.removeHandler(handler)


def test_an_invitation_is_not_there(client, written, actor, merchant):
    _invitation, secret = members.invite(actor=actor, merchant=merchant, email="kim@shop.example", role="viewer")

    assert client.get(f"/join/{secret}").status_code == 200
    assert client.get(f"/join/{secret}x").status_code in {200, 404, 410}

    assert "/join/[hidden]" in written()
    assert secret not in written()


@pytest.mark.parametrize("link", ["/confirm-email/{}", "/password/reset/1-{}"])
def test_links_of_mails_are_not_there(client, written, link):
    secret = "Mg:1abcde-secret_of-the-mail"
    client.get(link.format(secret))
    client.post(link.format(secret))
    assert "[hidden]" in written()
    assert "secret_of" not in written()


def test_what_is_typed_is_not_there(client, written, alice):
    browser = Client()
    for password in ("not-the-right-one", PASSWORD):
        browser.post("/login", {"username": alice.email, "password": password})
    browser.post("/password", {"old_password": "not-the-right-one", "new_password1": "brand new staple"})
    browser.post("/join/no-such-invitation", {"password": "brand new staple"})
    for typed in ("not-the-right-one", PASSWORD, "brand new staple", alice.email, browser.session.session_key):
        assert typed not in written()


def test_keys_and_secrets_that_are_shown_once_are_not_there(client_of, written, alice, merchant):
    browser = client_of(alice)
    page = f"/merchants/{merchant.public_id}"
    key = browser.post(f"{page}/keys", {"name": "Till", "scopes": ["read"]}).context["secret"]
    hook = browser.post(f"{page}/webhooks", {"url": "https://shop.example/hook"}).context["secret"]
    browser.get("/api/v1/products", headers={"authorization": f"Bearer {key}x"})
    for secret in (key, hook):
        assert len(secret) > 20
        assert secret not in written()
        logging.getLogger("core").warning("shown %s", secret)
        assert secret not in written()


@pytest.mark.parametrize(
    "text", ["a" * 100_000, "kim@" + "b" * 100_000, "k" * 50_000 + "@" + "b" * 50_000, "a." * 50_000]
)
def test_long_words_do_not_keep_the_process_busy(text):
    """A path may be a quarter of a megabyte long, and a stranger's: it must not take minutes to look through."""
    began = time.process_time()
    assert logs.hidden(text) == text
    assert time.process_time() - began < 5  # a hundredth of that; with a look at each rest of the word, a minute


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail to kim@shop.example.", "mail to [hidden]."),
        ("kim@shop.example,lee@shop.example", "[hidden],[hidden]"),
        ("kim@shop.example+lee@shop.example", "[hidden]"),
        ("kim@shop.example@lee.shop.example", "[hidden]"),
        ("worker@host is no address", "worker@host is no address"),
    ],
)
def test_addresses_of_people_are_not_there_wherever_they_stand(text, shown):
    assert logs.hidden(text) == shown
