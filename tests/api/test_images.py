"""Images through the API: the good ones are kept, the bad ones named."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import ApiKey
from catalog.models import ProductImage
from classifier.models import Classification
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import photo, png_bomb, upload
from tests.support.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db


BAD = {
    "empty": b"",
    "not_an_image": b"this is a letter",
    "damaged": photo()[:2000],
    "too_many_pixels": png_bomb(),
    "unsupported_format": photo(kind="PPM"),
}


def test_it_stores_images(api, product):
    answer = api.upload(f"/products/{product.public_id}/images", upload("앞면.jpg"), upload("b.png", photo(kind="PNG")))
    assert answer.status_code == 201
    first, second = answer.json()["uploads"]
    assert (first["name"], first["error"]) == ("앞면.jpg", None)
    assert (first["image"]["width"], first["image"]["height"]) == (400, 300)
    assert first["image"]["classification"]["state"] == "queued"
    assert second["image"]["position"] == 1
    assert Classification.objects.count() == 2


@pytest.mark.parametrize("code", sorted(BAD))
def test_it_keeps_the_good_one_and_names_the_bad_one(api, product, code):
    answer = api.upload(f"/products/{product.public_id}/images", upload("good.jpg"), upload("bad.jpg", BAD[code]))
    assert answer.status_code == 207
    good, bad = answer.json()["uploads"]
    assert (good["name"], good["error"]) == ("good.jpg", None)
    assert (bad["name"], bad["image"], bad["error"]["code"]) == ("bad.jpg", None, code)
    assert bad["error"]["detail"]
    assert ProductImage.objects.get().original_name == "good.jpg"


@pytest.mark.parametrize("code", sorted(BAD))
def test_it_says_in_one_code_why_nothing_was_stored(api, product, code):
    answer = api.upload(f"/products/{product.public_id}/images", upload("bad.jpg", BAD[code]))
    assert (answer.status_code, error_of_uploads(answer)) == (400, code)
    assert not ProductImage.objects.exists()


def error_of_uploads(answer):
    assert answer.json()["uploads"]
    return error_of(answer)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format"),
        (b"<!doctype html><script>1</script>", "not_an_image"),
    ],
)
def test_it_refuses_markup_that_is_called_an_image(api, product, content, code):
    file = SimpleUploadedFile("a.jpg", content, content_type="image/jpeg")
    answer = api.upload(f"/products/{product.public_id}/images", file)
    assert (answer.status_code, error_of_uploads(answer)) == (400, code)


def test_it_refuses_a_file_that_is_too_large(api, product, settings):
    settings.OTJANG_MAX_UPLOAD_BYTES = 1000
    answer = api.upload(f"/products/{product.public_id}/images", upload())
    assert (answer.status_code, error_of_uploads(answer)) == (413, "too_large")
    assert not ProductImage.objects.exists()


def test_it_refuses_26_megabytes(api, product):
    answer = api.upload(f"/products/{product.public_id}/images", upload("big.jpg", photo() + bytes(26 * 2**20)))
    assert (answer.status_code, error_of_uploads(answer)) == (413, "too_large")


def test_it_keeps_fifty_and_names_the_fifty_first(api, product):
    ProductImageFactory.create_batch(49, product=product)
    answer = api.upload(f"/products/{product.public_id}/images", upload("50.jpg"), upload("51.jpg", color="blue"))
    assert answer.status_code == 207
    assert [entry["error"] and entry["error"]["code"] for entry in answer.json()["uploads"]] == [
        None,
        "too_many_images",
    ]
    assert product.images.count() == 50


def test_it_refuses_a_form_with_hundreds_of_files(api, product, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    answer = api.upload(f"/products/{product.public_id}/images", *(io.BytesIO(b"x") for _ in range(4)))
    assert (answer.status_code, error_of(answer)) == (400, "too_many_parts")
    assert not ProductImage.objects.exists()


def test_it_refuses_a_form_without_files(api, product):
    answer = api.post(f"/api/v1/products/{product.public_id}/images", {})
    assert (answer.status_code, error_of(answer)) == (400, "no_images")


@pytest.mark.parametrize(
    ("form", "code"), [({"files": upload()}, "unknown_field"), ({"images": "front.jpg"}, "invalid")]
)
def test_it_refuses_a_form_that_it_does_not_understand(api, product, form, code):
    answer = api.post(f"/api/v1/products/{product.public_id}/images", form)
    assert (answer.status_code, error_of(answer)) == (400, code)
    assert not ProductImage.objects.exists()


def test_it_refuses_a_form_that_is_none(api, product):
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = api.post(f"/api/v1/products/{product.public_id}/images", b"nonsense", content_type=content_type)
        assert answer.status_code == 400
        assert error_of(answer) == "malformed_form"


def test_it_takes_no_files_in_json(api, product):
    address = f"/products/{product.public_id}/images"
    answer = api.send("post", address, {"images": []})
    assert (answer.status_code, error_of(answer)) == (400, "unknown_field")
    answer = api.post(f"/api/v1{address}", "images", content_type="text/plain")
    assert (answer.status_code, error_of(answer)) == (415, "unsupported_media_type")


def test_it_stores_the_same_image_once(api, product):
    address = f"/products/{product.public_id}/images"
    api.upload(address, upload())
    answer = api.upload(address, upload("again.jpg"))
    [entry] = answer.json()["uploads"]
    assert (answer.status_code, entry["outcome"], entry["error"]) == (200, "present", None)
    assert entry["image"]["id"] == product.images.get().public_id
    answer = api.upload(address, upload("again.jpg"), upload("new.jpg", color="blue"), upload("bad.jpg", b"x"))
    assert answer.status_code == 207
    assert [entry["outcome"] for entry in answer.json()["uploads"]] == ["present", "stored", "refused"]
    assert product.images.count() == 2


def test_a_new_product_has_the_same_image_once(api):
    answer = api.upload("/products", upload("a.jpg"), upload("b.jpg"))
    assert answer.status_code == 201
    first, second = answer.json()["uploads"]
    assert (first["outcome"], second["outcome"]) == ("stored", "present")
    assert first["image"]["id"] == second["image"]["id"]
    assert answer.headers["Location"] == f"/api/v1/products/{answer.json()['id']}"


def test_it_reads_one_image(api, product):
    stored = api.upload(f"/products/{product.public_id}/images", upload()).json()["uploads"][0]["image"]
    answer = api.send("get", f"/products/{product.public_id}/images/{stored['id']}")
    assert (answer.status_code, answer.json()) == (200, stored)


def test_it_finds_no_image_of_another_product(api, product, merchant, other_merchant):
    for owner in (merchant, other_merchant):
        image = ProductImageFactory(product=ProductFactory(merchant=owner))
        for method in ("get", "delete"):
            answer = api.send(method, f"/products/{product.public_id}/images/{image.public_id}")
            assert (answer.status_code, error_of(answer)) == (404, "not_found")
        image.refresh_from_db()
        assert image.archived_at is None


def test_it_archives_an_image(api, product):
    image = ProductImageFactory(product=product)
    address = f"/products/{product.public_id}/images/{image.public_id}"
    assert error_of(api.send("delete", address)) == "not_archived"
    assert api.send("post", f"{address}/archive").status_code == 204
    image.refresh_from_db()
    assert image.archived_at is not None
    assert api.send("get", address).json()["archived_at"]
    assert api.send("get", f"/products/{product.public_id}").json()["images"] == []


def test_it_lists_images_and_removed_ones(api, product, django_assert_max_num_queries):
    images = ProductImageFactory.create_batch(3, product=product)
    address = f"/products/{product.public_id}/images"
    api.send("post", f"{address}/{images[1].public_id}/archive")

    def ids(query=""):
        return [entry["id"] for entry in api.send("get", address + query).json()["results"]]

    assert ids() == [images[0].public_id, images[2].public_id]
    assert ids("?archived=true") == [images[1].public_id]
    assert error_of(api.send("get", f"{address}?archive=true")) == "unknown_field"
    ProductImageFactory.create_batch(10, product=product)
    with django_assert_max_num_queries(6):  # key, product, images, garments, attributes, jobs
        assert len(ids()) == 12


def test_it_restores_and_deletes_images(api, product):
    image = ProductImageFactory(product=product)
    address = f"/products/{product.public_id}/images/{image.public_id}"
    api.send("post", f"{address}/archive")
    restored = api.send("post", f"{address}/restore")
    assert (restored.status_code, restored.json()["archived_at"]) == (200, None)
    api.send("post", f"{address}/archive")
    assert api.send("delete", address).status_code == 204
    assert error_of(api.send("delete", address)) == "not_found"
    assert not ProductImage.objects.exists()


def test_it_puts_images_in_another_order(api, product):
    ids = [image.public_id for image in ProductImageFactory.create_batch(3, product=product)]
    address = f"/products/{product.public_id}/images/order"
    order = [ids[2], ids[0], ids[1]]
    assert api.send("put", address, {"images": order}).status_code == 204
    assert [image["id"] for image in api.send("get", f"/products/{product.public_id}").json()["images"]] == order
    for wrong in (ids[:2], [*ids, ids[0]], [ids[0], ids[0], ids[1]], ["x", "y", "z"], []):
        assert error_of(api.send("put", address, {"images": wrong})) == "other_images"
    assert error_of(api.send("put", address, {"images": [1]})) == "invalid"


def test_a_read_only_key_archives_nothing(read_only_key, product):
    image = ProductImageFactory(product=product)
    client = ApiClient(read_only_key[1])
    address = f"/products/{product.public_id}/images/{image.public_id}"
    for method, path in (("post", f"{address}/archive"), ("delete", address)):
        answer = client.send(method, path)
        assert (answer.status_code, error_of(answer)) == (403, "insufficient_scope")
    image.refresh_from_db()
    assert image.archived_at is None


def test_a_key_gets_the_images_it_was_shown(api, product):
    urls = api.upload(f"/products/{product.public_id}/images", upload()).json()["uploads"][0]["image"]["urls"]
    for url in urls.values():
        answer = api.get(url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")


def test_a_foreign_key_gets_no_image(api, product, other_merchant):
    urls = api.upload(f"/products/{product.public_id}/images", upload()).json()["uploads"][0]["image"]["urls"]
    secret, prefix, key_hash = ApiKey.generate()
    ApiKey.objects.create(merchant=other_merchant, name="foreign", prefix=prefix, key_hash=key_hash)
    for url in urls.values():
        assert ApiClient(secret).get(url).status_code == 404


def test_a_refused_key_is_not_sent_to_the_log_in_page(api, product):
    urls = api.upload(f"/products/{product.public_id}/images", upload()).json()["uploads"][0]["image"]["urls"]
    answer = ApiClient("otj_000000_wrong").get(urls["display"])
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="otjang"')
