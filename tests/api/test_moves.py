"""Products through the API on their way: published and back, put away, restored, deleted."""

import pytest

from catalog.models import Product
from tests.support.api_clients import ApiClient, error_of
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def clear(product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9)), chosen="Outer")
    return product


def move(api, product, name, **headers):
    return api.send("post", f"/products/{product.public_id}/{name}", **headers)


def test_it_is_published_and_taken_back(api, clear):
    assert move(api, clear, "publish").json()["status"] == "published"
    assert error_of(api.send("delete", f"/products/{clear.public_id}/attributes/category")) == "published"
    back = move(api, clear, "unpublish")
    assert (back.status_code, back.json()["status"], back.json()["published_at"]) == (200, "ready", None)
    assert error_of(move(api, clear, "unpublish")) == "bad_move"


def test_it_is_put_away_and_restored(api, clear):
    for _time in range(2):
        assert move(api, clear, "archive").json()["status"] == "archived"
    answer = api.send("patch", f"/products/{clear.public_id}", {"name": "New"})
    assert (answer.status_code, error_of(answer)) == (409, "archived")
    assert api.send("get", "/products").json()["results"] == []
    assert [entry["id"] for entry in api.send("get", "/products?status=archived").json()["results"]] == [
        clear.public_id
    ]
    restored = move(api, clear, "restore").json()
    assert (restored["status"], restored["archived_at"]) == ("to_review", None)
    assert error_of(move(api, clear, "restore")) == "bad_move"


def test_only_what_is_archived_is_deleted(api, clear):
    ProductImageFactory(product=clear)
    address = f"/products/{clear.public_id}"
    assert error_of(api.send("delete", address)) == "not_archived"
    move(api, clear, "archive")
    assert api.send("delete", address).status_code == 204
    assert api.send("delete", address).status_code == 404
    assert not Product.objects.exists()


def test_a_read_only_key_moves_nothing(read_only_key, clear):
    client = ApiClient(read_only_key[1])
    for name in ("publish", "unpublish", "archive", "restore"):
        assert error_of(move(client, clear, name)) == "insufficient_scope"
    Product.objects.update(status="archived")
    assert error_of(client.send("delete", f"/products/{clear.public_id}")) == "insufficient_scope"


def test_none_of_these_can_be_said(api, clear):
    answer = api.send("patch", f"/products/{clear.public_id}", {"top_category": None})
    body = answer.json()
    assert (answer.status_code, body["top_category"], body["top_category_source"]) == (200, None, "human")
    assert body["attributes"]["category"]["state"] == "unset"


def test_what_was_changed_meanwhile_is_not_overwritten(api, clear):
    address = f"/products/{clear.public_id}"
    seen = api.send("get", address)
    assert api.send("get", address, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    first = api.send("patch", address, {"name": "First"}, headers={"If-Match": seen.headers["ETag"]})
    assert first.status_code == 200
    for method, path, body in (
        ("patch", "", {"name": "Second"}),
        ("post", "/publish", None),
        ("post", "/archive", None),
        ("delete", "", None),
    ):
        answer = api.send(method, address + path, body, headers={"If-Match": seen.headers["ETag"]})
        assert (answer.status_code, error_of(answer)) == (412, "precondition_failed")
    assert (
        api.send("patch", address, {"name": "Second"}, headers={"If-Match": first.headers["ETag"]}).status_code == 200
    )
    assert api.send("patch", address, {"name": "Third"}, headers={"If-Match": "*"}).status_code == 200
    assert api.send("get", address, headers={"If-None-Match": seen.headers["ETag"]}).json()["name"] == "Third"


def test_ids_are_the_same_on_every_database(api, clear):
    address = f"/products/{clear.public_id}"
    image = ProductImageFactory(product=clear)
    clear.refresh_from_db()
    for known in (address, f"{address}/images/{image.public_id}", "/attributes/material"):
        assert api.send("get", known).status_code == 200
        assert (
            error_of(api.send("get", known.replace(known.split("/")[-1], known.split("/")[-1].upper()))) == "not_found"
        )
    assert error_of(api.send("get", f"{address}/attributes/MATERIAL")) == "not_found"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("fields=id,name", {"id", "name"}),
        ("fields=name&expand=images", {"name", "images"}),
        ("fields=proposal", {"proposal"}),
    ],
)
def test_callers_choose_fields(api, clear, query, found):
    [entry] = api.send("get", f"/products?{query}").json()["results"]
    assert set(entry) == found


def test_lists_leave_out_what_costs_more(api, clear):
    [plain] = api.send("get", "/products").json()["results"]
    [whole] = api.send("get", "/products?expand=images,proposal").json()["results"]
    assert set(whole) - set(plain) == {"images", "proposal"}
    assert whole["proposal"][0]["top_category"] == "Outer"
    one = api.send("get", f"/products/{clear.public_id}").json()
    assert {**whole, "same_images_in": []} == one
    assert set(api.send("get", f"/products/{clear.public_id}?fields=status").json()) == {"status"}


@pytest.mark.parametrize("query", ["fields=nothing", "fields=", "expand=attributes", "fields=id,,name"])
def test_fields_that_are_not_there_are_refused(api, clear, query):
    assert error_of(api.send("get", f"/products?{query}")) == "unknown_field"


def test_expanded_lists_ask_as_often_for_many_as_for_few(api, merchant, django_assert_max_num_queries):
    for _number in range(5):
        product = ProductFactory(merchant=merchant)
        ProductImageFactory.create_batch(2, product=product)
        propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9)), chosen="Outer")
    api.send("get", "/products?page_size=1")
    # key, products, values, images, garments, attributes, labels, jobs
    with django_assert_max_num_queries(8):
        assert len(api.send("get", "/products?expand=images,proposal").json()["results"]) == 5
