"""A product's values through the API: decided, declared not applicable, taken back."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from catalog.models import Attribute, AttributeValue
from tests.support.api_clients import error_of
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed(product):
    propose(
        product,
        candidate("Outer", 0.9, category=("Jacket", 0.94), material=("denim", 0.8), sleeve_length=("long", 0.97)),
        chosen="Outer",
    )
    return product


def test_it_decides_a_value(api, proposed):
    answer = api.send("put", f"/products/{proposed.public_id}/attributes/material", {"value": "woven"})
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        "value",
        "label",
        "state",
        "source",
        "channel",
        "confidence",
        "decided_by",
        "decided_at",
        "model",
    }
    assert (body["state"], body["value"]) == ("decided", "woven")
    assert body["label"] == {"ko": "우븐", "en": "Woven"}
    assert (body["decided_by"], body["channel"], body["source"]) == ("till", "api", "api_key")
    assert api.send("get", f"/products/{proposed.public_id}").json()["attributes"]["material"] == body


def test_a_decided_category_chooses_the_garment(api, product):
    api.send("put", f"/products/{product.public_id}/attributes/category", {"value": "Jeans"})
    assert api.send("get", f"/products/{product.public_id}").json()["top_category"] == "Bottom"


def test_a_category_without_the_attribute_goes_before_what_was_decided_of_it(api, proposed):
    address = f"/products/{proposed.public_id}/attributes"
    api.send("put", f"{address}/sleeve_length", {"value": "long"})
    api.send("put", f"{address}/category", {"value": "Jeans"})
    listed = api.send("get", f"/products/{proposed.public_id}").json()["attributes"]["sleeve_length"]
    assert (listed["state"], listed["value"]) == ("not_applicable", None)
    answer = api.send("put", f"{address}/sleeve_length", {"value": "short"})
    assert (answer.status_code, error_of(answer)) == (400, "does_not_apply")
    api.send("put", f"{address}/category", {"value": "Coat"})
    listed = api.send("get", f"/products/{proposed.public_id}").json()["attributes"]["sleeve_length"]
    assert (listed["state"], listed["value"]) == ("decided", "long")


def test_it_takes_not_applicable(api, proposed):
    answer = api.send("put", f"/products/{proposed.public_id}/attributes/sleeve_length", {"not_applicable": True})
    assert (answer.json()["state"], answer.json()["value"]) == ("not_applicable", None)


def test_it_takes_a_decision_back(api, proposed):
    address = f"/products/{proposed.public_id}/attributes/material"
    api.send("put", address, {"value": "woven"})
    body = api.send("delete", address).json()
    assert (body["state"], body["value"], body["decided_by"]) == ("proposed", "denim", None)


def test_it_takes_back_no_decision_about_a_published_product(api, proposed):
    address = f"/products/{proposed.public_id}/attributes/material"
    api.send("post", f"/products/{proposed.public_id}/publish")
    answer = api.send("delete", address)
    assert (answer.status_code, error_of(answer)) == (409, "published")
    assert set(proposed.decisions.values_list("kind", flat=True)) == {"set"}
    operation = SchemaGenerator().get_schema(public=True)["paths"]["/api/v1/products/{public_id}/attributes/{code}"]
    assert "409" in operation["delete"]["responses"]


@pytest.mark.parametrize(
    ("attribute", "body", "code"),
    [
        ("category", {"value": "Spacesuit"}, "unknown_value"),
        ("category", {"value": "Outer"}, "not_a_leaf"),
        ("category", {"value": "denim"}, "unknown_value"),
        ("category", {"not_applicable": True}, "category_needed"),
        ("colour", {"value": "red"}, "unknown_attribute"),
        ("material", {}, "one_answer"),
        ("material", {"not_applicable": False}, "one_answer"),
        ("material", {"value": "denim", "not_applicable": True}, "one_answer"),
        ("material", {"value": None}, "null"),
        ("material", {"value": "denim", "confidence": 1}, "unknown_field"),
        ("material", ["denim"], "invalid"),
    ],
)
def test_it_refuses_what_is_no_answer(api, proposed, attribute, body, code):
    answer = api.send("put", f"/products/{proposed.public_id}/attributes/{attribute}", body)
    assert (answer.status_code, error_of(answer)) == (400, code)
    assert not proposed.decisions.exists()
    proposed.refresh_from_db()
    assert proposed.version == 1


def test_it_lists_the_taxonomy(api, django_assert_max_num_queries):
    api.send("get", "/attributes")
    with django_assert_max_num_queries(4):  # key, attributes, applies_to, values
        body = api.send("get", "/attributes").json()
    category, material, sleeve = body["results"]
    assert [entry["code"] for entry in body["results"]] == ["category", "material", "sleeve_length"]
    assert category["label"] == {"ko": "카테고리", "en": "Category"}
    jacket = next(value for value in category["values"] if value["code"] == "Jacket")
    assert jacket == {
        "code": "Jacket",
        "label": {"ko": "재킷", "en": "Jacket"},
        "parent": "Outer",
        "active": True,
        "merged_into": None,
    }
    assert material["applies_to"] == []
    assert "Bottom" not in sleeve["applies_to"]


def test_an_attribute_that_was_added_as_data_needs_no_code(api, product):
    colour = Attribute.objects.create(code="colour", name_ko="색상", name_en="Colour", position=9)
    AttributeValue.objects.create(attribute=colour, code="red", name_ko="빨강", name_en="Red")
    assert api.send("get", "/attributes").json()["results"][3]["values"][0]["code"] == "red"
    assert api.send("get", f"/products/{product.public_id}").json()["attributes"]["colour"]["state"] == "unset"
    answer = api.send("put", f"/products/{product.public_id}/attributes/colour", {"value": "red"})
    assert answer.json()["label"]["en"] == "Red"
