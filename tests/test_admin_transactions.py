"""The admin's pages lock nothing to be looked at."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Attribute, AttributeValue
from tests.factories import ProductFactory


def _page(row, page="change"):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


@pytest.fixture
def archived(shop):
    return ProductFactory(merchant=shop, status="archived", archived_at="2026-01-01T00:00Z")


def test_looking_begins_no_transaction(admin, shop, archived, client_of):
    client = client_of(admin)
    rows = (admin, shop, archived, Attribute.objects.first(), AttributeValue.objects.first())
    for url in (*map(_page, rows), reverse("admin:accounts_user_add"), _page(archived, "delete")):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        # What a transaction begins with inside the test's own; outside it SQLite would wait for whoever writes.
        assert not [query for query in queries if query["sql"].startswith("SAVEPOINT")], url
