"""The portal's home: what waits, what was done, and where each number leads."""

from datetime import timedelta

import pytest
from django.http import QueryDict
from django.utils import timezone

from accounts.models import AuditEvent, Operation
from catalog import home, services
from catalog.models import Product
from catalog.product_filter import ProductFilter
from catalog.selectors import Taxonomy
from tests.support.factories import ProductFactory, UserFactory
from tests.support.seen_products import seen_product
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


def _made(merchant, user, action, *subjects, **more):
    for subject in subjects or ("x",):
        event = AuditEvent.objects.create(
            merchant=merchant, user=user, channel="portal", action=action, subject_type="product", subject_id=subject
        )
        AuditEvent.objects.filter(pk=event.pk).update(**more)


def _jacket(merchant, confidence=0.6, **fields):
    product = ProductFactory(merchant=merchant, **fields)
    propose(product, candidate("Outer", 0.9, category=("Jacket", confidence)), chosen="Outer")
    return product


def _seen(merchant):
    return seen_product(merchant, category=("Jacket", 0.6))


@pytest.fixture
def shop(merchant):
    """One product of each kind that waits, and what does not."""
    _jacket(merchant, name="Doubtful")
    propose(ProductFactory(merchant=merchant), candidate("Outer", 0.9), candidate("Top", 0.8))
    ProductFactory(merchant=merchant, status=Product.Status.CLASSIFYING)
    ProductFactory(merchant=merchant, status=Product.Status.READY)
    ProductFactory(merchant=merchant)
    for status in (Product.Status.PUBLISHED, Product.Status.ARCHIVED):
        ProductFactory(merchant=merchant, status=status)
    failed = ProductFactory(merchant=merchant, status=Product.Status.TO_REVIEW)
    Product.objects.filter(pk=failed.pk).update(failed_images=1)
    return merchant


def test_each_number_leads_to_as_many_products(client, shop):
    context = client.get("/").context
    taxonomy = Taxonomy.load()

    for queue in context["queues"]:
        listed = ProductFilter.parse(QueryDict(queue.query), taxonomy).apply(shop.products.all()).count()
        assert (queue.code, listed) == (queue.code, queue.count)
    assert {queue.code: queue.count for queue in context["queues"]} == {
        "to_review": 3,
        "several": 1,
        "failed": 1,
        "classifying": 1,
        "draft": 1,
        "ready": 1,
    }


def test_it_counts_no_product_of_another_shop(client, shop, other_merchant):
    _jacket(other_merchant)
    _made(other_merchant, None, "product.publish", name := "theirs")

    page = client.get("/")

    assert {queue.count for queue in page.context["queues"]} <= {1, 3}
    assert page.context["work"][2].total == 0
    assert name not in page.text


def test_numbers_stop_at_a_thousand(client, merchant, monkeypatch):
    monkeypatch.setattr(home, "MOST", 2)
    for _ in range(4):
        ProductFactory(merchant=merchant, status=Product.Status.READY)

    assert '<span class="num">2+</span>' in client.get("/").text


def test_it_counts_this_weeks_work_by_day_and_person(client, merchant, alice, bob):
    today = timezone.localdate()
    monday = timezone.localtime().replace(hour=0, minute=0, second=0) - timedelta(days=today.weekday())
    _made(merchant, bob, "product.create", "a", "b", created_at=monday + timedelta(minutes=1))
    _made(merchant, alice, "product.create", "c")
    _made(merchant, alice, "product.create", "old", created_at=monday - timedelta(minutes=1))
    _made(merchant, bob, "product.archive", "a")

    [created, reviewed, published] = client.get("/").context["work"]

    assert (created.total, created.mine, reviewed.total, published.total) == (3, 2, 0, 0)
    assert created.bars[0].mine == 2
    assert sum(bar.total for bar in created.bars[1:]) == (1 if today.weekday() else 0)


def test_its_chart_is_read_out(client, merchant, bob, product):
    _made(merchant, bob, "product.publish", product.public_id)

    page = client.get("/").text

    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    read = ", ".join(f"{day} {int(place == timezone.localdate().weekday())}" for place, day in enumerate(days))
    assert f'role="img" aria-label="{read}"' in page
    assert "1 by you" in page


def test_the_acceptance_is_of_what_people_looked_at(client, merchant, bob, actor_of):
    for category in ("Jacket", "Jacket", "Coat"):
        services.save_review(
            actor=actor_of(bob), product=_seen(merchant), top_category=None, values={"category": category}
        )
    as_it_stood = _seen(merchant)  # its values are public, but nobody looked at them
    services.save_review(actor=actor_of(bob), product=as_it_stood, top_category="Outer", values={})
    services.publish(actor=actor_of(bob), product=as_it_stood)

    acceptance = client.get("/").context["acceptance"]

    assert (acceptance.kept, acceptance.total, acceptance.products) == (2, 3, 3)
    assert "2 of 3 values that somebody looked at, in the last 3 reviewed products" in client.get("/").text


