"""Uploading in the portal: the good images are kept, the bad ones named with a sentence."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from catalog.models import Product, ProductImage
from tests.support.drawn_images import photo, png_bomb, upload

pytestmark = pytest.mark.django_db

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>x</title><script>alert(1)</script>"
HANGUL = re.compile("[가-힣]")

REFUSED = {
    "empty.jpg": (b"", "The file is empty."),
    "text.jpg": (b"this is a letter, not an image", "This is not a photo."),
    "cut.jpg": (photo()[:2000], "The photo is damaged or was cut off on the way."),
    "bomb.png": (png_bomb(), "The photo has more than 100 megapixels."),
    "huge.png": (png_bomb(6400), "The photo has more than 40 megapixels, too many for PNG. Save it as JPEG"),
    "drawing.svg": (SVG, "SVG files cannot be stored. Save it as JPEG"),
    "drawing.jpg": (SVG, "SVG files cannot be stored."),
    "page.jpg": (HTML, "This is not a photo."),
    "scan.ppm": (photo(kind="PPM"), "PNM files cannot be stored."),
}


def _script(client, path, *files, **data):
    """Send files as the page's script does."""
    return client.post(path, {"images": files, **data}, headers={"accept": "application/json"})


def test_it_makes_a_product_of_several_images(client, bob, merchant):
    response = client.post(
        "/products/new",
        {"images": [upload("front.jpg"), upload("back.jpg", color="navy")], "name": " Jacket ", "sku": " AJ-7 "},
    )

    product = Product.objects.get()
    assert response.url == f"/products/{product.public_id}"
    assert (product.merchant, product.name, product.sku, product.created_by) == (merchant, "Jacket", "AJ-7", bob)
    assert [image.original_name for image in product.images.current()] == ["front.jpg", "back.jpg"]
    assert {image.uploaded_by for image in product.images.all()} == {bob}
    assert product.status == Product.Status.CLASSIFYING


def test_it_needs_neither_name_nor_sku(client):
    client.post("/products/new", {"images": upload()})

    assert (Product.objects.get().name, Product.objects.get().sku) == ("", None)


@pytest.mark.parametrize("name", REFUSED)
def test_it_keeps_the_good_images_and_names_the_bad_one(client, name):
    data, sentence = REFUSED[name]

    page = client.post("/products/new", {"images": [upload("good.jpg"), upload(name, data)]}, follow=True)

    assert [image.original_name for image in Product.objects.get().images.all()] == ["good.jpg"]
    assert "1 photo was stored." in page.text
    assert f"{name}: {escape(sentence)}" in page.text


@pytest.mark.parametrize("name", REFUSED)
def test_it_says_what_is_wrong_in_korean(client_of, bob, name):
    response = _script(client_of(bob, "ko"), "/products/new", upload(name, REFUSED[name][0]))

    [received] = response.json()["received"]
    assert HANGUL.search(received["message"])
    assert received["code"]


@pytest.mark.parametrize("name", REFUSED)
def test_it_makes_no_product_of_bad_files_alone(client, name):
    data, sentence = REFUSED[name]

    response = client.post("/products/new", {"images": upload(name, data), "name": "Jacket", "sku": "AJ-7"})

    assert response.status_code == 400
    assert not Product.objects.exists()
    assert name in response.text
    assert escape(sentence) in response.text
    assert 'value="AJ-7"' in response.text  # nothing has to be typed again


def test_it_refuses_a_form_without_images(client):
    response = client.post("/products/new", {"name": "Jacket"})

    assert response.status_code == 400
    assert "No photo was sent. Choose at least one." in response.text
    assert 'value="Jacket"' in response.text
    assert not Product.objects.exists()


def test_it_keeps_fifty_of_fifty_one_images(client):
    files = [upload(f"{n}.jpg", color=(5 * n, 0, 0), size=(40, 30)) for n in range(1, 52)]

    page = client.post("/products/new", {"images": files}, follow=True)

    assert Product.objects.get().images.count() == 50
    assert "50 photos were stored." in page.text
    assert "51.jpg: A product has at most 50 photos." in page.text


