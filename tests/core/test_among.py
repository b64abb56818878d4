"""Rows by given ids, and counts that are content with a part."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Merchant
from core.db import among, capped_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
def merchants():
    return Merchant.objects.bulk_create(Merchant(name=f"Merchant {number}") for number in range(6))


def test_rows_by_ids_with_one_parameter(merchants):
    ids = [merchant.pk for merchant in merchants[1:4]]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = Merchant.objects.filter(pk__in=among([*ids, 10**12])).order_by("pk")
        assert [merchant.pk for merchant in found] == ids
    assert len(queries) == 1
    assert not Merchant.objects.filter(pk__in=among(())).exists()
    assert Merchant.objects.exclude(pk__in=among(ids)).filter(pk__gte=merchants[0].pk).count() == 3


def test_a_part_that_is_enough_is_all_that_is_counted(merchants):
    rows = Merchant.objects.filter(pk__gte=merchants[0].pk)
    part = rows.filter(pk__in=among(merchant.pk for merchant in merchants[:4]))
    asked = {"all": rows, "some": rows.filter(name="Merchant 1")}
    assert capped_counts(asked, 10, {}, {"all": part}) == {"all": 6, "some": 1}
    assert capped_counts(asked, 10, {"all": 3}, {"all": part}) == {"all": 3, "some": 1}
    # The part decides, without a look at the others.
    assert capped_counts({"all": rows.filter(name="nobody")}, 10, {"all": 3}, {"all": part}) == {"all": 3}