def test_it_counts_the_last_word_on_a_value(client, merchant, bob, actor_of):
    product = _seen(merchant)
    for category in ("Coat", "Jacket"):
        services.save_review(actor=actor_of(bob), product=product, top_category=None, values={"category": category})

    acceptance = client.get("/").context["acceptance"]

    assert (acceptance.kept, acceptance.total) == (1, 1)


def test_it_says_that_nobody_has_answered_yet(client, product):
    assert "Nobody has answered a proposal yet." in client.get("/").text


def test_it_tells_what_others_did_and_not_what_one_did_oneself(client, merchant, alice, bob, product):
    _made(merchant, alice, "product.publish", product.public_id)
    _made(merchant, bob, "product.archive", product.public_id)
    others = [ProductFactory(merchant=merchant).public_id for _ in range(3)]
    _made(merchant, alice, "product.create", *others)
    _made(merchant, alice, "image.add", *others)

    page = client.get("/").text

    assert f'alice published <a href="/products/{product.public_id}">Oversized denim jacket</a>' in page
    assert "alice registered 3 products" in page
    assert "added photos" not in page  # goes without saying
    assert "bob archived" not in page


def test_names_are_text_in_its_sentences(client, merchant, alice):
    alice.name = "<b>alice</b> {who}"
    alice.save()
    odd = ProductFactory(merchant=merchant, name="<script>{count}")
    _made(merchant, alice, "product.publish", odd.public_id)
    _made(merchant, alice, "product.delete", "gone")

    page = client.get("/").text

    assert "&lt;b&gt;alice&lt;/b&gt; {who} published" in page
    assert "&lt;script&gt;{count}</a>" in page
    assert "deleted a product for good" in page


def test_it_tells_what_keys_do(client, merchant, api_key, product):
    AuditEvent.objects.create(
        merchant=merchant,
        api_key=api_key[0],
        channel="api",
        action="product.decide",
        subject_type="product",
        subject_id=product.public_id,
    )

    assert "till: decided a value" in client.get("/").text


def test_it_shows_running_operations_with_their_progress(client, merchant, other_merchant, product):
    running = {"kind": "reclassify", "state": Operation.State.RUNNING}
    Operation.objects.create(merchant=merchant, total=120, done=30, failed=2, **running)
    Operation.objects.create(merchant=other_merchant, total=77, **running)
    Operation.objects.create(merchant=merchant, total=55, kind="reclassify", state=Operation.State.DONE)

    page = client.get("/").text

    assert '<progress max="120" value="30"' in page
    assert "30 / 120" in page
    assert "2 failed" in page
    assert "/ 77" not in page
    assert "/ 55" not in page
    assert "every 5s" in page


def test_what_waits_follows_what_happens(client, merchant, product):
    part = client.get("/home/live").text
    assert "every 30s" in part
    assert "<html" not in part

    ProductFactory(merchant=merchant, status=Product.Status.CLASSIFYING)

    assert "every 5s" in client.get("/home/live").text


def test_a_new_shop_sees_how_to_begin(client, client_of, alice, dana):
    page = client.get("/").text

    assert 'action="/products/new/' in page  # the first product is made right here
    assert "What waits" not in page
    assert "make an API key" not in page  # an owner's
    assert "make an API key" in client_of(alice).get("/").text
    viewer = client_of(dana).get("/").text
    assert "/products/new/" not in viewer
    assert "As soon as somebody of this shop uploads photos" in viewer


def test_viewers_see_the_numbers_and_no_drafts(client_of, dana, shop):
    page = client_of(dana).get("/")

    assert page.context["queues"][0].count == 3
    assert page.context["drafts"] == []
    assert "/products/new/" not in page.text


def test_people_without_a_shop(client_of, admin):
    nobody = UserFactory()
    assert client_of(nobody).get("/").status_code == 200
    assert "You belong to no shop" in client_of(nobody).get("/").text
    assert client_of(nobody).get("/home/live").status_code == 200
    assert client_of(admin).get("/").url == "/admin/"


def test_it_costs_as_much_for_a_thousand_products_as_for_one(
    client, merchant, alice, bob, actor_of, django_assert_max_num_queries
):
    for _ in range(30):
        product = _seen(merchant)
        services.save_review(actor=actor_of(alice), product=product, top_category=None, values={"category": "Jacket"})
    Operation.objects.create(merchant=merchant, kind="reclassify", state=Operation.State.RUNNING, total=3)

    # session, person, memberships; what waits, operations, drafts, three kinds of work this week, reviewed products,
    # their decisions, what others did, the products that it names
    with django_assert_max_num_queries(12):
        client.get("/")
    with django_assert_max_num_queries(5):
        client.get("/home/live")