def test_it_answers_more_files_than_a_form_may_have_with_its_own_sentence(client, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 3
    files = [upload(f"{n}.jpg", color=(n, 0, 0), size=(40, 30)) for n in range(4)]

    response = client.post("/products/new", {"images": files})

    assert response.status_code == 413
    assert "A product has at most 50 photos: send fewer files." in response.text
    assert not Product.objects.exists()
    answer = _script(client, "/products/new", *files)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_many_images"


def test_it_answers_a_form_of_too_much_text_with_its_own_sentence(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    response = client.post("/products/new", {"images": upload(), "name": "x" * 2000})

    assert response.status_code == 413
    assert "The form is too large" in response.text
    assert not Product.objects.exists()


def test_it_refuses_a_file_of_26_megabytes(client):
    large = SimpleUploadedFile("large.jpg", photo() + bytes(26 * 2**20))

    page = client.post("/products/new", {"images": [upload("good.jpg"), large]}, follow=True)

    assert "large.jpg: The file has 26.0 MB; at most 25 MB are possible." in page.text
    assert [image.original_name for image in ProductImage.objects.all()] == ["good.jpg"]


@pytest.mark.parametrize(
    ("sku", "sentence"),
    [
        (" aj-1042 ", "Another product of this shop has this SKU already."),
        ("ＡＪ-1042", "Another product of this shop has this SKU already."),
        ("x" * 65, "The SKU has 65 characters; at most 64 are possible."),
        ("AJ\x07-1", "The SKU holds characters that cannot be seen."),
        ("AJ\u202e-1", "The SKU holds characters that cannot be seen."),
        ("\u3164", "The SKU has no character that can be seen."),
        ("\u2800", "The SKU has no character that can be seen."),
        ("AJ\x00-1", "The SKU holds characters that cannot be seen."),
    ],
)
def test_it_refuses_a_wrong_sku_and_stores_nothing(client, product, sku, sentence):
    response = client.post("/products/new", {"images": upload(), "sku": sku, "name": "Second"})

    assert response.status_code == 400
    assert sentence in response.text
    assert 'value="Second"' in response.text
    assert Product.objects.get() == product
    assert not ProductImage.objects.exists()


def test_it_takes_the_sku_of_another_merchant(client_of, charlie, product):
    client_of(charlie).post("/products/new", {"images": upload(), "sku": product.sku})

    assert Product.objects.filter(sku="AJ-1042").count() == 2


def test_it_tells_the_script_what_became_of_each_file(client):
    response = _script(client, "/products/new", upload("good.jpg"), upload("bad.jpg", b"letter"))

    product = Product.objects.get()
    answer = response.json()
    good, bad = answer["received"]
    assert (good["name"], good["code"], good["message"]) == ("good.jpg", None, None)
    assert (bad["name"], bad["code"]) == ("bad.jpg", "not_an_image")
    assert bad["message"].startswith("This is not a photo.")
    assert client.get(good["thumbnail"]).status_code == 200
    assert answer["product"]["page"] == f"/products/{product.public_id}"

    more = _script(client, answer["product"]["images"], upload("more.jpg", color="navy"))

    assert more.json()["received"][0]["message"] is None
    assert product.images.count() == 2


def test_images_stand_where_the_script_says_whichever_arrives_first(client, product):
    address = f"/products/{product.public_id}/images"
    for place, color in (("0", "red"), ("2", "green"), ("1", "blue"), ("²", "white"), ("9" * 5000, "black")):
        _script(client, address, upload(f"{color}.jpg", color=color), place=place)
    names = [image.original_name for image in product.images.current()]
    assert names == ["red.jpg", "blue.jpg", "green.jpg", "white.jpg", "black.jpg"]


def test_it_tells_the_script_why_nothing_came_of_it(client, product):
    empty = _script(client, "/products/new")
    assert (empty.status_code, empty.json()["code"]) == (400, "no_images")
    empty = _script(client, f"/products/{product.public_id}/images")
    assert (empty.status_code, empty.json()["code"]) == (400, "no_images")


def test_it_adds_images_to_a_product(client, product):
    page = client.post(
        f"/products/{product.public_id}/images",
        {"images": [upload("more.jpg"), upload("same.jpg"), upload("bad.jpg", b"")]},
        follow=True,
    )

    assert [image.original_name for image in product.images.all()] == ["more.jpg"]
    assert "same.jpg: This product has the same photo already" in page.text
    assert "bad.jpg: The file is empty." in page.text


def test_it_removes_an_image(client, product):
    client.post(f"/products/{product.public_id}/images", {"images": upload("more.jpg")})
    image = product.images.get()

    page = client.post(f"/products/{product.public_id}/images/{image.public_id}/remove", follow=True)

    assert "more.jpg was removed." in page.text
    assert not product.images.current().exists()
    assert f"photo-{image.public_id}" not in page.text


def test_it_removes_no_image_for_viewers_and_outsiders(client, client_of, dana, charlie, product):
    client.post(f"/products/{product.public_id}/images", {"images": upload("more.jpg")})
    path = f"/products/{product.public_id}/images/{product.images.get().public_id}/remove"

    assert client_of(dana).post(path).status_code == 403
    assert client_of(charlie).post(path).status_code == 404
    assert Client().post(path).url.startswith("/login")

    assert product.images.current().count() == 1


def test_it_adds_nothing_to_an_archived_product(client, product):
    client.post(f"/products/{product.public_id}/moves/archive")

    page = client.post(f"/products/{product.public_id}/images", {"images": upload()}, follow=True)

    assert "This product is archived. Restore it before you add photos." in page.text
    assert not product.images.exists()


def test_it_tells_the_images_of_one_upload_together(client, product):
    for color in ("red", "navy", "olive"):
        _script(client, f"/products/{product.public_id}/images", upload(f"{color}.jpg", color=color))

    page = client.get(f"/products/{product.public_id}").text

    assert page.count("added 3 photos") == 1
    assert "added 1 image" not in page
