"""Errors as programs read them: problems with an id, never pages."""

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests.support.api_clients import ApiClient, problem_of

pytestmark = pytest.mark.django_db


def test_the_caller_may_name_the_request(api):
    answer = api.send("get", "/nothing", headers={"X-Request-ID": "till-7.42"})
    assert problem_of(answer)["request_id"] == "till-7.42"
    for odd in ("x" * 65, "a b", "한", ""):
        answer = api.send("get", "/nothing", headers={"X-Request-ID": odd})
        assert len(problem_of(answer)["request_id"]) == 20
    assert len(api.send("get", "/attributes").headers["X-Request-ID"]) == 20


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v2/products", "/api/v1/products/", "/apix"])
def test_addresses_that_lead_nowhere_are_no_pages(api, path):
    assert problem_of(api.get(path))["code"] == "not_found"


def test_nobody_is_told_so_without_a_page():
    body = problem_of(Client().get("/api/v1/products"))
    assert (body["status"], body["code"]) == (401, "not_authenticated")


def test_a_format_that_it_has_not_is_refused(api):
    answer = api.get("/api/v1/attributes", headers={"accept": "text/html"})
    assert problem_of(answer)["code"] == "not_acceptable"


def test_images_asked_for_with_a_key_come_without_pages(api):
    address = "/media/" + "0" * 20 + "/display"
    assert problem_of(api.get(address))["code"] == "not_found"
    assert problem_of(api.post(address))["code"] == "method_not_allowed"
    assert problem_of(ApiClient("otj_wrong").get(address))["code"] == "invalid_api_key"


def test_our_own_mistakes_are_no_pages(api, monkeypatch):
    monkeypatch.setattr("catalog.api.taxonomy.AttributeSerializer", None)
    api.raise_request_exception = False
    assert problem_of(api.send("get", "/attributes"))["code"] == "server_error"


def test_every_code_is_explained(api):
    listed = Client(headers={"accept-language": "en"}).get("/api/v1/problems").json()
    assert all(one["explanation"] for one in listed)
    assert {"sku_taken", "too_large", "invalid_cursor", "bad_box"} <= {one["code"] for one in listed}
    for one in listed[::10]:
        page = Client(headers={"accept-language": "en"}).get(one["type"])
        assert (page.status_code, page.json()) == (200, one)
    assert problem_of(api.send("get", "/problems/nothing"))["code"] == "not_found"


def test_every_operation_says_how_it_refuses():
    schema = SchemaGenerator().get_schema(public=True)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            assert {"406", "429", "500", "503"} <= set(responses), (path, method)
            for status, response in responses.items():
                if int(status) >= 400:
                    if "$ref" in response:
                        response = schema["components"]["responses"][response["$ref"].rsplit("/", 1)[-1]]
                    assert set(response["content"]) == {"application/problem+json"}, (path, method, status)
                    assert response["content"]["application/problem+json"]["examples"], (path, method, status)
