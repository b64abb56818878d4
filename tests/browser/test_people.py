"""Inviting, joining, codes, passkeys, a forgotten password, lock-out and erasing, with a browser and a mail server."""

import re

import pyotp
import pytest
from allauth.mfa.totp.internal.auth import TOTP
from playwright.sync_api import expect

from accounts import attempts
from accounts.models import User
from tests.support.mail_servers import mail_server

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD, OTHER = "correct horse battery", "entirely other staples"


@pytest.fixture
def mailbox(settings):
    with mail_server(settings) as mailbox:
        yield mailbox


def _log_in(page, email, password):
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def _log_out(page):
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_role("heading", name="Log in", exact=True)).to_be_visible()


def test_an_invitation_is_followed_codes_are_set_up_and_asked_for(page_of, mailbox, alice):
    page = page_of(alice)
    page.goto("/settings/members/")
    page.get_by_label("E-mail of a new member").fill("nina@example.com")
    page.get_by_role("button", name="Invite by mail").click()
    expect(page.get_by_text("The invitation is on its way")).to_be_visible()
    link = mailbox.link_to("nina@example.com", "/join/")

    page.context.clear_cookies(name="sessionid")
    page.goto(link)
    page.get_by_label("Your name").fill("Nina")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome to Alice's merchant.")).to_be_visible()

    page.goto("/settings/security/")
    page.get_by_role("link", name="Set up an app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Switch on").click()
    recovery = page.locator(".codes code").first.inner_text()
    _log_out(page)

    _log_in(page, "nina@example.com", PASSWORD)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.locator("details.menu > summary")).to_be_visible()


@pytest.mark.failing_requests
def test_the_dialog_in_a_page_goes_on_after_the_second_step(page_of, alice):
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    page = page_of(alice)
    page.goto("/settings/account")
    page.get_by_label("Name").fill("Alice the Second")
    page.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in and go on").click()
    with page.context.expect_page() as opened:
        dialog.get_by_role("link", name="To the second step").click()
    step = opened.value
    step.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    step.get_by_role("button", name="Log in", exact=True).click()
    expect(step.get_by_role("heading", name="You are logged in")).to_be_visible()
    step.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")

    expect(page.get_by_text("Saved.")).to_be_visible()
    alice.refresh_from_db()
    assert alice.name == "Alice the Second"


def test_a_passkey_is_added_and_logs_in_alone(page_of, alice):
    page = page_of(alice)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto("/settings/security/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Log in with it alone").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    _log_out(page)

    page.get_by_role("button", name="Log in with a passkey").click()

    expect(page.locator("details.menu > summary")).to_be_visible()


def test_a_forgotten_password_is_set_by_mail(page, mailbox, alice):
    User.objects.update(language="en")
    page.goto("/login")
    page.get_by_role("link", name="Forgotten password").click()
    page.get_by_label("E-mail").fill("alice@example.com")
    page.get_by_role("button", name="Send the mail").click()
    page.goto(mailbox.link_to("alice@example.com", "/password/reset/"))
    page.get_by_label("New password", exact=False).first.fill(OTHER)
    page.get_by_label("again").fill(OTHER)
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_text("You are logged out everywhere.")).to_be_visible()

    _log_in(page, "alice@example.com", OTHER)

    expect(page.locator("details.menu > summary")).to_be_visible()


def test_a_stranger_is_locked_out_and_a_known_device_goes_on(page, live_server, alice, settings, monkeypatch):
    settings.OTJANG_LOGIN_ATTEMPTS = 2
    User.objects.update(language="en")
    monkeypatch.setattr(attempts, "address_of", lambda request: "198.51.100.1")
    _log_in(page, alice.email, PASSWORD)
    _log_out(page)
    stranger = page.context.browser.new_context(base_url=live_server.url, locale="en").new_page()
    for _attempt in range(2):
        _log_in(stranger, alice.email, "wrong")
        expect(stranger.get_by_text("No account has this e-mail and password.")).to_be_visible()
    _log_in(stranger, alice.email, PASSWORD)
    expect(stranger.get_by_text("Too many attempts to log in.")).to_be_visible()

    _log_in(page, alice.email, PASSWORD)

    expect(page.locator("details.menu > summary")).to_be_visible()


def test_a_person_is_erased(page_of, bob, alice):
    page = page_of(bob)
    page.goto("/settings/my-data")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Erase my account for good").click()
    expect(page.get_by_text("Your account is erased.")).to_be_visible()

    _log_in(page, "bob@example.com", PASSWORD)

    expect(page.get_by_text("No account has this e-mail and password.")).to_be_visible()
    assert re.fullmatch(r"erased person \d+", str(User.objects.get(pk=bob.pk)))
