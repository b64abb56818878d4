"""People are known by their e-mail, however it is spelled."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.mark.parametrize("typed", ["Kim@Example.com", " kim@example.com ", "KIM@EXAMPLE.COM", "ｋｉｍ@example.com"])
def test_it_logs_in_however_the_e_mail_is_spelled(typed):
    User.objects.create_user("kim@example.com", PASSWORD)
    assert Client().login(username=typed, password=PASSWORD)


def test_it_tells_apart_what_a_collation_would_not():
    User.objects.create_user("jose@example.com", PASSWORD)
    User.objects.create_user("josé@example.com", PASSWORD)
    assert User.objects.count() == 2
    assert User.objects.get_by_natural_key("JOSÉ@example.com").email == "josé@example.com"


def test_it_takes_an_e_mail_once():
    User.objects.create_user("kim@example.com", PASSWORD)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("Kim@EXAMPLE.com ", PASSWORD)
    assert User.objects.count() == 1


def test_a_changed_e_mail_is_the_one_that_counts():
    user = User.objects.create_user("old@example.com", PASSWORD)
    user.email = "New@example.com"
    user.save()
    assert Client().login(username="new@example.com", password=PASSWORD)
    assert not Client().login(username="old@example.com", password=PASSWORD)


def test_a_changed_e_mail_counts_when_only_that_field_is_saved():
    user = User.objects.create_user("old@example.com", PASSWORD)
    user.email = "new@example.com"
    user.save(update_fields=["email"])
    assert Client().login(username="new@example.com", password=PASSWORD)


def test_an_inactive_person_does_not_get_in():
    User.objects.create_user("kim@example.com", PASSWORD, is_active=False)
    assert not Client().login(username="kim@example.com", password=PASSWORD)


def test_nobody_gets_in_without_a_password():
    User.objects.create_user("kim@example.com")
    assert not Client().login(username="kim@example.com", password="")
