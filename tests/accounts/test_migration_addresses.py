"""People who were there before e-mails were confirmed go on logging in."""

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import User
from tests.support.migrated import database_at

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "correct horse battery"


def test_everybody_s_address_counts_as_confirmed():
    with database_at(("accounts", "0008_people"), ("account", "0009_emailaddress_unique_primary_email")) as apps:
        old = apps.get_model("accounts", "User")
        for number in range(3):
            email = f"Person{number}@Example.com"
            old.objects.create(email=email, email_key=f"{number:064d}", password=make_password(PASSWORD))

    for user in User.objects.all():
        user.save()  # writes the real key
        address = user.emailaddress_set.get()
        assert (address.email, address.verified, address.primary) == (user.email.lower(), True, True)
        sent = {"username": user.email.upper(), "password": PASSWORD}
        assert Client().post("/login", sent).status_code == 302
