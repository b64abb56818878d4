"""An open list follows what happens to its products."""

import re

import pytest

from catalog import services
from catalog.models import Product
from tests.support.factories import ProductFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(client):
    """Ask as an open page at that address does."""

    def ask(page, query="", browser=client):
        rows = re.findall(r'data-row="(\w+)" data-mark="(\w+)"', page)
        first = re.search(r'data-first="([^"]*)"', page)
        data = {"row": [f"{number}.{mark}" for number, mark in rows], "first": first.group(1) if first else ""}
        return browser.get("/products/rows/", data | dict(_pairs(query))).json()

    return ask


def _pairs(query):
    return [pair.split("=") for pair in query.split("&") if pair]


def test_it_answers_with_rows_that_changed_alone(client, changed, product, merchant):
    ProductFactory(merchant=merchant, name="Stays")
    page = client.get("/products/").text
    assert changed(page) == {"rows": {}, "gone": [], "new": 0}

    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    found = changed(page)

    assert list(found["rows"]) == [product.public_id]
    assert "Jacket" in found["rows"][product.public_id]


def test_it_sees_a_status_that_no_version_counts(client, changed, product):
    page = client.get("/products/").text
    services.mark_classifying(product_id=product.pk)

    assert "classifying" in changed(page)["rows"][product.public_id]


def test_it_counts_what_came_in_and_names_what_is_gone(client, changed, product, merchant):
    page = client.get("/products/?q=denim").text
    ProductFactory(merchant=merchant, name="Denim coat")
    ProductFactory(merchant=merchant, name="Linen coat")
    other = Product.objects.get(pk=product.pk)
    other.delete()

    assert changed(page, "q=denim") == {"rows": {}, "gone": [product.public_id], "new": 1}


def test_it_follows_the_grid(client, changed, product):
    page = client.get("/products/?as=grid").text
    Product.objects.update(failed_images=1)

    assert "<li" in changed(page, "as=grid")["rows"][product.public_id]


def test_it_tells_outsiders_nothing(client, client_of, charlie, changed, product):
    page = client.get("/products/").text
    Product.objects.update(failed_images=1)

    found = changed(page, browser=client_of(charlie))

    assert found["rows"] == {}


def test_it_needs_few_queries(client, changed, merchant, django_assert_max_num_queries):
    for _ in range(10):
        propose(ProductFactory(merchant=merchant), candidate("Outer", 0.9, category=("Jacket", 0.94)), chosen="Outer")
    page = client.get("/products/").text
    Product.objects.update(failed_images=1)

    # session, person, memberships, attributes, their values, products, their values, how many are new
    with django_assert_max_num_queries(8):
        assert len(changed(page)["rows"]) == 10
