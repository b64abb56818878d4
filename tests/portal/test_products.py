"""The list of a merchant's products."""

import html
import re

import pytest
from django.utils import timezone

from catalog import listing, services
from catalog.models import Product
from catalog.selectors import Taxonomy
from classifier.jobs import results
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


def test_it_shows_thumbnail_name_sku_status_and_proposal(client, product):
    image = ProductImageFactory(product=product)
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.41)), chosen="Outer")

    page = client.get("/products/").text

    assert f"/media/{image.public_id}/small" in page
    assert "Oversized denim jacket" in page
    assert "AJ-1042" in page
    assert "to review" in page
    assert "◐" in page
    assert 'Jacket</span> <span class="share">94%' in page
    assert 'Denim</span> <span class="chip doubt">41% unsure' in page


def test_it_shows_what_a_person_decided_without_a_share(client, bob, actor_of, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    services.decide(actor=actor_of(bob), product=product, attribute="category", value="Coat")

    page = client.get("/products/").text

    assert "Category of Oversized denim jacket: Coat, decided" in page
    assert 'data-edit="category" data-value="Coat"' in page
    assert "94%" not in page


def test_it_asks_which_of_several_garments_it_is(client, product):
    propose(
        product, candidate("Outer", 0.9, category=("Jacket", 0.94)), candidate("Top", 0.8, category=("Tshirt", 0.8))
    )

    assert "Which garment? Outerwear · Tops" in client.get("/products/").text


def test_it_says_when_no_garment_was_found(client, product):
    assert "nothing found" not in client.get("/products/").text

    propose(product)

    assert "nothing found" in client.get("/products/").text


def test_it_marks_failed_classifications_and_counts_them(client, product, merchant):
    ProductFactory(merchant=merchant, name="All went well")
    image = ProductImageFactory(product=product)
    image.classifications.update(state="failed", open_key=None, error_code="file_missing")
    results.apply(product.pk, Taxonomy.load())

    page = client.get("/products/").text

    assert "1 photo failed" in page
    assert "nothing found" not in page
    assert 'Failed <span class="count">1</span>' in page
    page = client.get("/products/", {"failed": "1"}).text
    assert product.name in page
    assert "All went well" not in page


def test_it_tells_a_new_merchant_what_to_do(client, client_of, dana):
    page = client.get("/products/").text

    assert "No products yet" in page
    assert "Upload the first photos" in page
    assert "Upload the first photos" not in client_of(dana).get("/products/").text


def test_it_says_that_the_products_of_a_demo_merchant_are_examples(client, merchant):
    assert "Demo shop" not in client.get("/products/").text

    merchant.is_demo = True
    merchant.save()

    assert "the products it came with are examples" in client.get("/products/").text


def test_it_shows_no_product_of_another_merchant(client, other_merchant):
    ProductFactory(merchant=other_merchant, name="Not ours")

    assert "Not ours" not in client.get("/products/").text


@pytest.mark.parametrize(("query", "found"), [("denim", True), ("aj-10", True), ("OVERSIZED", True), ("velvet", False)])
def test_it_finds_by_a_part_of_name_or_sku(client, product, query, found):
    page = client.get("/products/", {"q": query}).text

    assert (product.name in page) is found
    assert ("No product matches" in page) is not found
    assert f'<p class="num">{"1 product" if found else "0 products"}</p>' in page


def test_it_filters_by_status(client, product, merchant):
    ProductFactory(merchant=merchant, name="Long published", status=Product.Status.PUBLISHED)

    page = client.get("/products/", {"status": "published"}).text

    assert "Long published" in page
    assert product.name not in page
    assert "1 product<" in page


def test_it_filters_by_category(client, product, merchant):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    shirt = ProductFactory(merchant=merchant, name="Some shirt")
    propose(shirt, candidate("Top", 0.9, category=("Shirt", 0.94)), chosen="Top")

    page = client.get("/products/", {"category": "Shirt"}).text

    assert "Some shirt" in page
    assert product.name not in page


def test_it_shows_everything_for_a_filter_that_it_does_not_know(client, product):
    page = client.get("/products/", {"category": "Spacesuit", "status": "lost", "page": "x"}).text

    assert product.name in page


def test_it_leaves_the_archive_out_until_asked_for(client, product, merchant):
    ProductFactory(merchant=merchant, name="Put away", status=Product.Status.ARCHIVED)

    assert "Put away" not in client.get("/products/").text
    assert "Put away" in client.get("/products/", {"status": "archived"}).text


def test_it_says_where_everything_is_when_all_is_archived(client, merchant):
    ProductFactory(merchant=merchant, name="Put away", status=Product.Status.ARCHIVED)

    page = client.get("/products/").text

    assert "No products yet" not in page
    assert "archived" in page


@pytest.fixture
def five_a_page(monkeypatch):
    monkeypatch.setattr(listing, "PAGE_SIZE", 5)


def test_it_comes_in_pages_that_keep_the_search_and_stay_as_rows_come_in(client, merchant, five_a_page):
    for n in range(11):
        ProductFactory(merchant=merchant, name=f"Shirt {n:02}")
    first = client.get("/products/", {"q": "Shirt"}).text
    assert _names(first) == [f"Shirt {n:02}" for n in range(10, 5, -1)]
    assert "11 products" in first
    assert _neighbour(first, "prev") is None
    ProductFactory(merchant=merchant, name="Shirt 99")

    second = client.get(_neighbour(first, "next")).text
    third = client.get(_neighbour(second, "next")).text

    assert _names(second) == [f"Shirt {n:02}" for n in range(5, 0, -1)]
    assert _names(third) == ["Shirt 00"]
    assert _neighbour(third, "next") is None
    assert _names(client.get(_neighbour(third, "prev")).text) == _names(second)
    again = client.get(_neighbour(second, "prev")).text
    assert _names(again) == _names(first)
    beginning = client.get(_neighbour(again, "prev")).text
    assert _names(beginning)[:2] == ["Shirt 99", "Shirt 10"]
    assert _neighbour(beginning, "prev") is None


@pytest.mark.parametrize("sort", ["newest", "oldest", "changed", "name", "sku", "doubt"])
def test_it_leaves_nothing_out_between_pages(client, merchant, five_a_page, sort):
    for n in range(12):
        ProductFactory(merchant=merchant, name=f"Shirt {n % 3}", sku=f"{n:03}" if n % 2 else None)
    Product.objects.update(updated_at=timezone.now())
    address, seen = f"/products/?sort={sort}", []
    while address:
        page = client.get(address).text
        seen += re.findall(r'data-row="(\w+)"', page)
        address = _neighbour(page, "next")

    assert len(seen) == len(set(seen)) == 12


@pytest.mark.parametrize("cursor", ["x", "W10", "WzFd", "WyJhIl0", "bnVsbA", "WzEsMl0", "WzFlOTld"])
@pytest.mark.parametrize("sort", ["newest", "name", "changed"])
def test_it_begins_anew_for_a_cursor_that_is_none(client, product, cursor, sort):
    for side in ("after", "before"):
        assert client.get("/products/", {side: cursor, "sort": sort}).status_code == 200


def test_it_needs_as_many_queries_for_fifty_products_as_for_one(client, merchant, django_assert_max_num_queries):
    for _ in range(50):
        product = ProductFactory(merchant=merchant)
        ProductImageFactory(product=product)
        propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.4)), chosen="Outer")

    # session, person, memberships, attributes, their values, numbers, products, their values, views, last bulk change
    with django_assert_max_num_queries(10):
        assert client.get("/products/", {"q": "Product", "category": "Outer"}).text.count("Jacket</span>") == 50


def _names(page):
    return re.findall(r'<a class="title" href="[^"]+">([^<]+)<', page)


def _neighbour(page, rel):
    """The address of the next or previous page, if it offers one."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return "/products/" + html.unescape(found.group(1)) if found else None
