"""A person takes along what is stored about them, and is erased: what they decided stays, by a number."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import AuditEvent, User
from accounts.services.audit import record
from accounts.services.personal import erase_person
from catalog.models import SavedView
from catalog.services import decide
from core.errors import Conflict, Forbidden
from tests.support.factories import MembershipFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def _everything_about(*words):
    """Return where any of the words is still stored, over all tables."""
    from django.apps import apps
    from django.db.models import CharField, EmailField, JSONField, TextField

    found = []
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, CharField | EmailField | JSONField | TextField):
                texts = [str(value) for value in model._default_manager.values_list(field.name, flat=True)]
                found += [
                    (model.__name__, field.name)
                    for text in texts
                    if any(word.lower() in text.lower() for word in words)
                ]
    return found


def test_a_person_takes_a_copy_along(client_of, bob, merchant):
    SavedView.objects.create(user=bob, merchant=merchant, name="Mine", query="status=draft")
    answer = client_of(bob).get("/settings/my-data.json")
    data = answer.json()
    assert "attachment" in answer.headers["Content-Disposition"]
    assert data["account"]["email"] == "bob@example.com"
    (membership,) = data["merchants"]
    assert (membership["merchant"], membership["role"]) == ("Alice's merchant", "editor")
    assert data["catalogue"]["saved_views"] == [{"name": "Mine", "query": "status=draft"}]
    assert [event["action"] for event in data["activity"]] == ["user.export"]
    assert "password" not in answer.text


def test_a_person_is_erased(alice, bob, product, merchant, actor_of):
    bob.name, bob.language = "Robert Zwiebel", "en"
    bob.save()
    client = Client(headers={"accept-language": "en"})
    client.post("/login", {"username": bob.email, "password": PASSWORD})
    decide(actor=actor_of(bob), product=product, attribute="material", value="woven")
    AuditEvent.objects.create(
        merchant=merchant, user=alice, channel="admin", action="merchant.change", subject_type="merchant",
        subject_id=str(merchant.pk), details={"changes": [{"added": {"object": "Robert Zwiebel · Alice's (editor)"}}]},
    )  # fmt: skip

    assert "This is not your password." in client.post("/settings/my-data/erase", {"password": "wrong"}).text
    answer = client.post("/settings/my-data/erase", {"password": PASSWORD}, follow=True)

    assert "Your account is erased." in answer.text
    bob.refresh_from_db()
    assert (str(bob), bob.is_active, bob.email) == (f"erased person {bob.pk}", False, f"{bob.pk}@erased.invalid")
    assert product.decisions.get().user == bob
    assert product.decisions.get().actor_name == f"erased person {bob.pk}"
    assert not bob.memberships.exists()
    assert not EmailAddress.objects.filter(user=bob).exists()
    assert not UserSession.objects.filter(user=bob).exists()
    assert _everything_about("zwiebel", "bob@example.com") == []
    assert client.post("/login", {"username": "bob@example.com", "password": PASSWORD}).status_code == 200
    assert AuditEvent.objects.filter(action="user.erase", subject_id=str(bob.pk)).exists()


def test_the_only_owner_hands_over_first(client_of, alice, bob, merchant):
    page = client_of(alice).get("/settings/my-data").text
    assert "Nobody else owns Alice&#x27;s merchant." in page
    refused = client_of(alice).post("/settings/my-data/erase", {"password": PASSWORD})
    assert refused.status_code == 400
    assert User.objects.get(pk=alice.pk).is_active

    merchant.memberships.filter(user=bob).update(role="owner")
    client_of(alice).post("/settings/my-data/erase", {"password": PASSWORD})
    assert not User.objects.get(pk=alice.pk).is_active


def test_an_administrator_erases_for_a_person(client_of, admin, bob, alice):
    page = f"/admin/accounts/user/{bob.pk}/change/"
    assert "Erase" in client_of(admin).get(page).text
    from accounts.admin.base import admin_actor

    request = client_of(admin).get(page).wsgi_request
    erase_person(actor=admin_actor(request), user=bob)
    bob.refresh_from_db()
    assert bob.erased_at is not None
    with pytest.raises(Conflict, match="erased already"):
        erase_person(actor=admin_actor(request), user=bob)
    with pytest.raises(Conflict, match="no other administrator"):
        erase_person(actor=admin_actor(request), user=admin)


def test_nobody_else_erases(actor_of, alice, bob):
    with pytest.raises(Forbidden):
        erase_person(actor=actor_of(alice), user=bob)


def test_name_and_language_are_one_s_own(client_of, bob):
    client = client_of(bob)
    answer = client.post("/settings/account", {"name": "Bobby", "language": "en"}, follow=True)
    assert "Saved." in answer.text
    bob.refresh_from_db()
    assert (bob.name, bob.language) == ("Bobby", "en")
    assert client.post("/settings/account", {"name": "x", "language": "xx"}).status_code == 400


def test_an_erased_person_s_e_mail_is_free_again(actor_of, bob, other_merchant):
    erase_person(actor=actor_of(bob), user=bob)
    MembershipFactory(user=User.objects.create_user("bob@example.com", PASSWORD), merchant=other_merchant)
    assert Client().post("/login", {"username": "bob@example.com", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("name", ["owner", "name", "added", '"', "{", "n", 'Bob "B" O\\Neil'])
def test_a_name_takes_nothing_else_out_of_the_trail(actor_of, alice, bob, merchant, name):
    bob.name = name
    bob.save()
    other = {"name": "membership", "object": f"{alice} · {merchant} (owner)"}
    details = {
        "changes": [{"added": {"name": "membership", "object": f"{bob} · {merchant} (owner)"}}, {"changed": other}],
        "name": merchant.name,
        "before": {"role": "owner"},
    }
    event = record(
        actor=actor_of(alice),
        action="merchant.change",
        subject_type="merchant",
        subject_id=str(merchant.pk),
        merchant_id=merchant.pk,
        **details,
    )
    erase_person(actor=actor_of(bob), user=bob)
    event.refresh_from_db()
    assert event.details == {
        "changes": [
            {"added": {"name": "membership", "object": f"#{bob.pk} · {merchant} (owner)"}},
            {"changed": other},
        ],
        "name": merchant.name,
        "before": {"role": "owner"},
    }
