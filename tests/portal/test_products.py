"""The list of a merchant's products."""

import pytest

from catalog import services
from catalog.models import Product
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


def test_it_shows_thumbnail_name_sku_status_and_proposal(client, product):
    image = ProductImageFactory(product=product)
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.41)), chosen="Outer")

    page = client.get("/").text

    assert f"/media/{image.public_id}/thumbnail" in page
    assert "Oversized denim jacket" in page
    assert "AJ-1042" in page
    assert "to review" in page
    assert "◐" in page
    assert 'Jacket</span> <span class="share sure" title="sure">94%' in page
    assert 'Denim</span> <span class="share unsure" title="unsure">41%' in page


def test_it_shows_what_a_person_decided_without_a_share(client, bob, actor_of, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    services.decide(actor=actor_of(bob), product=product, attribute="category", value="Coat")

    page = client.get("/").text

    assert "Coat" in page
    assert "94%" not in page
    assert "✓" in page


def test_it_asks_which_of_several_garments_it_is(client, product):
    propose(
        product, candidate("Outer", 0.9, category=("Jacket", 0.94)), candidate("Top", 0.8, category=("Tshirt", 0.8))
    )

    assert "Choose the garment: Outerwear · Tops" in client.get("/").text


def test_it_says_when_no_garment_was_found(client, product):
    assert "No garment found" not in client.get("/").text

    propose(product)

    assert "No garment found. Choose the values yourself." in client.get("/").text


def test_it_tells_a_failed_classification_from_nothing_found(client, product, django_assert_num_queries):
    propose(product)
    image = ProductImageFactory(product=product)
    Product.objects.update(status=Product.Status.TO_REVIEW)
    image.classifications.update(state="failed", open_key=None, error_code="file_missing")

    # as for the list of many products, and the jobs of those without anything to show
    with django_assert_num_queries(10):
        page = client.get("/").text

    assert "The classification failed. Open the product to classify it again." in page
    assert "No garment found" not in page


def test_it_tells_a_new_merchant_what_to_do(client, client_of, dana):
    page = client.get("/").text

    assert "No products yet" in page
    assert "Upload the first photos" in page
    assert "Upload the first photos" not in client_of(dana).get("/").text


def test_it_says_that_the_products_of_a_demo_merchant_are_examples(client, merchant):
    assert "Demo shop" not in client.get("/").text

    merchant.is_demo = True
    merchant.save()

    assert "the products it came with are examples" in client.get("/").text


def test_it_shows_no_product_of_another_merchant(client, other_merchant):
    ProductFactory(merchant=other_merchant, name="Not ours")

    assert "Not ours" not in client.get("/").text


@pytest.mark.parametrize(("query", "found"), [("denim", True), ("aj-10", True), ("OVERSIZED", True), ("velvet", False)])
def test_it_finds_by_a_part_of_name_or_sku(client, product, query, found):
    page = client.get("/", {"q": query}).text

    assert (product.name in page) is found
    assert ("No product matches" in page) is not found


def test_it_filters_by_status(client, product, merchant):
    ProductFactory(merchant=merchant, name="Long published", status=Product.Status.PUBLISHED)

    page = client.get("/", {"status": "published"}).text

    assert "Long published" in page
    assert product.name not in page
    assert "1 product<" in page


def test_it_filters_by_category(client, product, merchant):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    shirt = ProductFactory(merchant=merchant, name="Some shirt")
    propose(shirt, candidate("Top", 0.9, category=("Shirt", 0.94)), chosen="Top")

    page = client.get("/", {"category": "Shirt"}).text

    assert "Some shirt" in page
    assert product.name not in page


def test_it_shows_everything_for_a_filter_that_it_does_not_know(client, product):
    page = client.get("/", {"category": "Spacesuit", "status": "lost", "page": "x"}).text

    assert product.name in page


def test_it_leaves_the_archive_out_until_asked_for(client, product, merchant):
    ProductFactory(merchant=merchant, name="Put away", status=Product.Status.ARCHIVED)

    assert "Put away" not in client.get("/").text
    assert "Put away" in client.get("/", {"status": "archived"}).text


def test_it_says_where_everything_is_when_all_is_archived(client, merchant):
    ProductFactory(merchant=merchant, name="Put away", status=Product.Status.ARCHIVED)

    page = client.get("/").text

    assert "No products yet" not in page
    assert "archived" in page


def test_it_comes_in_pages_that_keep_the_search(client, merchant):
    for n in range(51):
        ProductFactory(merchant=merchant, name=f"Shirt {n:02}")

    first = client.get("/", {"q": "Shirt"}).text
    second = client.get("/", {"q": "Shirt", "page": 2}).text

    assert "Shirt 50" in first
    assert "Shirt 00" not in first
    assert "?q=Shirt&amp;page=2" in first
    assert "Shirt 00" in second
    assert "51 products" in first


def test_it_needs_as_many_queries_for_fifty_products_as_for_one(client, merchant, django_assert_max_num_queries):
    for _ in range(50):
        product = ProductFactory(merchant=merchant)
        ProductImageFactory(product=product)
        propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.4)), chosen="Outer")

    # session, person, memberships, categories, counts, number found, products, their values, their images
    with django_assert_max_num_queries(9):
        assert client.get("/").text.count("Jacket</span>") == 50
