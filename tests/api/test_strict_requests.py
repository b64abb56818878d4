"""What the schema forbids is refused, and what it says of answers holds: faults that the fuzzing found."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.support.api_clients import error_of
from tests.support.drawn_images import upload


@pytest.fixture(scope="module")
def components():
    return SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]


@pytest.mark.django_db
@pytest.mark.parametrize("parameter", ["created_until", "created_since", "ordering", "failed", "status"])
def test_an_empty_filter_is_not_taken_for_none(api, parameter):
    answer = api.send("get", f"/products?{parameter}=")
    assert (answer.status_code, error_of(answer)) == (400, "unknown_value")
    assert api.send("get", "/products?q=").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("said", "status"), [("true", 200), ("false", 200), ("AAA", 400), ("", 400)])
def test_a_flag_is_true_or_false(api, product, said, status):
    assert api.send("get", f"/products/{product.public_id}/images?archived={said}").status_code == status


@pytest.mark.django_db
def test_values_of_many_products_are_texts(api):
    body = {"products": [{"sku": "A-1", "attributes": {"material": 0}}]}
    answer = api.send("post", "/products/bulk", body)
    assert (answer.status_code, error_of(answer)) == (400, "invalid")
    body["products"][0]["attributes"]["material"] = None
    assert api.send("post", "/products/bulk", body).status_code == 200


def test_no_field_is_promised_that_can_be_left_out(components):
    assert "required" not in components["Product"]
    assert "required" not in components["ProductSummary"]
    assert components["Image"]["required"]


def test_lists_hold_what_they_hold(components):
    assert components["Garment"]["properties"]["box"]["items"]["type"] == "number"
    assert "box" not in str(components["UsedKey"])


@pytest.mark.django_db
def test_an_empty_wait_is_not_a_number(api, product):
    api.upload(f"/products/{product.public_id}/images", upload())
    (queued,) = api.send("get", "/classifications").json()["results"]
    assert api.send("get", f"/classifications/{queued['id']}?wait=0").status_code == 200
    assert api.send("get", f"/classifications/{queued['id']}?wait=").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "status"), [("order-17", 201), ("order 17", 400), ("k" * 256, 400)])
def test_an_idempotency_key_has_visible_characters_alone(api, key, status):
    answer = api.send("post", "/products", {"name": "Coat"}, headers={"Idempotency-Key": key})
    assert answer.status_code == status
