"""Reviewers go through the doubtful products of all merchants, with claims, as merchants do with theirs."""

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.ready_groups import load_groups
from catalog.models import Decision, ReviewClaim
from tests.support.factories import ProductFactory, in_group

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:catalog_product_review")
BATCH = reverse("admin:catalog_product_review_batch")


@pytest.fixture
def reviewer(db):
    load_groups()
    return in_group("Reviewer", name="Rita")


@pytest.fixture
def doubtful(merchant, other_merchant):
    return [
        ProductFactory(merchant=one, status="to_review", name=name, certainty=certainty)
        for one, name, certainty in ((merchant, "Coat", 30), (other_merchant, "Shirt", 20), (merchant, "Skirt", 10))
    ]


def _answer(client, item, **fields):
    url = reverse("admin:catalog_product_review_answer", args=[item["id"]])
    return client.post(url, {"version": item["version"], **fields}, headers={"accept": "application/json"})


def test_the_page_counts_all_merchants_products(client_of, reviewer, doubtful):
    page = client_of(reviewer).get(PAGE)
    assert page.context["total"] == 3
    assert BATCH in page.text
    assert reverse("admin:index") in page.text


def test_products_come_with_their_merchant_and_are_claimed(client_of, reviewer, doubtful):
    client = client_of(reviewer)
    batch = client.post(BATCH).json()
    assert [item["id"] for item in batch["items"]] == [one.public_id for one in reversed(doubtful)]
    assert "Charlie&#x27;s merchant" in batch["items"][1]["html"]
    assert reverse("admin:catalog_product_change", args=[doubtful[1].pk]) in batch["items"][1]["html"]
    assert ReviewClaim.objects.filter(user=reviewer).count() == 3
    assert client_of(in_group("Reviewer")).post(BATCH).json()["items"] == []


def test_an_answer_is_the_reviewer_s_in_the_administration(client_of, reviewer, doubtful):
    client = client_of(reviewer)
    item = client.post(BATCH).json()["items"][0]
    answer = _answer(client, item, **{"value-category": "Skirt"})
    assert answer.status_code == 200
    decision = Decision.objects.get(attribute__code="category")
    assert (decision.user, decision.channel) == (reviewer, "admin")
    assert AuditEvent.objects.get(action="product.review").merchant == doubtful[2].merchant
    undo = reverse("admin:catalog_product_review_undo", args=[item["id"]])
    assert client.post(undo, {"undo": answer.json()["undo"]}).json()["item"]["id"] == item["id"]


def test_others_do_not_get_in(client_of, doubtful, alice):
    load_groups()
    client = client_of(in_group("Support"))
    assert client.get(PAGE).status_code == 403
    assert client.post(BATCH).status_code == 403
    assert client_of(alice).get(PAGE).status_code == 302
    assert not ReviewClaim.objects.exists()


def test_an_address_that_is_only_posted_to_leads_to_the_page(client_of, reviewer):
    assert client_of(reviewer).get(BATCH).url == PAGE
