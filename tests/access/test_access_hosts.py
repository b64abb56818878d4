"""A request says which host it is for: other names than ours are turned down, and nothing we write repeats them."""

import pytest
from django.core import mail
from django.test import Client

from tests.support.api_clients import ApiClient
from tests.support.drawn_images import upload

pytestmark = pytest.mark.django_db

FORGED = {
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_HOST": "evil.example",
    "HTTP_FORWARDED": "host=evil.example",
    "HTTP_X_ORIGINAL_URL": "/admin/",
    "HTTP_X_REWRITE_URL": "/admin/",
}


@pytest.mark.parametrize("path", ["/", "/login", "/admin/login/", "/api/v1/attributes", "/api/v1/schema"])
@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "evil.example:80", "testserver@evil.example"]
)
def test_another_host_is_turned_down(path, host):
    assert Client(HTTP_HOST=host).get(path).status_code == 400


def test_links_in_mails_lead_to_us(alice):
    Client(**FORGED).post("/password/reset", {"email": alice.email})

    (sent,) = mail.outbox
    assert "http://testserver/password/reset/" in sent.body
    assert "evil.example" not in str(sent.message())


@pytest.mark.parametrize("behind", [False, True])
def test_addresses_in_answers_lead_to_us(behind, api_key, product, settings):
    settings.BEHIND_PROXY = behind
    client = ApiClient(api_key[1])
    client.defaults |= FORGED
    created = client.upload(f"/products/{product.public_id}/images", upload("front.jpg"))
    listed = client.get("/api/v1/products")
    for answer in (created, listed, client.get(f"/api/v1/products/{product.public_id}")):
        assert answer.status_code < 300
        assert "evil.example" not in answer.content.decode() + str(answer.headers)


def test_a_header_that_names_another_address_is_not_followed(product):
    assert Client(**FORGED).get("/healthz").content == b"ok"
