"""People change their own password in the portal."""

import pytest
from django.test import Client

from accounts.models import AuditEvent

pytestmark = pytest.mark.django_db

OLD, NEW = "correct horse battery", "entirely other staples"


def _change(client, old=OLD, new=NEW, again=NEW):
    return client.post("/password", {"old_password": old, "new_password1": new, "new_password2": again}, follow=True)


def test_a_person_changes_their_password_and_stays_logged_in_only_here(alice):
    here, elsewhere = Client(), Client()
    here.cookies["django_language"] = "en"
    for client in (here, elsewhere):
        client.post("/login", {"username": alice.email, "password": OLD})

    answer = _change(here)

    assert "Your password was changed." in answer.text
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert AuditEvent.objects.filter(action="user.password", user=alice).count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly."),
        ({"again": "another"}, "The two password fields didn’t match."),
        ({"new": "12345678", "again": "12345678"}, "This password is too common."),
    ],
)
def test_it_says_what_is_wrong(client_of, alice, typed, sentence):
    answer = _change(client_of(alice), **typed)
    assert sentence in answer.text
    alice.refresh_from_db()
    assert alice.check_password(OLD)


def test_strangers_are_asked_to_log_in():
    assert Client().get("/password").url == "/login?next=/password"
