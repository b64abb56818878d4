"""Where many images of a merchant wait, its further ones are queued behind everybody else's."""

import pytest

from catalog.services.uploads import add_images, create_product_with_images
from classifier.models import Classification
from tests.support.drawn_images import upload

pytestmark = pytest.mark.django_db

INTERACTIVE, BULK = Classification.Priority.INTERACTIVE, Classification.Priority.BULK
COLOURS = ("red", "green", "blue", "navy", "white")


@pytest.fixture
def send(settings, actor_of):
    """Create a product of a person's merchant with so many images; returns their priorities."""
    settings.OTJANG_BULK_FROM = 3

    def send(person, count=1):
        actor = actor_of(person)
        files = [upload(f"{color}.jpg", color=color) for color in COLOURS[:count]]
        product, _received = create_product_with_images(actor=actor, merchant=actor.merchant, files=files)
        return set(Classification.objects.filter(image__product=product).values_list("priority", flat=True))

    return send


def test_it_makes_bulk_work_of_what_comes_behind_many_that_wait(send, alice):
    assert send(alice, 2) == {INTERACTIVE}
    assert send(alice, 1) == {INTERACTIVE}
    assert send(alice, 2) == {BULK}


def test_it_decides_once_a_request(send, alice):
    assert send(alice, 5) == {INTERACTIVE}


def test_it_does_not_count_other_merchants(send, alice, charlie):
    send(alice, 5)
    assert send(charlie) == {INTERACTIVE}


def test_it_counts_bulk_work_that_waits_too(send, alice):
    send(alice, 2)
    Classification.objects.update(priority=BULK)
    send(alice, 1)
    assert send(alice) == {BULK}


def test_it_is_interactive_again_when_they_are_done(send, alice):
    send(alice, 5)
    Classification.objects.update(state="done", open_key=None)
    assert send(alice) == {INTERACTIVE}


def test_it_counts_once_a_request_by_indexes(send, alice, actor_of, product, django_assert_max_num_queries):
    send(alice, 3)
    with django_assert_max_num_queries(60) as queries:
        add_images(actor=actor_of(alice), product=product, files=[upload("a.jpg"), upload("b.jpg", color="navy")])
    counted = [query["sql"] for query in queries.captured_queries if "LIMIT 3" in query["sql"]]
    assert len(counted) == 1
