"""From one product that waits for a person to the one before and the next, without the list in between."""

import re

import pytest

from catalog.models import Product
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(merchant, other_merchant):
    """Three products that wait, newest first; others stand between them."""
    products = []
    for _ in range(3):
        products.append(ProductFactory(merchant=merchant, status="to_review"))
        ProductFactory(merchant=merchant, status="ready")
        ProductFactory(merchant=other_merchant, status="to_review")
    return products[::-1]


def _queue(client, product):
    """The place that the page names, and the public ids that its arrows lead to."""
    page = client.get(f"/products/{product.public_id}").text
    found = re.search(r'<nav class="queue".*?</nav>', page, re.DOTALL)
    if found is None:
        return None
    arrows = {rel: re.search(rf'<a href="/products/(\w+)" rel="{rel}"', found[0]) for rel in ("prev", "next")}
    place = re.sub(r"<[^>]*>", "", re.search(r'status=to_review">(.*?)</a>', found[0], re.DOTALL)[1])
    return place, *(arrow and arrow[1] for arrow in arrows.values())


def test_it_goes_through_what_waits_in_the_order_of_the_list(client, waiting):
    first, second, third = waiting
    assert _queue(client, first) == ("To review 1/3", None, second.public_id)
    assert _queue(client, second) == ("To review 2/3", first.public_id, third.public_id)
    assert _queue(client, third) == ("To review 3/3", second.public_id, None)


def test_it_leads_on_from_what_waits_no_longer(client, waiting):
    first, second, third = waiting
    Product.objects.filter(pk=second.pk).update(status="published")
    assert _queue(client, second) == ("To review 2", first.public_id, third.public_id)


def test_it_is_not_there_where_nothing_else_waits(client, client_of, charlie, product, waiting):
    first, second, third = waiting
    Product.objects.filter(pk__in=[second.pk, third.pk]).update(status="archived")
    assert _queue(client, first) is None
    assert _queue(client, product) == ("To review 1", first.public_id, None)
