"""Administrators manage people, merchants and keys; superusers alone grant permissions; every change is audited."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils.html import escape

from accounts.models import ApiKey, AuditEvent, Membership, Merchant, User
from tests.support.api_clients import ApiClient
from tests.support.drawn_images import upload
from tests.support.factories import UserFactory, staff_user

pytestmark = pytest.mark.django_db


def _change(model, row):
    return reverse(f"admin:accounts_{model}_change", args=[row.pk])


def _inline(prefix, rows=(), initial=0):
    data = {
        f"{prefix}-TOTAL_FORMS": len(rows),
        f"{prefix}-INITIAL_FORMS": initial,
        f"{prefix}-MIN_NUM_FORMS": 0,
        f"{prefix}-MAX_NUM_FORMS": 1000,
    }
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def test_it_sends_strangers_and_merchants_to_the_log_in_page(client, alice, client_of):
    for visitor in (client, client_of(alice)):
        response = visitor.get(reverse("admin:index"))
        assert response.status_code == 302
        assert response.url.startswith("/admin/login/")


def test_it_lets_an_administrator_log_in_by_e_mail_however_it_is_spelled(admin, client):
    response = client.post(
        "/admin/login/?next=/admin/", {"username": " ADMIN@example.com", "password": "correct horse battery"}
    )
    assert (response.status_code, response.url) == (302, "/admin/")


def test_it_creates_a_user_by_e_mail(admin, client_of):
    response = client_of(admin).post(
        reverse("admin:accounts_user_add"),
        {
            "email": "New@Example.com",
            "name": "New",
            "usable_password": "true",
            "password1": "a long pass phrase",
            "password2": "a long pass phrase",
            **_inline("memberships"),
        },
    )
    assert response.status_code == 302
    user = User.objects.get(name="New")
    assert user.check_password("a long pass phrase")
    assert not user.is_staff
    event = AuditEvent.objects.get(action="user.add")
    assert (event.user, event.channel, event.subject_id) == (admin, "admin", str(user.pk))
    assert "pass phrase" not in str(event.details)


def test_it_refuses_an_e_mail_that_exists_in_another_spelling(admin, bob, client_of):
    response = client_of(admin).post(
        reverse("admin:accounts_user_add"),
        {"email": "BOB@example.com ", "usable_password": "false", **_inline("memberships")},
    )
    assert response.status_code == 200
    assert "exists already" in str(response.context["adminform"].form.errors["email"])
    assert User.objects.count() == 2


def _user_fields(user, **changes):
    return {"email": user.email, "name": user.name, "language": "ko", "is_active": "on", **changes} | _inline(
        "memberships"
    )


def test_it_lets_only_superusers_grant_rights(admin, bob, client_of):
    Membership.objects.all().delete()
    helper = staff_user("change_user", "view_user")
    rights = {"is_staff": "on", "is_superuser": "on"}
    client_of(helper).post(_change("user", bob), _user_fields(bob, name="Robert", **rights))
    bob.refresh_from_db()
    assert (bob.name, bob.is_staff, bob.is_superuser) == ("Robert", False, False)
    client_of(admin).post(_change("user", bob), _user_fields(bob, **rights))
    bob.refresh_from_db()
    assert (bob.is_staff, bob.is_superuser) == (True, True)


def _set_password(client, user, password="mine now mine now"):
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    return client.post(url, {"usable_password": "true", "password1": password, "password2": password})


@pytest.mark.parametrize("whose", ["admin", "reviewer", "alice"])
def test_it_lets_no_clerk_take_over_somebody_with_other_rights(whose, request, client_of):
    person = staff_user("view_all_merchants") if whose == "reviewer" else request.getfixturevalue(whose)
    client = client_of(staff_user("change_user", "view_user"))
    before = User.objects.filter(pk=person.pk).values().get()

    page = client.get(_change("user", person))
    assert person.email in page.text
    assert before["password"] not in page.text
    assert client.post(_change("user", person), _user_fields(person, email="clerk@example.com")).status_code == 403
    assert _set_password(client, person).status_code == 403

    assert User.objects.filter(pk=person.pk).values().get() == before
    assert not AuditEvent.objects.exists()


def test_it_lets_staff_who_may_see_all_merchants_help_their_people(alice, client_of):
    client = client_of(staff_user("change_user", "view_user", "view_all_merchants"))
    membership = {"id": alice.memberships.get().pk, "user": alice.pk}
    fields = _user_fields(alice, name="Alicia") | _inline("memberships", [membership], initial=1)
    assert client.post(_change("user", alice), fields).status_code == 302
    assert _set_password(client, alice, "a long pass phrase").status_code == 302
    alice.refresh_from_db()
    assert alice.name == "Alicia"
    assert alice.check_password("a long pass phrase")


def test_it_lets_nobody_but_superusers_change_groups(admin, client_of):
    group = Group.objects.create(name="clerks")
    rights = Permission.objects.filter(codename__in=["view_all_merchants", "change_deployment"])
    group.permissions.set(
        Permission.objects.filter(codename__in=[f"{verb}_group" for verb in ("view", "add", "change", "delete")])
    )
    clerk = UserFactory(is_staff=True)
    clerk.groups.add(group)
    more = {"name": "clerks", "permissions": [right.pk for right in rights]}
    change, delete = (reverse(f"admin:auth_group_{page}", args=[group.pk]) for page in ("change", "delete"))

    client = client_of(clerk)
    assert "clerks" in client.get(change).text
    assert client.post(change, more).status_code == 403
    assert client.post(reverse("admin:auth_group_add"), more | {"name": "mine"}).status_code == 403
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert Group.objects.get().permissions.count() == 4

    assert client_of(admin).post(change, more).status_code == 302
    assert set(group.permissions.all()) == set(rights)


def test_it_names_permissions_by_words_that_can_be_translated(admin, client_of):
    pages = ((reverse("admin:auth_group_add"), "permissions"), (_change("user", admin), "user_permissions"))
    for page, name in pages:
        field = client_of(admin).get(page).context["adminform"].form.fields[name]
        labels = [label for _pk, label in field.choices]
        assert {f"Accounts | API key | Can {verb}" for verb in ("add", "change", "delete", "view")} <= set(labels)
        assert "Accounts | merchant | Can see every merchant's products" in labels


def test_it_never_deletes_users_and_merchants(admin, bob, merchant, client_of):
    client = client_of(admin)
    for model, row in (("user", bob), ("merchant", merchant)):
        url = reverse(f"admin:accounts_{model}_delete", args=[row.pk])
        assert client.post(url, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=bob.pk).exists()
    assert Merchant.objects.filter(pk=merchant.pk).exists()


def test_it_adds_a_member_and_audits_it_in_the_merchant_s_trail(admin, alice, charlie, merchant, client_of):
    mine = Membership.objects.get(merchant=merchant)
    members = [
        {"id": mine.pk, "merchant": merchant.pk, "user": alice.pk, "role": "owner"},
        {"id": "", "merchant": merchant.pk, "user": charlie.pk, "role": "viewer"},
    ]
    client_of(admin).post(
        _change("merchant", merchant),
        {
            "name": merchant.name,
            "is_active": "on",
            **_inline("memberships", members, initial=1),
            **_inline("invitations"),
            **_inline("api_keys"),
        },
    )
    assert Membership.objects.get(merchant=merchant, user=charlie).role == "viewer"
    event = AuditEvent.objects.get(action="merchant.change")
    assert (event.merchant, event.user) == (merchant, admin)
    assert "membership" in str(event.details)


def test_it_hides_merchants_from_staff_who_may_not_see_all_of_them(alice, api_key, merchant, other_merchant, client_of):
    rights = ("view_merchant", "change_merchant", "add_merchant", "view_membership", "change_membership", "view_apikey")
    client = client_of(staff_user(*rights, "view_user", "change_user"))
    before = Merchant.objects.filter(pk=merchant.pk).values().get(), Membership.objects.count()

    assert client.get(reverse("admin:accounts_merchant_changelist")).status_code == 403
    for response in (
        client.get(_change("merchant", merchant)),
        client.post(_change("merchant", merchant), {"name": "Mine"}),
    ):
        assert response.status_code in {302, 403}
        assert alice.email not in response.content.decode()
    autocomplete = {"app_label": "accounts", "model_name": "membership", "field_name": "merchant", "term": "merchant"}
    assert client.get(reverse("admin:autocomplete"), autocomplete).status_code == 403
    assert escape(merchant.name) not in client.get(_change("user", alice)).content.decode()
    client.post(_change("user", alice), _user_fields(alice))

    assert (Merchant.objects.filter(pk=merchant.pk).values().get(), Membership.objects.count()) == before


def test_it_lets_staff_who_may_see_all_merchants_look_at_them(merchant, client_of):
    client = client_of(staff_user("view_merchant", "view_all_merchants"))
    assert escape(merchant.name) in client.get(reverse("admin:accounts_merchant_changelist")).content.decode()
    assert client.get(_change("merchant", merchant)).status_code == 200


def test_it_shows_a_new_key_once(admin, merchant, client_of):
    client = client_of(admin)
    url = reverse("admin:accounts_merchant_new_key", args=[merchant.pk])
    assert client.get(url).status_code == 200
    assert not ApiKey.objects.exists()
    response = client.post(url, {"name": "till", "scopes": ["read"]})
    key = ApiKey.objects.get()
    secret = response.context["secret"]
    assert (key.merchant, key.name, key.scopes, key.created_by) == (merchant, "till", ["read"], admin)
    assert key.key_hash == ApiKey.hash(secret)
    assert secret in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert secret not in str(client.cookies)
    assert not any(secret in str(value) for value in client.session.values())
    for page in (
        url,
        _change("merchant", merchant),
        _change("apikey", key),
        reverse("admin:accounts_apikey_changelist"),
    ):
        assert secret not in client.get(page).content.decode()
    assert AuditEvent.objects.get(action="api_key.create").channel == "admin"
    again = client.post(url, {"name": "till", "scopes": ["read"]})
    assert again.context["secret"] is None
    assert "There is a valid key of this name already." in again.text
    assert ApiKey.objects.count() == 1


def test_it_asks_for_a_name_of_the_key(admin, merchant, client_of):
    response = client_of(admin).post(reverse("admin:accounts_merchant_new_key", args=[merchant.pk]), {"name": " "})
    assert response.context["form"].errors
    assert not ApiKey.objects.exists()


def test_it_makes_no_key_for_staff_without_the_right(merchant, client_of):
    url = reverse("admin:accounts_merchant_new_key", args=[merchant.pk])
    for permissions in (("view_merchant", "view_all_merchants"), ("view_merchant", "change_merchant", "add_apikey")):
        assert client_of(staff_user(*permissions)).post(url, {"name": "till"}).status_code == 403
    assert not ApiKey.objects.exists()
    assert not AuditEvent.objects.exists()


def test_it_revokes_a_key(admin, api_key, client_of):
    key, _secret = api_key
    client = client_of(admin)
    url = reverse("admin:accounts_apikey_revoke", args=[key.pk])
    client.get(url)
    key.refresh_from_db()
    assert key.revoked_at is None  # only asked
    assert url in client.get(_change("apikey", key)).text
    assert client.post(url, {"_form_submitted": "on"}).status_code == 200
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert url not in client.get(_change("apikey", key)).text
    assert AuditEvent.objects.get(action="api_key.revoke").user == admin


def test_it_revokes_no_key_for_staff_without_the_right(api_key, client_of):
    key, _secret = api_key
    client = client_of(staff_user("view_apikey", "view_all_merchants"))
    assert client.get(_change("apikey", key)).status_code == 200
    url = reverse("admin:accounts_apikey_revoke", args=[key.pk])
    assert client.post(url, {"_form_submitted": "on"}).status_code == 403
    client.post(
        reverse("admin:accounts_apikey_changelist"), {"action": "revoke_selected", "_selected_action": [key.pk]}
    )
    key.refresh_from_db()
    assert key.revoked_at is None
    assert not AuditEvent.objects.exists()


def test_it_replaces_a_keys_secret_and_shows_it_once(admin, api_key, client_of):
    key, old = api_key
    client = client_of(admin)
    url = reverse("admin:accounts_apikey_rotate", args=[key.pk])
    assert "The old secret" in client.get(url).text
    form = {"overlap": "0", "seen": key.rotation}
    answer = client.post(url, form)
    secret = answer.context["secret"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert ApiClient(old).send("get", "/products").status_code == 401
    assert ApiClient(secret).send("get", "/products").status_code == 200
    assert client.post(url, form).context["secret"] is None
    assert secret not in client.get(_change("apikey", key)).text


def test_it_replaces_no_secret_for_staff_without_the_right(api_key, client_of):
    url = reverse("admin:accounts_apikey_rotate", args=[api_key[0].pk])
    client = client_of(staff_user("view_apikey", "view_all_merchants"))
    assert client.post(url, {"overlap": "0", "seen": "0"}).status_code == 403
    assert ApiClient(api_key[1]).send("get", "/products").status_code == 200


def test_it_shows_what_came_through_the_api_today_and_sets_a_quota(admin, api, merchant, product, client_of):
    api.upload(f"/products/{product.public_id}/images", upload())
    client = client_of(admin)
    page = client.get(_change("merchant", merchant)).text
    assert "1 photos (100,000)" in page
    merchant.daily_images = 1
    merchant.save()
    assert "1 photos (1)" in client.get(_change("merchant", merchant)).text
