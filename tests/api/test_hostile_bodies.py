"""Bodies that somebody made up to break something: they are mistakes of the caller's, found quickly."""

import pytest
from django.test import RequestFactory
from rest_framework.exceptions import ErrorDetail

from catalog.models import Product
from core.api import bodies
from tests.support.api_clients import error_of, problem_of
from tests.support.live_servers import application

pytestmark = pytest.mark.django_db

HALF = "\\ud800"  # of a character, as JSON writes it


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("post", "/products", f'{{"name": "a{HALF}"}}', "/name"),
        ("post", "/products", f'{{"{HALF}": 1}}', "/?"),
        ("post", "/products", f'{{"image_urls": ["https://example.com/", "{HALF}"]}}', "/image_urls/1"),
        ("post", "/products/bulk", f'{{"products": [{{"sku": "1", "attributes": {{"a{HALF}": "x"}}}}]}}', None),
        ("post", "/products/bulk", f'{{"products": [{{"sku": "1", "attributes": {{"{HALF}": 1}}}}]}}', None),
        ("post", "/operations/bulk", f'{{"action": "{HALF}", "products": {{"filter": ""}}}}', "/action"),
        ("post", "/operations/export", f'{{"format": "{HALF}", "products": {{"filter": ""}}}}', "/format"),
        ("post", "/webhooks", f'{{"url": "https://example.com", "events": ["{HALF}"]}}', "/events/0"),
    ],
)
def test_half_a_character_is_refused_wherever_it_is(api, method, path, body, pointer):
    answer = api.generic(method, f"/api/v1{path}", body, content_type="application/json")
    assert answer.status_code == 400
    problem = problem_of(answer)
    assert problem["code"] == "surrogate_characters_not_allowed"
    if pointer is not None:
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert not Product.objects.exists()


def test_whole_characters_that_json_writes_in_two_halves_are_fine(api):
    made = api.generic("post", "/api/v1/products", '{"name": "\\ud83d\\ude00"}', content_type="application/json")
    assert (made.status_code, made.json()["name"]) == (201, "😀")


def _asked(environment):
    """What the site says to a request, before any middleware may have seen it."""
    said = []
    usual = RequestFactory().get("/healthz").environ
    answer = application(usual | environment, lambda status, headers: said.append(status))
    b"".join(answer)
    return said[0]


@pytest.mark.parametrize("charset", ["hex", "zlib", "rot13", "idna", "punycode", "undefined", "none-such", "\x00"])
def test_an_encoding_that_is_none_of_texts_is_left_aside(charset):
    kind = {"CONTENT_TYPE": f"application/json; charset={charset}", "QUERY_STRING": "q=%ff%20a"}
    assert _asked(kind).startswith("200")
    assert _asked(kind | {"PATH_INFO": "/api/v1/nowhere"}).startswith("404")
    assert _asked({"CONTENT_TYPE": "text/plain; charset=cp949", "QUERY_STRING": "q=%b0%a1"}).startswith("200")


@pytest.mark.parametrize(
    ("path", "field", "entry"),
    [
        ("/products/bulk", "products", {}),
        ("/products/bulk", "products", 1),
        ("/products", "image_urls", 1),
        ("/operations/bulk", "products", {"ids": [1] * 5_000}),
    ],
)
def test_an_endless_list_costs_little(api, monkeypatch, path, field, entry):
    made = []

    class Counted(ErrorDetail):
        def __new__(cls, *args, **kwargs):
            made.append(args)
            return ErrorDetail(*args, **kwargs)

    monkeypatch.setattr(bodies, "ErrorDetail", Counted)
    monkeypatch.setattr("rest_framework.exceptions.ErrorDetail", Counted)
    body = {field: [entry] * 5_000}
    if field == "products" and path == "/operations/bulk":
        body = {"action": "publish", "products": entry}
    answer = api.send("post", path, body)
    assert answer.status_code == 400
    assert len(made) < 100
    if field != "products" or path == "/products/bulk":
        assert error_of(answer) == "max_length"


def test_endless_names_of_attributes_cost_little(api):
    lines = [{"sku": "A-1", "attributes": {f"a{number}": "x" * 101 for number in range(5_000)}}]
    answer = api.send("post", "/products/bulk", {"products": lines})
    assert (answer.status_code, error_of(answer)) == (400, "max_length")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/products/0/attributes"]
