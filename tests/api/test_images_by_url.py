"""Images by URL through the API: 202, states to read, refusals by code."""

import threading

import pytest

from catalog.models import FetchedImage, Product
from catalog.services import fetching
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.receivers import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings):
    settings.OTJANG_OUTGOING_ALLOWED = ["127.0.0.1"]

    def answer(call):
        return (200, {}, [upload("red.jpg", color="red").read()]) if call.path == "/red.jpg" else 404

    with receiving(answer) as running:
        yield running


def test_images_of_a_product_are_named_by_url(api, product, shop):
    path = f"/products/{product.public_id}"
    asked = api.send("post", f"{path}/images", {"urls": [f"{shop.url}/red.jpg", f"{shop.url}/none.jpg"]})
    assert asked.status_code == 202
    assert [one["state"] for one in asked.json()["fetches"]] == ["waiting", "waiting"]
    assert asked.headers["Location"].endswith(f"/api/v1{path}/fetches")

    fetching.fetch_due(threading.Event())
    newest, first = api.get(asked.headers["Location"]).json()["results"]
    assert (newest["state"], newest["error"]["code"], newest["image"]) == ("refused", "answer_refused", None)
    assert (first["state"], first["error"]) == ("done", None)
    assert api.send("get", f"{path}/images/{first['image']}").json()["name"] == "red.jpg"
    assert api.send("get", f"{path}/fetches/{first['id']}").json() == first


def test_a_new_product_names_its_images_by_url(api, shop):
    made = api.send("post", "/products", {"name": "Jacket", "image_urls": [f"{shop.url}/red.jpg"]})
    assert made.status_code == 201
    assert [one["state"] for one in made.json()["fetches"]] == ["waiting"]
    fetching.fetch_due(threading.Event())
    assert Product.objects.get().images.count() == 1


@pytest.mark.parametrize(
    ("urls", "code"),
    [
        (["http://169.254.169.254/x.jpg"], "url_forbidden"),
        (["file:///etc/passwd"], "url_invalid"),
        (["https://example.com/a.jpg"] * 51, "max_length"),
        ([], "min_length"),
        (["x" * 2001], "max_length"),
    ],
)
def test_impossible_urls_are_refused_and_nothing_is_kept(api, product, urls, code):
    answer = api.send("post", f"/products/{product.public_id}/images", {"urls": urls})
    assert (answer.status_code, error_of(answer)) == (400, code) or error_of(answer) == "empty"
    if urls:
        refused = api.send("post", "/products", {"name": "x", "image_urls": urls})
        assert refused.status_code == 400
    assert not FetchedImage.objects.exists()
    assert Product.objects.count() == 1


def test_others_ask_for_nothing(read_only_key, charlie, client_of, product, api):
    path = f"/products/{product.public_id}"
    body = {"urls": ["https://example.com/a.jpg"]}
    assert ApiClient(read_only_key[1]).send("post", f"{path}/images", body).status_code == 403
    other = client_of(charlie)
    assert other.post(f"/api/v1{path}/images", body, content_type="application/json").status_code == 404
    assert other.get(f"/api/v1{path}/fetches").status_code == 404
    assert not FetchedImage.objects.exists()
