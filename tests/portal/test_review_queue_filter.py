"""The review of a filter of the list: whatever it shows, as far as it can be answered now."""

import pytest

from catalog.models import Product
from tests.portal.test_review_queue import doubtful, fetch, ids, say
from tests.support.seen_products import seen_product

pytestmark = pytest.mark.django_db


def test_it_is_what_waits_for_a_person_without_a_filter(client, merchant):
    waits, ready = doubtful(merchant), doubtful(merchant)
    Product.objects.filter(pk=ready.pk).update(status="ready")

    assert ids(fetch(client)) == [waits.public_id]


def test_it_brings_what_the_filter_shows(client, merchant):
    jacket = doubtful(merchant, 0.9)
    jeans = seen_product(merchant, category=("Jeans", 0.9))
    Product.objects.filter(pk=jeans.pk).update(status="published")

    assert ids(fetch(client, "category=Jeans")) == [jeans.public_id]
    assert ids(fetch(client, "category=Bottom")) == [jeans.public_id]
    assert set(ids(fetch(client, "category=Jeans&category=Jacket"))) == {jeans.public_id, jacket.public_id}
    assert ids(fetch(client, "status=to_review")) == [jacket.public_id]


@pytest.mark.parametrize("status", ["archived", "classifying"])
def test_it_leaves_out_what_cannot_be_answered_now(client, merchant, status):
    product = doubtful(merchant, 0.9)
    assert ids(fetch(client, "category=Jacket")) == [product.public_id]
    Product.objects.filter(pk=product.pk).update(status=status)

    assert ids(fetch(client, "category=Jacket")) == []
    assert ids(fetch(client, f"status={status}")) == []


@pytest.mark.parametrize("sort", ["newest", "oldest", "changed", "name", "sku", "doubt"])
def test_it_goes_through_every_order_of_the_list_once(client, merchant, sort):
    products = [doubtful(merchant, confidence) for confidence in (0.5, 0.3, 0.5, 0.4)]
    after, found = "", []

    for _round in range(6):
        answer = fetch(client, f"sort={sort}&status=to_review", after=after, want=1)
        found += ids(answer)
        after = answer["after"]

    assert sorted(found) == sorted(product.public_id for product in products)


def test_it_goes_on_by_date(client, merchant):
    products = [doubtful(merchant) for _number in range(3)]
    query = "since=2020-01-01&sort=oldest"

    first = fetch(client, query, want=2)

    assert ids(fetch(client, query, after=first["after"])) == [products[2].public_id]


def test_what_is_decided_is_shown_and_not_asked(client, merchant):
    product = doubtful(merchant)
    say(client, product, category="Coat", material="denim")

    html = fetch(client, "category=Coat")["items"][0]["html"]

    shown = html[html.index('data-panel="Outer"') :].split('data-panel=""')[0]
    assert "review-line asked" not in shown
    assert 'data-decided="Coat"' in shown
    assert "Because:" not in html


def test_the_page_passes_the_filter_on(client, merchant):
    doubtful(merchant)

    page = client.get("/review/?category=Jacket&nonsense=%22%3E")

    assert "/review/batch?category=Jacket&amp;nonsense=%22%3E" in page.text
    assert "Only what the list's filter shows." in page.text.replace("&#x27;", "'")
