"""Many products in one call, by their SKUs; and all of them as one stream."""

import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import IdempotentRequest
from catalog import services
from catalog.models import Decision, Product, ProductAttribute
from catalog.services.upserts import MOST
from tests.support.api_clients import ApiClient, error_of
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db


def bulk(api, *lines, **more):
    return api.send("post", "/products/bulk", {"products": list(lines), **more})


def statuses(answer):
    return [result["status"] for result in answer.json()["results"]]


def value_of(product, attribute):
    return ProductAttribute.objects.select_related("value").get(product=product, attribute__code=attribute)


def test_it_creates_and_changes_by_sku(api, product):
    answer = bulk(
        api,
        {"sku": " aj-1042", "name": "Jacket", "attributes": {"category": "Jacket"}},
        {"sku": "NEW-1", "name": "Coat", "attributes": {"category": "Coat", "material": "woven"}},
    )
    assert (answer.status_code, statuses(answer)) == (200, ["updated", "created"])
    body = answer.json()
    assert (body["created"], body["updated"], body["unchanged"], body["refused"]) == (1, 1, 0, 0)
    product.refresh_from_db()
    assert (product.name, product.sku) == ("Jacket", "AJ-1042")
    new = Product.objects.get(sku="NEW-1")
    assert body["results"][1] == {"index": 1, "sku": "NEW-1", "status": "created", "id": new.public_id, "errors": []}
    assert value_of(product, "category").value.code == "Jacket"
    assert (value_of(new, "material").value.code, value_of(new, "material").state) == ("woven", "decided")
    assert new.status == Product.Status.READY
    assert Decision.objects.filter(api_key__isnull=False).count() == 3


def test_what_is_so_already_stays_as_it_is(api):
    lines = [{"sku": "A", "name": "Coat", "attributes": {"category": "Coat"}, "not_applicable": ["sleeve_length"]}]
    bulk(api, *lines)
    version = Product.objects.get().version
    answer = bulk(api, *lines)
    assert statuses(answer) == ["unchanged"]
    assert Product.objects.get().version == version
    assert Decision.objects.count() == 2


def test_null_takes_a_decision_back(api):
    bulk(api, {"sku": "A", "attributes": {"category": "Coat", "material": "woven"}})
    assert statuses(bulk(api, {"sku": "A", "attributes": {"material": None}})) == ["updated"]
    assert value_of(Product.objects.get(), "material").state == "unset"
    assert statuses(bulk(api, {"sku": "A", "attributes": {"material": None}})) == ["unchanged"]


def test_a_refused_line_does_not_hold_up_the_others(api, product, actor):
    services.archive(actor=actor, product=product)
    answer = bulk(
        api,
        {"sku": "A"},
        {"sku": product.sku, "name": "Other"},
        {"sku": "B", "attributes": {"category": "Nothing"}},
        {"sku": "a", "name": "Again"},
        {"sku": "", "name": "Nameless"},
        {"sku": "C", "name": "x" * 300},
        {"sku": "D"},
    )
    assert answer.status_code == 207
    found = {result["index"]: result for result in answer.json()["results"]}
    codes = {index: one["errors"][0]["code"] for index, one in found.items() if one["errors"]}
    assert codes == {1: "archived", 2: "unknown_value", 3: "sku_repeated", 4: "sku_missing", 5: "name_too_long"}
    assert found[5]["errors"][0]["pointer"] == "/products/5/name"
    assert found[3]["errors"][0]["pointer"] == "/products/3/sku"
    assert found[2]["id"] is None
    assert set(Product.objects.exclude(pk=product.pk).values_list("sku", flat=True)) == {"A", "D"}


def test_all_or_nothing(api):
    answer = bulk(api, {"sku": "A"}, {"sku": "B", "attributes": {"category": "Nothing"}}, atomic=True)
    assert (answer.status_code, error_of(answer)) == (400, "bulk_refused")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/products/1/attributes/category"]
    assert not Product.objects.exists()
    assert statuses(bulk(api, {"sku": "A"}, {"sku": "B"}, atomic=True)) == ["created", "created"]


