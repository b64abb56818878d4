"""The list's filters are in its address, and each can be taken away."""

import pytest

from catalog.models import Product
from tests.support.factories import ProductFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


def test_the_address_is_what_the_controls_show(client, product):
    page = client.get(
        "/products/?q=denim&status=draft&category=Outer&category=-&below=0.6&failed=1&since=2026-01-02&sort=doubt"
    ).text

    assert 'name="q" value="denim"' in page
    assert 'name="status" value="draft" checked' in page
    assert 'name="category" value="Outer" checked' in page
    assert 'name="category" value="-" checked' in page
    assert '<option value="0.6" selected>' in page
    assert 'name="failed" value="1" checked' in page
    assert 'name="since" value="2026-01-02"' in page
    assert '<option value="doubt" selected>' in page


def test_each_filter_can_be_taken_away(client, product):
    page = client.get("/products/?category=Outer&category=Shirt&below=0.6&source=model&since=2026-01-02").text

    for label, without in (
        ("Category: Outerwear", "?category=Shirt&amp;source=model&amp;below=0.6&amp;since=2026-01-02"),
        ("Less sure than 60%", "?category=Outer&amp;category=Shirt&amp;source=model&amp;since=2026-01-02"),
        (
            "Category by: a model, not yet checked",
            "?category=Outer&amp;category=Shirt&amp;below=0.6&amp;since=2026-01-02",
        ),
        ("Created since 2026-01-02", "?category=Outer&amp;category=Shirt&amp;source=model&amp;below=0.6"),
    ):
        assert f'<a class="chip" href="{without}">{label}' in page


def test_it_offers_groups_of_categories(client, merchant, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    ProductFactory(merchant=merchant, name="Some shirt")

    assert '<input type="checkbox" name="category" value="Outer">' in client.get("/products/").text
    page = client.get("/products/?category=Outer").text
    assert product.name in page
    assert "Some shirt" not in page


def test_it_counts_by_status_and_trouble(client, merchant):
    several, nothing, _draft = (ProductFactory(merchant=merchant) for _ in range(3))
    propose(several, candidate("Outer", 0.5, category=("Jacket", 0.9)), candidate("Top", 0.4, category=("Shirt", 0.9)))
    propose(nothing)
    Product.objects.filter(pk=nothing.pk).update(failed_images=2)

    page = client.get("/products/").text

    for counted in ("All", "draft", "Failed", "Several garments", "Nothing found", "to review"):
        assert f'{counted} <span class="count">' in page
    assert 'to review <span class="count">2</span>' in page
    assert 'Several garments <span class="count">1</span>' in page
    assert "2 photos failed" in page


def test_it_counts_no_further_than_it_must(client, merchant, monkeypatch):
    monkeypatch.setattr("catalog.listing.MOST_COUNTED", 2)
    monkeypatch.setattr("catalog.listing.MOST_JOINED", 2)
    for n in range(4):
        ProductFactory(merchant=merchant, name=f"Shirt {n}")

    page = client.get("/products/?q=shirt").text

    assert "2+ products" in page
    assert 'draft <span class="count">2+</span>' in page
