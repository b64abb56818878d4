"""Keys that were read only go on reading, and no more; every other one goes on doing everything."""

import pytest

from accounts.models import ApiKey
from tests.support.migrated import database_at

pytestmark = pytest.mark.django_db(transaction=True)


def test_old_keys_have_the_scopes_that_they_had_in_effect():
    with database_at(("accounts", "0011_admin_lists")) as apps:
        merchant = apps.get_model("accounts", "Merchant").objects.create(name="Old", public_id="x" * 20)
        for read_only in (True, False):
            apps.get_model("accounts", "ApiKey").objects.create(
                merchant=merchant,
                name=str(read_only),
                prefix=f"otj_{read_only}",
                key_hash=str(read_only),
                read_only=read_only,
            )

    assert ApiKey.objects.get(name="True").scopes == ["read"]
    assert ApiKey.objects.get(name="False").scopes == ["read", "write", "classify"]
