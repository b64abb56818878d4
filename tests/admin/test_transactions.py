"""The admin's pages lock nothing to be looked at, and what they write survives a deadlock."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent
from catalog.models import Attribute, AttributeValue, Product
from catalog.services import deletion
from tests.support.factories import ProductFactory


def _page(row, page="change"):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


@pytest.fixture
def archived(merchant):
    return ProductFactory(merchant=merchant, status="archived", archived_at="2026-01-01T00:00Z")


def test_looking_begins_no_transaction(admin, merchant, archived, client_of):
    client = client_of(admin)
    rows = (admin, merchant, archived, Attribute.objects.first(), AttributeValue.objects.first())
    for url in (*map(_page, rows), reverse("admin:accounts_user_add"), _page(archived, "delete")):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        # What a transaction begins with inside the test's own; outside it SQLite would wait for whoever writes.
        assert not [query for query in queries if query["sql"].startswith("SAVEPOINT")], url


@pytest.mark.django_db(transaction=True)
def test_deleting_begins_again_after_a_deadlock(admin, archived, client_of, monkeypatch):
    audit, attempts = deletion.audit, []

    def deadlocked_once(*args, **details):
        attempts.append(audit(*args, **details))
        if len(attempts) == 1:
            raise OperationalError(1213, "Deadlock found when trying to get lock")

    monkeypatch.setattr(deletion, "audit", deadlocked_once)

    assert client_of(admin).post(_page(archived, "delete"), {"post": "yes"}).status_code == 302

    assert not Product.objects.exists()
    assert AuditEvent.objects.filter(action="product.delete").count() == 1
    assert len(attempts) == 2
