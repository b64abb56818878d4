"""Decisions through the API: with reasons, in a history, and never over somebody else's."""

import pytest

from catalog.models import Decision
from tests.support.api_clients import error_of, problem_of
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8)), chosen="Outer")
    return f"/products/{product.public_id}"


def test_they_are_listed_with_their_reasons(api, address, alice, client_of):
    api.send("put", f"{address}/attributes/material", {"value": "woven", "reason": "The label says so."})
    api.send("put", f"{address}/attributes/sleeve_length", {"not_applicable": True})
    api.send("delete", f"{address}/attributes/material")
    page = api.send("get", f"{address}/decisions?page_size=2").json()
    last, before = page["results"]
    assert (last["attribute"], last["kind"], last["state"], last["value"]) == ("material", "withdrawn", "unset", None)
    assert (before["kind"], before["state"]) == ("not_applicable", "not_applicable")
    [first] = api.get(page["next"]).json()["results"]
    assert first["reason"] == "The label says so."
    assert (first["value"], first["state"], first["source"]) == ("woven", "decided", "api_key")
    assert (first["decided_by"], first["channel"]) == ("till", "api")
    only = api.send("get", f"{address}/decisions?attribute=sleeve_length").json()["results"]
    assert [entry["kind"] for entry in only] == ["not_applicable"]
    assert error_of(api.send("get", f"{address}/decisions?attrbute=x")) == "unknown_field"


def test_a_persons_decision_is_called_human(api, address, product, actor):
    from catalog import services

    services.decide(actor=actor, product=product, attribute="material", value="woven")
    value = api.send("get", f"{address}/attributes/material").json()
    assert (value["source"], value["channel"], value["decided_by"]) == ("human", "portal", "alice")


def test_the_history_is_read_with_a_constant_number_of_queries(api, address, django_assert_max_num_queries):
    for _time in range(4):
        for value in ("woven", "denim"):
            api.send("put", f"{address}/attributes/material", {"value": value})
    with django_assert_max_num_queries(3):  # key, product, decisions
        assert len(api.send("get", f"{address}/decisions").json()["results"]) == 8


def test_values_are_read_alone(api, address, django_assert_max_num_queries):
    one = api.send("get", f"{address}/attributes/material")
    with django_assert_max_num_queries(5):  # key, product, again with values, attributes
        every = api.send("get", f"{address}/attributes")
    assert every.json()["attributes"]["material"] == one.json()
    assert api.send("get", f"{address}/attributes/sleeve_length").json()["state"] == "unset"
    assert error_of(api.send("get", f"{address}/attributes/colour")) == "not_found"
    for known, path in ((one, "/attributes/material"), (every, "/attributes")):
        again = api.send("get", address + path, headers={"If-None-Match": known.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_decision_that_the_caller_has_not_seen_is_not_overwritten(api, address):
    path = f"{address}/attributes/material"
    seen = api.send("get", path).headers["ETag"]
    first = api.send("put", path, {"value": "woven"}, headers={"If-Match": seen})
    assert first.status_code == 200
    for method, body in (("put", {"value": "corduroy"}), ("delete", None)):
        answer = api.send(method, path, body, headers={"If-Match": seen})
        assert (answer.status_code, error_of(answer)) == (412, "precondition_failed")
    assert Decision.objects.count() == 1
    api.send("put", f"{address}/attributes/category", {"value": "Coat"})  # another value is none of its business
    again = api.send("put", path, {"value": "denim"}, headers={"If-Match": first.headers["ETag"]})
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"value": "x" * 100_000}, "max_length", "/value"),
        ({"value": "woven", "reason": "x" * 301}, "max_length", "/reason"),
        ({"value": 7}, "invalid", "/value"),
        ({"not_applicable": "true"}, "invalid", "/not_applicable"),
    ],
)
def test_what_is_no_decision_is_refused_briefly(api, address, body, code, pointer):
    answer = api.send("put", f"{address}/attributes/material", body)
    problem = problem_of(answer)
    assert (problem["status"], problem["code"], problem["errors"][0]["pointer"]) == (400, code, pointer)
    assert len(answer.content) < 1000


def test_an_unknown_attribute_is_repeated_briefly(api, address):
    answer = api.send("put", f"{address}/attributes/{'x' * 5000}", {"value": "woven"})
    assert error_of(answer) == "unknown_attribute"
    assert len(answer.content) < 1000
