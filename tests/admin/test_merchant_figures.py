"""The list of merchants shows what a worker has counted, and counts nothing itself."""

import pytest
from django.urls import reverse

from accounts.models import AuditEvent, MerchantFigures
from catalog.services import decide, merchant_figures
from tests.support.factories import MerchantFactory, ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_merchant_changelist")


@pytest.fixture
def busy(merchant, product, actor):
    for size in (1000, 2048):
        ProductImageFactory(product=product, size=size)
    ProductFactory(merchant=merchant, status="archived", archived_at="2026-01-01T00:00Z")
    decide(actor=actor, product=product, attribute="material", value="linen")
    return merchant


def test_it_counts_what_merchants_have(busy, other_merchant):
    assert merchant_figures.count_changed() == 2
    figures = busy.figures
    assert (figures.products, figures.images, figures.bytes) == (1, 2, 3048)
    assert figures.last_active == AuditEvent.objects.latest("pk").created_at
    empty = other_merchant.figures
    assert (empty.products, empty.last_active) == (0, None)


def test_it_counts_again_only_where_something_happened(busy, other_merchant, actor, product):
    merchant_figures.count_changed()
    assert merchant_figures.count_changed() == 0
    decide(actor=actor, product=product, attribute="material", value="cotton")
    assert merchant_figures.count_changed() == 1


def test_the_list_shows_and_sorts_them(client_of, admin, busy):
    merchant_figures.count_changed()
    client = client_of(admin)
    page = client.get(LIST, {"o": "-2"}).text
    assert f"merchant__id__exact={busy.pk}" in page
    assert "3.0" in page
    assert client.get(reverse("admin:accounts_merchant_change", args=[busy.pk])).status_code == 200


def test_the_list_costs_the_same_for_many(client_of, admin, busy, django_assert_max_num_queries):
    for _number in range(30):
        MerchantFactory()
    merchant_figures.count_changed()
    assert MerchantFigures.objects.count() == 31
    client = client_of(admin)
    client.get(LIST)
    with django_assert_max_num_queries(8):
        client.get(LIST)


def test_a_merchant_that_was_not_counted_is_listed(client_of, admin, merchant):
    client = client_of(admin)
    assert f"/merchant/{merchant.pk}/change/" in client.get(LIST).text
    assert "within minutes" in client.get(reverse("admin:accounts_merchant_change", args=[merchant.pk])).text
