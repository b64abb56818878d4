"""From a product back to the list as one left it: searched, filtered, on its page."""

import re

import pytest

pytestmark = pytest.mark.django_db

LIST = "/products/?status=published&category=Jeans&page=2"


def _way_back(client, product, came_from=None):
    headers = {"referer": came_from} if came_from else {}
    page = client.get(f"/products/{product.public_id}", headers=headers).text
    return re.search(r'class="back" href="([^"]*)"', page)[1].replace("&amp;", "&")


def test_it_leads_back_to_the_list_that_one_came_from(client, product):
    assert _way_back(client, product) == "/products/"
    assert _way_back(client, product, f"http://testserver{LIST}") == LIST


def test_it_still_does_after_something_was_saved_or_another_product_looked_at(client, product):
    _way_back(client, product, f"http://testserver{LIST}")
    page = f"http://testserver/products/{product.public_id}"
    client.post(f"/products/{product.public_id}/details", {"name": "Denim jacket"}, headers={"referer": page})
    assert _way_back(client, product, page) == LIST
    refusal = client.post(f"/products/{product.public_id}/review", {"version": "x"}, headers={"referer": page})
    assert 'href="/products/?status=published&amp;category=Jeans&amp;page=2"' in refusal.text


def test_it_forgets_the_filters_that_one_took_away(client, product):
    _way_back(client, product, f"http://testserver{LIST}")
    assert _way_back(client, product, "http://testserver/products/") == "/products/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/?q=1", "//evil.example/?q=1", "http://testserver/products/new?q=1", "http://[", "nonsense"],
)
def test_it_leads_nowhere_else(client, product, elsewhere):
    assert _way_back(client, product, elsewhere) == "/products/"


def test_it_writes_a_search_as_text(client, product):
    page = client.get(
        f"/products/{product.public_id}", headers={"referer": 'http://testserver/products/?q="><script>'}
    ).text
    assert '"><script>' not in page
