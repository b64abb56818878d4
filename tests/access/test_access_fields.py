"""More fields than a form has: whoever sends them changes nothing that the form does not offer."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import ApiKey, Membership, User
from accounts.services import members
from catalog.models import Product
from tests.support.api_clients import error_of
from tests.support.factories import UserFactory, staff_user
from tests.support.page_forms import fields_of

pytestmark = pytest.mark.django_db

POWERS = {
    "is_staff": "on",
    "is_superuser": "on",
    "is_active": "on",
    "groups": "1",
    "user_permissions": "1",
    "role": "owner",
    "email": "taken@example.com",
    "email_key": "taken@example.com",
    "password": "chosen by an attacker",
    "pk": "1",
    "id": "1",
}


def _powers(user):
    user = User.objects.get(pk=user.pk)
    roles = sorted(user.memberships.values_list("merchant", "role"))
    return user.email, user.password, user.is_staff, user.is_superuser, user.groups.count(), roles


def test_a_profile_has_a_name_and_a_language(client_of, bob):
    before = _powers(bob)
    assert client_of(bob).post("/settings/account", {"name": "Robert", "language": "en", **POWERS}).status_code == 302
    assert User.objects.get(pk=bob.pk).name == "Robert"
    assert _powers(bob) == before


def test_an_invitation_s_role_is_the_inviter_s_to_choose(actor, merchant):
    _invitation, secret = members.invite(actor=actor, merchant=merchant, email="new@example.com", role="viewer")
    sent = {**POWERS, "name": "New", "password": "long enough staple", "merchant": "1"}
    assert Client().post(f"/join/{secret}", sent).status_code == 302

    user = User.objects.get(email="new@example.com")
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)
    assert list(user.memberships.values_list("merchant", "role")) == [(merchant.pk, "viewer")]


def test_who_opens_a_shop_owns_that_one_alone(merchant, settings):
    settings.OTJANG_SIGN_UP = True
    sent = {**POWERS, "email": "new@example.com", "name": "New", "password1": "long enough staple"}
    Client().post("/sign-up", {**sent, "merchant": merchant.public_id, "verified": "true"})

    user = User.objects.get(email="new@example.com")
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)
    assert not EmailAddress.objects.get(user=user).verified
    assert not user.memberships.filter(merchant=merchant).exists()


@pytest.mark.parametrize(
    "field", ["id", "merchant", "status", "version", "published_at", "archived_at", "top_category_source", "created_at"]
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_the_api_refuses_what_a_product_does_not_offer(api, product, other_merchant, field, method):
    before = Product.objects.values().get(pk=product.pk)
    path = "/products" if method == "post" else f"/products/{product.public_id}"
    answer = api.send(method, path, {"name": "Mine", field: other_merchant.public_id})

    assert (answer.status_code, error_of(answer)) == (400, "unknown_field")
    assert Product.objects.values().get(pk=product.pk) == before
    assert Product.objects.count() == 1


def test_a_form_of_the_portal_stores_what_it_shows(client_of, bob, product, other_merchant):
    sent = {"merchant": other_merchant.pk, "status": "published", "public_id": "x", "created_at": "2001-01-01"}
    client_of(bob).post(f"/products/{product.public_id}/details", {"version": product.version, "name": "New", **sent})
    after = Product.objects.get(pk=product.pk)
    assert (after.name, after.merchant, after.status, after.public_id) == (
        "New",
        product.merchant,
        product.status,
        product.public_id,
    )


def test_an_owner_s_key_is_of_their_shop(client_of, alice, merchant, other_merchant):
    sent = {"name": "Till", "scopes": ["read"], "merchant": other_merchant.pk, "may_write": "on", "key_hash": "0" * 64}
    client_of(alice).post(f"/merchants/{merchant.public_id}/keys", sent)
    key = ApiKey.objects.get()
    assert (key.merchant, key.may_read, key.may_write, key.may_classify) == (merchant, True, False, False)
    assert key.key_hash != "0" * 64


def test_staff_who_may_change_people_give_nobody_powers(client_of, merchant):
    clerk, person = staff_user("view_user", "change_user"), UserFactory()
    url = f"/admin/accounts/user/{person.pk}/change/"
    client = client_of(clerk)
    sent = fields_of(client.get(url).text, "user_form") | {
        **POWERS,
        "email": person.email,
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-merchant": str(merchant.pk),
        "memberships-0-role": "owner",
    }
    client.post(url, sent)
    user = User.objects.get(pk=person.pk)
    assert (user.is_staff, user.is_superuser, user.groups.count()) == (False, False, 0)
    assert not Membership.objects.filter(user=person).exists()
    client.post(f"/admin/accounts/user/{clerk.pk}/change/", sent)
    assert not User.objects.get(pk=clerk.pk).is_superuser
