"""A forgotten password, another e-mail, and opening a shop: by links in mails."""

import pytest
from django.core import mail
from django.test import Client

from accounts.models import AuditEvent, Merchant, User
from core.text import lookup_key
from tests.support.factories import UserFactory
from tests.support.mails import link_in

pytestmark = pytest.mark.django_db

OLD, NEW = "correct horse battery", "entirely other staples"


def _browser():
    return Client(headers={"accept-language": "en"})


def _logs_in(email, password):
    return _browser().post("/login", {"username": email, "password": password}).status_code == 302


@pytest.mark.parametrize("spelled", ["alice@example.com", " ALICE@example.com"])
def test_a_forgotten_password_is_set_by_a_link(alice, spelled):
    client = _browser()
    logged_in = _browser()
    logged_in.post("/login", {"username": alice.email, "password": OLD})

    assert "If there is an account" in client.post("/password/reset", {"email": spelled}, follow=True).text
    (sent,) = mail.outbox
    assert (sent.to, "비밀번호" in sent.body or "password" in sent.body) == (["alice@example.com"], True)
    form = client.get(link_in(sent), follow=True)
    address = form.redirect_chain[-1][0]
    wrong = client.post(address, {"password1": "12345678", "password2": "12345678"})
    assert wrong.status_code == 200
    done = client.post(address, {"password1": NEW, "password2": NEW}, follow=True)

    assert "You are logged out everywhere." in done.text
    assert _logs_in(alice.email, NEW)
    assert not _logs_in(alice.email, OLD)
    assert logged_in.get("/").status_code == 302
    assert AuditEvent.objects.filter(action="user.password", user=alice).count() == 1
    assert len(mail.outbox) == 2  # the owner is told
    assert "not good any more" in _browser().get(link_in(sent), follow=True).text


def test_it_writes_to_nobody_who_has_no_account(alice):
    answer = _browser().post("/password/reset", {"email": "nobody@example.com"}, follow=True)
    assert "If there is an account" in answer.text
    alice.is_active = False
    alice.save()
    _browser().post("/password/reset", {"email": alice.email})
    assert not mail.outbox


def test_an_e_mail_in_capitals_gets_its_mail_where_it_is(db):
    UserFactory(email="Nina@Example.com")
    _browser().post("/password/reset", {"email": "nina@example.com"})
    assert mail.outbox[0].to == ["Nina@Example.com"]


def _change_email(client, email):
    asked = client.get("/settings/email", follow=True)
    client.post(asked.redirect_chain[-1][0], {"password": OLD})
    return client.post("/settings/email", {"email": email, "action_add": ""}, follow=True)


def test_another_e_mail_counts_once_it_is_confirmed(alice, client_of):
    client = client_of(alice)
    answer = _change_email(client, "Alice@other.example")
    assert "is not confirmed yet" in answer.text
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    link = link_in(mail.outbox[0])

    client.post(link)

    alice.refresh_from_db()
    assert (alice.email, alice.email_key) == ("alice@other.example", lookup_key("alice@other.example"))
    assert _logs_in("alice@other.example", OLD)
    assert [one.email for one in alice.emailaddress_set.all()] == ["alice@other.example"]


def test_nobody_takes_another_person_s_e_mail(alice, bob, client_of):
    assert "Somebody has this e-mail already." in _change_email(client_of(alice), "BOB@example.com").text
    assert not mail.outbox
    client = client_of(alice)
    _change_email(client, "new@example.com")
    link = link_in(mail.outbox[0])
    UserFactory(email="NEW@example.com")
    client.post(link)
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_shops_are_not_opened_by_strangers_unless_a_setting_says_so(db):
    assert "Shops are opened by the marketplace" in _browser().get("/sign-up").text
    _browser().post("/sign-up", {"email": "n@example.com", "name": "N", "merchant": "S", "password1": NEW})
    assert not User.objects.exists()
    assert "/sign-up" not in _browser().get("/login").text


def test_a_stranger_opens_a_shop_and_confirms(settings, alice):
    settings.OTJANG_SIGN_UP = True
    type(alice).objects.filter(pk=alice.pk).update(language="en")
    client = _browser()
    assert "/sign-up" in client.get("/login").text
    sent = {"email": "nina@example.com", "name": "Nina", "merchant": "Nina's", "password1": NEW}
    answer = client.post("/sign-up", sent, follow=True)
    assert "Look into your mails" in answer.text
    assert client.get("/").status_code == 302
    still = client.post("/login", {"username": "nina@example.com", "password": NEW}, follow=True)
    assert "Look into your mails" in still.text

    client.post(link_in(mail.outbox[0]))

    assert _logs_in("nina@example.com", NEW)
    assert Merchant.objects.get(name="Nina's").memberships.get().role == "owner"
    _browser().post("/sign-up", sent | {"email": "ALICE@example.com"})
    assert User.objects.filter(email_key=alice.email_key).count() == 1
    assert "There is one already" in mail.outbox[-1].body


def test_a_mail_server_that_is_away_breaks_nothing(alice, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", fail)
    assert "If there is an account" in _browser().post("/password/reset", {"email": alice.email}, follow=True).text
    assert "could not be sent" in caplog.text
