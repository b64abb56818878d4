"""Pages of lists through the API: every entry once, whatever comes or goes in between."""

import base64
import json

import pytest

from tests.support.api_clients import problem_of
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db


def names(answer):
    return [entry["name"] for entry in answer.json()["results"]]


@pytest.fixture
def products(merchant):
    return [ProductFactory(merchant=merchant, name=f"p{number}") for number in range(5)]


def test_they_lead_forward_and_back(api, products):
    first = api.send("get", "/products?page_size=2")
    second = api.get(first.json()["next"])
    third = api.get(second.json()["next"])
    assert [names(page) for page in (first, second, third)] == [["p4", "p3"], ["p2", "p1"], ["p0"]]
    assert (first.json()["previous"], third.json()["next"]) == (None, None)
    assert names(api.get(third.json()["previous"])) == ["p2", "p1"]
    back = api.get(second.json()["previous"])
    assert names(back) == ["p4", "p3"]
    assert back.json()["previous"] is None


def test_the_header_names_the_same_pages(api, products):
    second = api.get(api.send("get", "/products?page_size=2").json()["next"])
    body = second.json()
    assert second.headers["Link"] == f'<{body["next"]}>; rel="next", <{body["previous"]}>; rel="prev"'
    assert "Link" not in api.send("get", "/products").headers


def test_what_comes_and_goes_in_between_moves_nothing(api, merchant, products):
    first = api.send("get", "/products?page_size=2").json()
    ProductFactory(merchant=merchant, name="new")
    products[3].delete()
    assert names(api.get(first["next"])) == ["p2", "p1"]


@pytest.mark.parametrize("size", ["0", "201", "-1", "abc", "", "1.5", "١", "9" * 30])
def test_another_page_size_is_refused(api, products, size):
    body = problem_of(api.send("get", f"/products?page_size={size}"))
    assert (body["status"], body["code"], body["errors"][0]["pointer"]) == (400, "invalid_page_size", "/page_size")


@pytest.mark.parametrize(
    "written",
    [
        [False, ["-pk"], ["x"]],
        [False, ["-pk"], [True]],
        [False, ["-pk"], [1 << 63]],
        [False, ["-pk"], []],
        [False, ["-name"], ["x"]],
        [1, ["-pk"], [1]],
        {},
        7,
        None,
    ],
)
def test_a_cursor_of_somebody_else_is_refused(api, products, written):
    cursor = base64.urlsafe_b64encode(json.dumps(written).encode()).decode()
    body = problem_of(api.send("get", f"/products?cursor={cursor}"))
    assert (body["status"], body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("cursor", ["", "x", "한", "W1s", "%00"])
def test_what_is_no_cursor_is_refused(api, products, cursor):
    assert problem_of(api.send("get", f"/products?cursor={cursor}"))["code"] == "invalid_cursor"
