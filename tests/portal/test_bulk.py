"""Doing the same to many products in the portal: asking first, doing it, watching, stopping and undoing it."""

import re

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse

from accounts.models import Operation
from accounts.services import operations
from catalog import services
from catalog.models import Product
from catalog.services import bulk
from tests.support.bulk_operations import finish, run
from tests.support.factories import ProductFactory
from tests.support.seen_products import current_values, seen_product

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


@pytest.fixture
def seen(merchant):
    return [seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.8)) for _n in range(3)]


@pytest.fixture
def client(bob, client_of):
    return client_of(bob)


@pytest.fixture
def many(monkeypatch):
    """Two products are many already."""
    monkeypatch.setattr("catalog.services.bulk.starting.AT_ONCE", 1)


def _ids(*products):
    return [product.public_id for product in products]


def _start(client, action, products, **more):
    data = {"action": action, "product": _ids(*products), **more}
    return client.post(reverse("catalog:bulk_start"), data, headers=JSON)


def _statuses():
    return list(Product.objects.order_by("pk").values_list("status", flat=True))


def _page(operation):
    return reverse("catalog:bulk_operation", args=[operation.public_id])


def test_it_says_first_how_many_and_what_cannot_be(client, actor, merchant, seen):
    services.publish(actor=actor, product=seen[0])
    away = services.archive(actor=actor, product=ProductFactory(merchant=merchant))
    page = client.post(reverse("catalog:bulk_ask"), {"action": "publish", "product": _ids(*seen, away)})
    text = page.content.decode()
    assert "Publish: 4 products" in text
    assert "1 is so already" in text
    assert "1 cannot be changed: archived" in text
    assert "Publish (2)" in text
    assert _statuses() == ["published", "to_review", "to_review", "archived"]
    assert not Operation.objects.exists()


def test_the_dialog_gets_the_question_alone(client, seen):
    page = client.post(reverse("catalog:bulk_ask"), {"action": "archive", "product": _ids(*seen), "part": "1"})
    assert b"<html" not in page.content
    assert b"bulk-title" in page.content


def test_setting_asks_for_the_value_in_both_languages(seen, bob, client_of):
    for language, name in (("en", "Jacket"), ("ko", "재킷")):
        page = client_of(bob, language).post(reverse("catalog:bulk_ask"), {"action": "set", "product": _ids(*seen)})
        assert 'value="category:Jacket"' in page.content.decode()
        assert name in page.content.decode()


def test_a_few_are_done_at_once_with_a_way_back(client, seen):
    answer = _start(client, "publish", seen[:2]).json()
    assert answer["over"] is True
    assert answer["message"] == "2 products published"
    assert _statuses() == ["published", "published", "to_review"]
    undone = client.post(answer["undo"], headers=JSON).json()
    assert undone["message"] == "undone for 2 products"
    assert _statuses() == ["to_review"] * 3


def test_an_answer_that_is_sent_again_changes_nothing_more(client, seen):
    page = client.post(reverse("catalog:bulk_ask"), {"action": "publish", "product": _ids(*seen)}).content.decode()
    once = re.search(r'name="once" value="(\w+)"', page)[1]
    first = _start(client, "publish", seen, once=once).json()
    assert first["page"].endswith(once)
    again = _start(client, "publish", seen, once=once).json()
    assert again == first
    assert Operation.objects.count() == 1


def test_without_a_script_it_ends_where_it_began(client, seen):
    back = reverse("catalog:products") + "?status=to_review"
    data = {"action": "publish", "product": _ids(*seen), "back": back}
    page = client.post(reverse("catalog:bulk_start"), data)
    assert page.url == back
    assert _statuses() == ["published"] * 3


def test_it_goes_nowhere_else_though(client, seen):
    data = {"action": "publish", "product": _ids(*seen), "back": "https://evil.example/"}
    page = client.post(reverse("catalog:bulk_start"), data)
    assert page.url == _page(Operation.objects.get())


def test_all_that_match_the_filter_and_none_that_came_later(client, merchant, seen):
    last = seen[2].pk
    other = ProductFactory(merchant=merchant, status="ready")
    later = seen_product(merchant, category=("Jacket", 0.9))
    data = {"action": "archive", "all": "1", "query": "status=to_review", "last": str(last)}
    asked = client.post(reverse("catalog:bulk_ask"), data).content.decode()
    assert "Archive: 3 products" in asked
    assert f'name="last" value="{last}"' in asked
    client.post(reverse("catalog:bulk_start"), data, headers=JSON)
    assert {product.status for product in Product.objects.filter(pk__in=[one.pk for one in seen])} == {"archived"}
    assert {Product.objects.get(pk=one.pk).status for one in (other, later)} == {"ready", "to_review"}


def test_a_value_is_set(client, seen):
    answer = _start(client, "set", seen, set="material:woven").json()
    assert answer["message"] == "value set for 3 products"
    assert current_values(seen[0])["material"] == ("decided", "woven")
    assert b"Material: " in client.get(answer["page"]).content


