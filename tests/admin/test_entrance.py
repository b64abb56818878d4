"""Staff come into the administration, whichever page they begin at, and members do not."""

import re

import pytest
from django.urls import reverse

from tests.support.factories import UserFactory

pytestmark = pytest.mark.django_db

LOGIN = reverse("admin:login")
PASSWORD = "correct horse battery"


def _log_in(client, user, page):
    action = re.search(r'action="([^"]+)"[^>]*id="login-form"', client.get(page).text)[1]
    return client.post(action, {"username": user.email, "password": PASSWORD}, follow=True)


def test_the_log_in_page_opened_directly_leads_inside(client):
    staff = UserFactory(is_staff=True)
    answer = _log_in(client, staff, LOGIN)
    assert answer.redirect_chain[-1][0] == reverse("admin:index")
    assert answer.status_code == 200


def test_it_leads_to_where_one_wanted_to_go(client, admin):
    wanted = reverse("admin:accounts_user_changelist")
    answer = _log_in(client, admin, f"{LOGIN}?next={wanted}")
    assert answer.redirect_chain[-1][0] == wanted


def test_staff_without_a_shop_are_led_from_the_portal_to_their_work(client_of):
    staff = client_of(UserFactory(is_staff=True))
    assert staff.get("/").url == reverse("admin:index")
    assert client_of(UserFactory()).get("/").status_code == 200


def test_a_member_of_the_staff_with_a_shop_keeps_their_home(client_of, alice):
    alice.is_staff = True
    alice.save()
    assert client_of(alice).get("/").status_code == 200
