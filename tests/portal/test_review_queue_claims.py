"""Claims of the review: two people never get the same product."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from catalog.models import ReviewClaim
from catalog.services import review_claims
from tests.portal.test_review_queue import doubtful, fetch, ids, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def six(merchant):
    return [doubtful(merchant, 0.3 + number / 100) for number in range(6)]


@pytest.fixture
def other(client_of, alice):
    return client_of(alice)


def _run_out(**which):
    ReviewClaim.objects.filter(**which).update(until=Now() - timedelta(seconds=1))


def _claims(client, *products, **fields):
    data = {"id": [product.public_id for product in products], **fields}
    return client.post("/review/claims", data, headers={"accept": "application/json"}).json()["kept"]


def test_two_people_never_get_the_same_product(client, other, six):
    mine, theirs = fetch(client, want=3), fetch(other, want=5)

    assert ids(mine) == [product.public_id for product in six[:3]]
    assert ids(theirs) == [product.public_id for product in six[3:]]
    assert ids(fetch(other, want=5, after=theirs["after"])) == []


def test_a_reload_brings_the_same_products_again(client, six):
    assert ids(fetch(client, want=3)) == ids(fetch(client, want=3))


def test_a_claim_runs_out(client, other, six):
    fetch(client, want=6)
    _run_out(product__in=six[:2])

    assert ids(fetch(other)) == [product.public_id for product in six[:2]]


def test_a_claim_is_renewed(client, other, bob, six):
    fetch(client, want=2)
    ReviewClaim.objects.update(until=Now() + timedelta(seconds=1))

    assert _claims(client, *six[:2]) == sorted(product.public_id for product in six[:2])

    soon = Now() + review_claims.LEASE - timedelta(seconds=30)
    assert ReviewClaim.objects.filter(user=bob, until__gt=soon).count() == 2


def test_who_slept_too_long_learns_what_others_got(client, other, six):
    fetch(client, want=2)
    _run_out(product=six[0])
    fetch(other, want=1)

    assert _claims(client, *six[:2]) == [six[1].public_id]


def test_leaving_gives_the_products_back(client, other, six):
    fetch(client, want=6)
    assert ids(fetch(other)) == []

    assert _claims(client, *six, leave="1") == []

    assert len(ids(fetch(other))) == 6


def test_nobody_gives_back_what_others_hold(client, other, six):
    fetch(client, want=6)

    _claims(other, *six, leave="1")

    assert ReviewClaim.objects.count() == 6


def test_an_answer_gives_the_product_back(client, six):
    fetch(client, want=2)

    say(client, six[0], category="Coat")

    assert list(ReviewClaim.objects.values_list("product", flat=True)) == [six[1].pk]


def test_who_was_quicker_keeps_it(alice, bob, six):
    """Both read that nobody holds the products, then both claim them."""
    wanted = [product.pk for product in six]

    first = review_claims.claim(user=alice, products=wanted[:4])
    second = review_claims.claim(user=bob, products=wanted[2:])

    assert first == set(wanted[:4])
    assert second == set(wanted[4:])


def test_claims_left_behind_are_swept(client, bob, six):
    fetch(client, want=6)
    _run_out()

    fetch(client, want=2)

    assert ReviewClaim.objects.count() == 2


def test_other_merchants_products_are_not_claimed(client_of, charlie, six):
    assert _claims(client_of(charlie), *six) == []
    assert not ReviewClaim.objects.exists()
