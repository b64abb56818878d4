"""Formats, names and the same images elsewhere, through the API."""

import pytest

from catalog.models import Product, ProductImage
from tests.support import odd_images
from tests.support.api_clients import error_of
from tests.support.drawn_images import photo, upload
from tests.support.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", odd_images.TAKEN)
def test_it_takes_what_browsers_show(api, product, name):
    answer = api.upload(f"/products/{product.public_id}/images", upload(name, odd_images.TAKEN[name]()))
    assert answer.status_code == 201
    image = answer.json()["uploads"][0]["image"]
    assert (image["name"], image["width"], image["height"]) == (name, 400, 300)


@pytest.mark.parametrize("name", odd_images.REFUSED)
def test_it_refuses_other_formats_by_name(api, product, name):
    make, kind = odd_images.REFUSED[name]
    answer = api.upload(f"/products/{product.public_id}/images", upload(name, make()))
    assert answer.status_code == 400
    error = answer.json()["uploads"][0]["error"]
    assert error["code"] == "unsupported_format"
    assert kind in error["detail"]


@pytest.mark.parametrize("name", odd_images.BOMBS)
def test_it_refuses_bombs(api, product, name):
    make, code = odd_images.BOMBS[name]
    answer = api.upload(f"/products/{product.public_id}/images", upload(name, make()))
    assert (answer.status_code, answer.json()["uploads"][0]["error"]["code"]) == (400, code)
    assert not ProductImage.objects.exists()


def test_it_points_out_the_same_images_in_another_product(api, product):
    files = [upload("a.jpg", photo("navy")), upload("b.jpg", photo("seagreen"))]
    api.upload(f"/products/{product.public_id}/images", *files)
    created = api.upload(
        "/products", upload("x.jpg", photo("navy")), upload("y.jpg", photo("pink")), name="Second"
    ).json()
    assert [entry["same_image_in"] for entry in created["uploads"]] == [[product.public_id], []]
    same = {"id": product.public_id, "name": product.name, "sku": product.sku, "image_count": 1}
    assert created["same_images_in"] == [same]
    read = api.send("get", f"/products/{product.public_id}").json()
    assert [other["id"] for other in read["same_images_in"]] == [created["id"]]


def test_a_size_chart_that_all_products_have_costs_no_more(api, product, merchant, django_assert_max_num_queries):
    chart = photo("navy")
    api.upload(f"/products/{product.public_id}/images", upload("chart.jpg", chart), upload("front.jpg"))
    sha256 = {image.original_name: image.sha256 for image in product.images.all()}
    for _ in range(30):
        ProductImageFactory(product=ProductFactory(merchant=merchant), sha256=sha256["chart.jpg"])
    twin = ProductFactory(merchant=merchant)
    for checksum in sha256.values():
        ProductImageFactory(product=twin, sha256=checksum)
    with django_assert_max_num_queries(15):
        same = api.send("get", f"/products/{product.public_id}").json()["same_images_in"]
    assert len(same) == 5
    assert (same[0]["id"], same[0]["image_count"]) == (twin.public_id, 2)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sku": "\u3164"}, "sku_looks_empty"),
        ({"sku": "\u2800"}, "sku_looks_empty"),
        ({"name": "\u2800\u3164"}, "name_looks_empty"),
        ({"name": "a\u0007"}, "name_control_characters"),
        ({"name": "a\u202eb"}, "name_control_characters"),
    ],
)
def test_it_refuses_what_nobody_sees(api, merchant, body, code):
    answer = api.send("post", "/products", body)
    assert (answer.status_code, error_of(answer)) == (400, code)
    assert not Product.objects.exists()


def test_it_tidies_what_was_pasted(api, merchant):
    answer = api.send("post", "/products", {"name": "\ufeff코트\t👩\u200d👧 ", "sku": "\tAJ-1\ufeff"}).json()
    assert (answer["name"], answer["sku"]) == ("코트 👩\u200d👧", "AJ-1")
    assert api.send("get", "/products?sku=%EF%BB%BFaj-1").json()["results"]
