"""The audit trail keeps how people get in, what they use for it, and what they may do since."""

import re

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, User
from accounts.services.personal import erase_person, export_person
from tests.support.factories import MerchantFactory, UserFactory
from tests.support.page_forms import fields_of

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def _log_in(email, password, page="/login"):
    client = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.7")
    client.post(page, {"username": email, "password": password})
    return client


def _last():
    event = AuditEvent.objects.latest("pk")
    return event.action, event.user, event.subject_id, event.details.get("address"), event.channel


@pytest.mark.parametrize(("page", "channel"), [("/login", "portal"), ("/admin/login/", "admin")])
def test_a_log_in_and_a_failed_one(admin, page, channel):
    _log_in(admin.email, "wrong", page)
    assert _last() == ("user.login_failed", None, str(admin.pk), "192.0.2.7", channel)
    _log_in(admin.email, PASSWORD, page)
    assert _last() == ("user.login", admin, str(admin.pk), "192.0.2.7", channel)


def test_what_a_stranger_types_is_kept_nowhere(db):
    _log_in("hunter2-typed-in-the-wrong-field", "hunter2")

    assert _last() == ("user.login_failed", None, "-", "192.0.2.7", "portal")
    assert "hunter2" not in str(list(AuditEvent.objects.values()))


def test_too_many_attempts_are_one_line(alice, settings):
    settings.OTJANG_LOGIN_ATTEMPTS = 2
    for _attempt in range(5):
        _log_in(alice.email, "wrong")

    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["user.login_failed", "user.login_failed", "user.login_blocked"]


@pytest.mark.django_db(transaction=True)
def test_a_second_step_is_added_failed_and_removed(alice):
    client = _log_in(alice.email, PASSWORD)
    asked = client.get("/settings/security/totp/activate/")
    page = client.post(asked.url, {"password": PASSWORD}, follow=True)
    secret = re.search(r'<code class="secret">(\w+)</code>', page.text)[1]
    client.post("/settings/security/totp/activate/", {"code": pyotp.TOTP(secret).now()})
    added = AuditEvent.objects.filter(action="user.second_step_add", user=alice)
    assert {event.details["kind"] for event in added} == {"totp", "recovery_codes"}
    client.post("/settings/security/recovery-codes/generate/")
    assert _last()[:2] == ("user.second_step_reset", alice)

    other = _log_in(alice.email, PASSWORD)
    assert not AuditEvent.objects.filter(action="user.login").exclude(user=alice).exists()
    assert AuditEvent.objects.filter(action="user.login").count() == 1  # the second one is not in yet
    other.post("/settings/security/authenticate/", {"code": "000000"})
    assert _last()[:3] == ("user.second_step_failed", None, str(alice.pk))

    client.post("/settings/security/totp/deactivate/")
    removed = AuditEvent.objects.filter(action="user.second_step_remove", user=alice)
    assert "totp" in {event.details["kind"] for event in removed}
    assert not Authenticator.objects.filter(user=alice, type="totp").exists()