@pytest.mark.parametrize(
    ("line", "pointer", "code"),
    [
        ({"attributes": {"category": "Coat", "material": "stone"}}, "/attributes/material", "unknown_value"),
        ({"attributes": {"category": "Outer"}}, "/attributes/category", "not_a_leaf"),
        ({"attributes": {"a/b": "red"}}, "/attributes/a~1b", "unknown_attribute"),
        ({"not_applicable": ["material", "category"]}, "/not_applicable/1", "category_needed"),
    ],
)
def test_it_points_at_the_attribute_that_is_refused(api, line, pointer, code):
    (result,) = bulk(api, {"sku": "A", **line}).json()["results"]
    assert [(one["pointer"], one["code"]) for one in result["errors"]] == [(f"/products/0{pointer}", code)]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"products": []}, "/products"),
        ({"products": [{"sku": "A"}] * (MOST + 1)}, "/products"),
        ({"products": [{"sku": "A", "colour": "red"}]}, "/products/0/colour"),
        ({"products": [{"name": "A"}]}, "/products/0/sku"),
        ({"products": [{"sku": "A", "attributes": {"category": "-"}}]}, "/products/0/attributes"),
        ({}, "/products"),
    ],
)
def test_a_body_of_another_shape_is_refused_as_a_whole(api, body, pointer):
    answer = api.send("post", "/products/bulk", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not Product.objects.exists()


def test_other_shops_products_are_not_found_by_their_skus(api, other_merchant):
    other = ProductFactory(merchant=other_merchant, sku="A", name="Theirs")
    assert statuses(bulk(api, {"sku": "A", "name": "Ours"})) == ["created"]
    other.refresh_from_db()
    assert other.name == "Theirs"


def test_who_may_only_look_changes_nothing(read_only_key):
    answer = bulk(ApiClient(read_only_key[1]), {"sku": "A"})
    assert answer.status_code == 403
    assert not Product.objects.exists()


def test_what_costs_little_for_one_costs_little_for_each(api):
    def queries(count):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            bulk(api, *({"sku": uuid.uuid4().hex, "name": "Coat"} for _ in range(count)))
        return len(seen)

    few = queries(2)
    assert queries(12) - few <= 10 * 13


def test_a_key_makes_the_answer_repeatable(api):
    def send():
        return api.send("post", "/products/bulk", {"products": [{"sku": "A"}]}, headers={"idempotency-key": "bulk-1"})

    first, again = send(), send()
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert IdempotentRequest.objects.count() == 1


def lines_of(answer):
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def test_the_stream_has_every_product_as_the_list_shows_it(api, merchant, other_merchant):
    for number in range(3):
        ProductFactory(merchant=merchant, sku=f"S-{number}")
    ProductFactory(merchant=other_merchant)
    lines = lines_of(api.get("/api/v1/products/export"))
    assert lines == api.get("/api/v1/products").json()["results"]
    assert [line["sku"] for line in lines] == ["S-2", "S-1", "S-0"]


def test_the_stream_is_as_it_was_when_it_began(api, merchant, monkeypatch):
    monkeypatch.setattr("catalog.api.bulk._READ_AT_ONCE", 2)
    products = [ProductFactory(merchant=merchant, sku=f"S-{number}") for number in range(5)]
    answer = api.get("/api/v1/products/export")
    content = iter(answer.streaming_content)
    first = next(content)
    ProductFactory(merchant=merchant, sku="later")
    products[1].delete()
    rest = b"".join(content)
    skus = [json.loads(line)["sku"] for line in (first + rest).splitlines()]
    assert skus == ["S-4", "S-3", "S-2", "S-0"]


def test_the_stream_is_filtered_as_the_list_and_strictly(api, merchant):
    ProductFactory(merchant=merchant, sku="A", name="Coat")
    ProductFactory(merchant=merchant, sku="B", name="Skirt")
    assert [line["sku"] for line in lines_of(api.get("/api/v1/products/export?q=coat"))] == ["A"]
    assert lines_of(api.get("/api/v1/products/export?status=published")) == []
    for wrong, code in (
        ("stauts=ready", "unknown_field"),
        ("status=raedy", "invalid_choice"),
        ("sku=A", "unknown_field"),
    ):
        answer = api.get(f"/api/v1/products/export?{wrong}")
        assert (answer.status_code, error_of(answer)) == (400, code)


def test_the_stream_has_the_fields_that_are_asked_for(api, merchant):
    ProductFactory(merchant=merchant, sku="A")
    assert lines_of(api.get("/api/v1/products/export?fields=sku")) == [{"sku": "A"}]
    assert lines_of(api.get("/api/v1/products/export?expand=images"))[0]["images"] == []
    assert api.get("/api/v1/products/export?fields=colour").status_code == 400


def test_the_stream_reads_some_at_a_time(api, merchant, monkeypatch):
    """Memory does not grow with the number of products, nor the queries for each."""
    for number in range(6):
        ProductFactory(merchant=merchant, sku=f"S-{number}")
    monkeypatch.setattr("catalog.api.bulk._READ_AT_ONCE", 3)
    with CaptureQueriesContext(connection) as seen:
        assert len(lines_of(api.get("/api/v1/products/export"))) == 6
    assert len(seen) < 25
