"""Where a product's page says that it is among those that wait, and that it counts no further than lists do."""

import pytest

from accounts.actors import Actor
from accounts.channels import Channel
from catalog import queue_place
from catalog.models import Product
from catalog.queue_place import queue_around
from tests.support.factories import MerchantFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def products():
    merchant = MerchantFactory()
    made = [Product(merchant=merchant, name=f"Coat {number}", status="to_review") for number in range(5)]
    for product in made:
        product.save()
    Product(merchant=merchant, name="Sold", status="published").save()
    return made


@pytest.fixture
def actor(products):
    return Actor(channel=Channel.PORTAL, user=UserFactory(), merchant=products[0].merchant)


def test_place_and_neighbours(products, actor, django_assert_num_queries):
    with django_assert_num_queries(2):
        queue = queue_around(actor, products[3])
    assert (str(queue.total), queue.place) == ("5", 2)
    assert (queue.previous, queue.next) == (products[4].public_id, products[2].public_id)
    assert queue_around(actor, products[4]).previous is None
    assert queue_around(actor, products[0]).next is None


def test_what_does_not_wait_has_no_place(products, actor):
    sold = Product.objects.get(name="Sold")
    queue = queue_around(actor, sold)
    assert (str(queue.total), queue.place, queue.previous) == ("5", None, None)
    assert queue.next == products[4].public_id


def test_one_that_was_deleted_meanwhile_has_no_place(products, actor):
    gone = products[3]
    Product.objects.filter(pk=gone.pk).delete()
    queue = queue_around(actor, gone)
    assert (queue.previous, queue.next) == (None, None)


def test_nothing_is_counted_without_an_end(products, actor, monkeypatch):
    monkeypatch.setattr(queue_place, "MOST_COUNTED", 2)
    assert str(queue_around(actor, products[4]).total) == "2+"
    assert queue_around(actor, products[2]).place == 3
    assert queue_around(actor, products[1]).place is None