def test_a_password_and_ended_sessions(alice):
    client, other = _log_in(alice.email, PASSWORD), _log_in(alice.email, PASSWORD)
    number = other.session.session_key
    client.post("/settings/devices")
    assert _last()[:2] == ("user.session_end", alice)
    assert number not in str(list(AuditEvent.objects.values()))
    new = "entirely other staples"
    client.post("/password", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert _last()[:2] == ("user.password", alice)
    assert new not in str(list(AuditEvent.objects.values()))


def test_an_administrator_gives_permissions(admin, client_of, merchant):
    clerk, group = UserFactory(), Group.objects.create(name="Clerks")
    client, url = client_of(admin), reverse("admin:accounts_user_change", args=[clerk.pk])
    page = client.get(url).text
    sent = fields_of(page, "user_form") | {
        "is_active": "on",
        "is_staff": "on",
        "groups": [group.pk],
        "user_permissions": [],
    }
    assert client.post(url, sent).status_code == 302

    assert User.objects.get(pk=clerk.pk).is_staff
    event = AuditEvent.objects.get(action="user.change")
    assert (event.user, event.details["before"], event.details["after"]) == (
        admin,
        {"is_staff": False, "groups": []},
        {"is_staff": True, "groups": ["Clerks"]},
    )


def test_an_administrator_gives_takes_and_changes_roles(admin, client_of, bob, merchant):
    client, url = client_of(admin), reverse("admin:accounts_merchant_change", args=[merchant.pk])
    new = UserFactory()
    for change in (
        {"memberships-0-role": "owner"},
        {"memberships-TOTAL_FORMS": "2", "memberships-1-user": str(new.pk), "memberships-1-role": "viewer"},
        {"memberships-0-DELETE": "on"},
    ):
        answer = client.post(url, fields_of(client.get(url).text, "merchant_form") | change)
        assert answer.status_code == 302, answer.context["errors"]

    events = AuditEvent.objects.filter(action__startswith="membership.", merchant=merchant, user=admin).order_by("pk")
    assert [(event.action, event.subject_id, event.details) for event in events] == [
        ("membership.change_role", str(bob.pk), {"before": {"role": "editor"}, "after": {"role": "owner"}}),
        ("membership.change_role", str(new.pk), {"before": {"role": None}, "after": {"role": "viewer"}}),
        ("membership.remove", str(bob.pk), {"role": "owner"}),
    ]


def test_an_administrator_moves_a_member(admin, client_of, bob, merchant):
    """A row may get another person, or another merchant: the trail says who is a member no more."""
    client, new, other = client_of(admin), UserFactory(), MerchantFactory()
    url = reverse("admin:accounts_merchant_change", args=[merchant.pk])
    change = {"memberships-0-user": str(new.pk)}
    assert client.post(url, fields_of(client.get(url).text, "merchant_form") | change).status_code == 302
    url = reverse("admin:accounts_user_change", args=[new.pk])
    change = {"memberships-0-merchant": str(other.pk), "memberships-0-role": "owner"}
    assert client.post(url, fields_of(client.get(url).text, "user_form") | change).status_code == 302

    events = AuditEvent.objects.filter(action__startswith="membership.", user=admin).order_by("pk")
    assert [(event.merchant, event.action, event.subject_id, event.details) for event in events] == [
        (merchant, "membership.remove", str(bob.pk), {"role": "editor"}),
        (merchant, "membership.change_role", str(new.pk), {"before": {"role": None}, "after": {"role": "editor"}}),
        (merchant, "membership.remove", str(new.pk), {"role": "editor"}),
        (other, "membership.change_role", str(new.pk), {"before": {"role": None}, "after": {"role": "owner"}}),
    ]


def test_a_person_takes_it_along_and_is_forgotten(alice, bob, actor_of, merchant):
    merchant.memberships.filter(user=bob).update(role="owner")
    _log_in(alice.email, "wrong")
    client = _log_in(alice.email, PASSWORD)

    exported = export_person(alice)
    assert [one["action"] for one in exported["activity"]] == ["user.login"]
    assert [(one["action"], one["address"]) for one in exported["attempts"]] == [("user.login_failed", "192.0.2.7")]

    erase_person(actor=actor_of(alice), user=alice)
    assert "192.0.2.7" not in str(list(AuditEvent.objects.values()))
    assert client.get("/").status_code == 302


def test_a_command_that_logs_somebody_in_is_nobody_s_log_in(alice, client_of):
    client_of(alice)
    assert not AuditEvent.objects.exists()


def test_who_has_a_second_step_is_not_logged_in_without_it(admin):
    TOTP.activate(admin, pyotp.random_base32())
    _log_in(admin.email, PASSWORD, "/admin/login/")
    assert not AuditEvent.objects.filter(action="user.login").exists()