@pytest.mark.parametrize(
    ("data", "code"),
    [({"action": "explode"}, "unknown_action"), ({"action": "set"}, "unknown_attribute")],
)
def test_what_makes_no_sense_is_said(client, seen, data, code):
    answer = client.post(reverse("catalog:bulk_start"), {"product": _ids(*seen), **data}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert not Operation.objects.exists()


def test_nothing_chosen_is_said(client, merchant):
    assert _start(client, "publish", []).json()["code"] == "nothing_chosen"
    page = client.post(reverse("catalog:bulk_ask"), {"action": "publish"})
    assert b"Choose some in the list first" in page.content


def test_many_go_on_in_the_background_and_the_page_follows_them(client, seen, many):
    answer = _start(client, "publish", seen).json()
    assert (answer["over"], answer["message"], answer["undo"]) == (False, "", "")
    operation = Operation.objects.get()
    page = client.get(answer["page"]).content.decode()
    assert "0 of 3" in page
    assert f'hx-get="{reverse("catalog:bulk_live", args=[operation.public_id])}"' in page
    operations.continue_some()
    part = client.get(reverse("catalog:bulk_live", args=[operation.public_id])).content.decode()
    assert "hx-get" not in part
    assert "3 products published" in part
    assert "Undo all of it" in part


def test_its_page_lists_what_could_not_be_done(client, actor, merchant, seen):
    away = services.archive(actor=actor, product=ProductFactory(merchant=merchant, name="Put away"))
    open_one = ProductFactory(merchant=merchant, name="Without a category", status="to_review")
    operation = run(actor, "publish", *seen, away, open_one)
    page = client.get(_page(operation)).content.decode()
    assert "3 products published · 1: archived · 1: the category is still open" in page
    assert "Put away" in page
    assert reverse("catalog:product", args=[open_one.public_id]) in page
    page = client.get(_page(operation), {"reason": "archived"}).content.decode()
    assert "Put away" in page
    assert "Without a category" not in page


def test_a_long_report_comes_in_pages(client, actor, merchant, monkeypatch):
    monkeypatch.setattr("catalog.views.bulk._PAGE", 2)
    products = [ProductFactory(merchant=merchant, name=f"Empty {n}", status="to_review") for n in range(3)]
    operation = run(actor, "publish", *products)
    first = client.get(_page(operation)).content.decode()
    assert "Empty 1" in first
    assert "Empty 2" not in first
    after = operation.changes.order_by("pk")[1].pk
    assert f"?after={after}" in first
    assert "Empty 2" in client.get(_page(operation), {"after": after}).content.decode()


def test_it_is_paused_resumed_and_cancelled(client, seen, many):
    _start(client, "publish", seen)
    operation = Operation.objects.get()
    for action, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        page = client.post(reverse("catalog:bulk_move", args=[operation.public_id, action]))
        assert page.url == _page(operation)
        operation.refresh_from_db()
        assert operation.state == state
    refused = client.post(reverse("catalog:bulk_move", args=[operation.public_id, "pause"]), headers=JSON)
    assert refused.status_code == 409


def test_it_says_when_no_worker_seems_to_run(client, seen, many):
    _start(client, "publish", seen)
    Operation.objects.update(created_at="2020-01-01T00:00:00Z")
    assert b"no worker seems to run" in client.get(_page(Operation.objects.get())).content


def test_the_shop_sees_what_was_done_lately(client, actor, seen):
    operation = run(actor, "archive", *seen)
    page = client.get(reverse("catalog:bulk")).content.decode()
    assert "Archive products" in page
    assert reverse("catalog:bulk_move", args=[operation.public_id, "undo"]) in page
    finish(bulk.start_undo(actor=actor, operation=operation))
    page = client.get(reverse("catalog:bulk")).content.decode()
    assert reverse("catalog:bulk_move", args=[operation.public_id, "undo"]) not in page
    assert "undone" in page


def test_a_viewer_sees_but_does_not_touch(actor, dana, client_of, seen):
    client, operation = client_of(dana), run(actor, "publish", *seen)
    page = client.get(_page(operation))
    assert page.status_code == 200
    assert b"Undo all" not in page.content
    undo = reverse("catalog:bulk_move", args=[operation.public_id, "undo"])
    assert client.post(undo).status_code == 403
    assert client.post(reverse("catalog:bulk_ask"), {"action": "archive", "product": _ids(*seen)}).status_code == 403
    assert _start(client, "archive", seen).status_code == 403
    assert _statuses() == ["published"] * 3
    assert Operation.objects.count() == 1


def test_an_outsider_finds_nothing(actor, charlie, client_of, seen):
    client, operation = client_of(charlie), run(actor, "publish", *seen)
    assert client.get(_page(operation)).status_code == 404
    assert client.get(reverse("catalog:bulk_live", args=[operation.public_id])).status_code == 404
    for action in ("pause", "resume", "cancel", "undo"):
        assert client.post(reverse("catalog:bulk_move", args=[operation.public_id, action])).status_code == 404
    assert _start(client, "archive", seen).json()["code"] == "nothing_chosen"
    asked = client.post(reverse("catalog:bulk_ask"), {"action": "archive", "product": _ids(*seen)})
    assert b"0 products" in asked.content
    assert operation.public_id not in client.get(reverse("catalog:bulk")).content.decode()
    assert _statuses() == ["published"] * 3


def _bar(actor, **context):
    request = RequestFactory().get("/")
    request.actor = actor
    template = Template("{% load bulk %}{% bulk_bar matching=matching query=query %}")
    return template.render(Context({"request": request, "matching": 48, "query": "q=denim", **context}))


def test_the_bar_offers_the_actions_and_to_undo_the_last_one(actor, seen, django_assert_num_queries):
    operation = run(actor, "accept", *seen)
    with django_assert_num_queries(1):
        bar = _bar(actor)
    assert "or all 48 that match" in bar
    assert 'name="query" value="q=denim"' in bar
    assert "last: 3 products accepted" in bar
    assert reverse("catalog:bulk_move", args=[operation.public_id, "undo"]) in bar
    for action in ("accept", "set", "classify", "publish", "unpublish", "archive", "restore"):
        assert f'value="{action}"' in bar


def test_a_viewer_has_no_bar(dana, actor_of):
    assert _bar(actor_of(dana)).strip() == ""
