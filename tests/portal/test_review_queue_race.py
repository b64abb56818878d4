"""The review: people who ask for products in the same moment share the queue without overlap."""

import threading

import pytest
from django.db import connection

from catalog.models import Product, ReviewClaim
from catalog.services.review_claims import claim_next
from tests.support.factories import ProductFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has one writer at a time"),
]

PRODUCTS = 60


def test_they_get_all_of_it_and_nothing_twice(merchant, alice, bob, dana):
    ProductFactory.create_batch(PRODUCTS, merchant=merchant, status="to_review")
    found = {user: [] for user in (alice, bob, dana)}
    problems = []

    def work(user):
        try:
            queue = Product.objects.filter(merchant=merchant).order_by("certainty", "id")
            last = 0
            while mine := claim_next(user=user, products=queue.filter(pk__gt=last), want=5):
                found[user] += mine
                last = mine[-1]
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[user]) for user in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    got = [pk for products in found.values() for pk in products]
    assert len(got) == len(set(got)) == PRODUCTS
    assert ReviewClaim.objects.count() == PRODUCTS
