"""The API's one shape of errors, its languages, and its schema."""

import re

import pytest
from django.test import Client

from catalog.models import Product
from tests.support.api_clients import ApiClient, error_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/nothing", 404, "not_found"),
        ("post", "/nothing/here", 404, "not_found"),
        ("get", "/", 404, "not_found"),
        ("get", "/products/" + "0" * 20, 404, "not_found"),
        ("delete", "/products", 405, "method_not_allowed"),
        ("get", "/products?page=x", 400, "unknown_field"),
        ("options", "/products", 405, "method_not_allowed"),
    ],
)
def test_it_answers_in_one_shape(api, method, path, status, code):
    answer = api.send(method, path)
    assert (answer.status_code, error_of(answer)) == (status, code)


def test_it_refuses_what_is_not_json(api):
    answer = api.post("/api/v1/products", "{name:", content_type="application/json")
    assert (answer.status_code, error_of(answer)) == (400, "parse_error")
    answer = api.post("/api/v1/products", "name=x", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, error_of(answer)) == (415, "unsupported_media_type")


def test_it_reads_no_endless_json(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = api.send("post", "/products", {"name": "x" * 1000})
    assert (answer.status_code, error_of(answer)) == (413, "too_large")
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[" * 100_000, "parse_error"),
        ('{"name": ' * 50_000, "parse_error"),
        ('{"name": NaN}', "parse_error"),
        ('{"name": ' + "9" * 10_000 + "}", "parse_error"),
        ('{"\\ud800": 1}', "surrogate_characters_not_allowed"),
        ('{"name": "\\ud800"}', "surrogate_characters_not_allowed"),
        ('{"' + "x" * 100_000 + '": 1}', "unknown_field"),
        ("{" + ",".join(f'"x{n}": 1' for n in range(10_000)) + "}", "unknown_field"),
        ('{"name": {"name": "x"}}', "invalid"),
        ("\ufeff{}", "parse_error"),
        (b"\xff\xfe", "parse_error"),
    ],
)
def test_hostile_json_is_a_mistake_of_the_callers(api, body, code):
    answer = api.post("/api/v1/products", body, content_type="application/json")
    assert (answer.status_code, error_of(answer)) == (400, code)
    assert len(answer.content) < 2000
    assert not Product.objects.exists()


def test_it_names_every_wrong_field(api):
    answer = api.send("post", "/products", {"nmae": "x", "colour": "red"})
    assert answer.json()["detail"].count("There is no such field.") == 2
    assert "nmae: " in answer.json()["detail"]
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/nmae", "/colour"]


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("get", "/products?status=over", None, "draft, classifying, to_review, ready, published, archived"),
        ("get", "/products?ordering=-created_at", None, "newest, oldest, changed, name, sku, doubt"),
        ("get", "/products?failed=1", None, "true, false"),
        ("get", "/products?created_since=2026-11-27T10:00:00Z", None, "2026-11-27"),
        ("get", "/products?state=draft", None, "status, category"),
        ("post", "/products", {"image": "x"}, "name, sku, image"),
        ("post", "/webhooks", {"url": "https://shop.example/", "events": ["product.eaten"]}, "product.published"),
        ("delete", "/products", None, "GET, POST"),
    ],
)
def test_it_says_what_there_is_instead(api, method, path, body, said):
    answer = api.send(method, path, body) if body else api.send(method, path)
    assert answer.status_code in {400, 405}
    assert said in answer.json()["detail"]


def test_it_says_how_to_send_a_key(client):
    answer = client.get("/api/v1/products", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 401
    assert "Authorization: Bearer" in answer.json()["detail"]


def test_it_says_which_formats_it_reads_and_writes(api):
    answer = api.post("/api/v1/products", "x", content_type="text/plain")
    assert (answer.status_code, "application/json, multipart/form-data" in answer.json()["detail"]) == (415, True)
    answer = api.get("/api/v1/products", headers={"accept": "text/html"})
    assert (answer.status_code, "application/json" in answer.json()["detail"]) == (406, True)


@pytest.mark.parametrize(("language", "status"), [("ko", 400), ("en", 400), ("fr", 400), (None, 400)])
def test_it_speaks_the_callers_language(api_key, language, status):
    headers = {"authorization": f"Bearer {api_key[1]}"} | ({"accept-language": language} if language else {})
    client = Client(headers=headers)
    answer = client.post("/api/v1/products", {"sku": "x" * 70}, content_type="application/json")
    assert answer.status_code == status
    assert answer.headers["Content-Language"] == ("en" if language == "en" else "ko")
    assert answer.json()["code"] == "sku_too_long"
    assert bool(re.search("[가-힣]", answer.json()["detail"])) == (language != "en")


def test_it_speaks_korean_whatever_is_wrong(api_key, product):
    api = ApiClient(api_key[1], language="ko")
    answers = [
        api.send("get", "/products/nowhere"),
        api.send("patch", "/products/nowhere", {"name": "Stolen"}),
        api.send("put", "/products/nowhere/attributes/material", {"value": "denim"}),
        api.send("delete", f"/products/{product.public_id}/images/nowhere"),
        api.post("/api/v1/products", data=b'{"name": "Coat",', content_type="application/json"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404, 400]
    for answer in answers:
        words = answer.json()["detail"].replace("JSON", "").replace("/api/v1/docs", "")  # these are no English
        assert not re.search("[a-z]{2}", words)


def test_it_shows_its_documentation_without_help_from_outside(api):
    for client in (Client(), api):
        for address, part in (("/api/v1/docs", "swagger-ui"), ("/api/v1/redoc", "redoc.standalone.js")):
            page = client.get(address).content.decode()
            assert part in page
            assert "https://" not in page
        assert client.get("/api/v1/schema").status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nothing", f"/api/v1/products/{'0' * 20}"])
def test_what_is_not_there_says_where_addresses_are_listed(api_key, path):
    assert "/api/v1/docs" in ApiClient(api_key[1]).get(path).json()["detail"]
