"""Formats in the portal and the admin: what phones and shops send is stored, the rest is refused by name."""

import io
import re

import pytest
from django.urls import reverse
from PIL import Image

from catalog import services
from catalog.models import Product, ProductImage
from catalog.services.uploads import add_images
from catalog.upload_validation import file_name
from tests.support import odd_images
from tests.support.drawn_images import photo, upload
from tests.support.factories import ProductFactory

pytestmark = pytest.mark.django_db

QUICK_REFUSALS = [name for name in odd_images.REFUSED if not name.startswith("slow")]


def _opened(field):
    with field.open() as file:
        return Image.open(io.BytesIO(file.read())).convert("RGB")


@pytest.mark.parametrize("name", odd_images.TAKEN)
def test_it_takes_what_browsers_show(client, name):
    data = odd_images.TAKEN[name]()
    client.post("/products/new", {"images": upload(name, data)})

    image = ProductImage.objects.get()
    assert (image.original_name, image.width, image.height) == (name, 400, 300)
    with image.original.open() as file:
        assert file.read() == data
    assert _opened(image.display).getpixel((200, 200)) == pytest.approx((178, 34, 34), abs=12)


@pytest.mark.parametrize("name", QUICK_REFUSALS)
def test_it_refuses_other_formats_by_name(client, name):
    make, kind = odd_images.REFUSED[name]
    response = client.post("/products/new", {"images": upload(name, make())})
    assert response.status_code == 400
    assert kind in response.text
    assert not Product.objects.exists()


@pytest.mark.parametrize("name", ["line.png", "segments.jpg"])
def test_it_refuses_bombs_with_a_sentence(client, name):
    make, code = odd_images.BOMBS[name]
    response = client.post("/products/new", {"images": upload(name, make())}, headers={"accept": "application/json"})
    assert [entry["code"] for entry in response.json()["received"]] == [code]
    assert not Product.objects.exists()


def test_pages_offer_the_files_that_are_taken(client, product, client_of, admin):
    addresses = [(client, "/products/new/"), (client, f"/products/{product.public_id}")]
    addresses.append((client_of(admin), reverse("admin:catalog_product_add")))
    for browser, address in addresses:
        accepted = re.search(r'type="file"[^>]*accept="([^"]+)"', browser.get(address).text)[1].split(",")
        assert {"image/jpeg", "image/heic", "image/avif", ".heic", ".jfif", ".tif"} <= set(accepted)


def test_the_original_is_handed_out_as_what_it_is(client):
    client.post("/products/new", {"images": upload("iphone.JPG", odd_images.heic())})
    answer = client.get(f"/media/{ProductImage.objects.get().public_id}/original")
    assert answer.headers["Content-Type"] == "image/heic"


def test_a_tall_page_is_shown_at_its_own_width_and_scrolled(client):
    client.post("/products/new", {"images": [upload("page.jpg", size=(860, 15_000)), upload("front.jpg")]})
    page, front = ProductImage.objects.order_by("position")
    assert _opened(page.display).size == (720, 12_558)
    assert _opened(page.thumbnail).size == (182, 400)
    assert _opened(front.display).size == (400, 300)
    html = client.get(f"/products/{page.product.public_id}").text
    figures = re.findall(r'<figure class="photo([^"]*)" id="photo-(\w+)"', html)
    assert figures == [(" long", page.public_id), ("", front.public_id)]
    assert html.count('class="scroll"') == 1
    assert f'id="boxes-{page.public_id}"' in html
    assert f'id="small-{page.public_id}"' not in html  # its thumbnail shows its beginning only


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((3000, 2000), (1600, 1067)),
        ((2000, 3000), (1067, 1600)),
        ((1000, 2199), (728, 1600)),
        ((1000, 2210), (720, 1591)),
        ((600, 4000), (600, 4000)),
        ((4000, 600), (4000, 600)),
        ((860, 39_000), (514, 23_328)),
    ],
)
def test_the_display_copy_is_legible(client, size, shown):
    client.post("/products/new", {"images": upload(size=size)})
    width, height = _opened(ProductImage.objects.get().display).size
    assert (width, height) == pytest.approx(shown, rel=0.01)


def test_the_admin_draws_boxes_on_whole_images_only(client_of, admin, merchant, client):
    client.post("/products/new", {"images": upload("page.jpg", size=(300, 3000))})
    image = ProductImage.objects.get()
    page = client_of(admin).get(reverse("admin:catalog_productimage_change", args=[image.pk])).text
    assert 'class="image-scroll"' in page


# --- The same images in another product -------------------------------------------------------------------------------


def test_the_same_images_in_another_product_are_pointed_out(client, merchant):
    files = [photo("navy"), photo("seagreen")]
    client.post("/products/new", {"images": [upload("a.jpg", files[0]), upload("b.jpg", files[1])], "name": "First"})
    first = Product.objects.get()
    assert "same-images" not in client.get(f"/products/{first.public_id}").text

    client.post("/products/new", {"images": [upload("x.jpg", files[1])], "name": "Second"})
    second = Product.objects.exclude(pk=first.pk).get()
    for product, other in ((first, second), (second, first)):
        html = client.get(f"/products/{product.public_id}").text
        notice = re.search(r'class="note same-images">(.*?)</p>', html, re.S)[1]
        assert f'href="/products/{other.public_id}">{other.name}</a>' in notice


def test_the_upload_script_is_told_too(client, product):
    client.post(f"/products/{product.public_id}/images", {"images": upload("a.jpg")})
    answer = client.post("/products/new", {"images": upload("b.jpg")}, headers={"accept": "application/json"}).json()
    assert answer["received"][0]["same"] == [{"name": str(product), "page": f"/products/{product.public_id}"}]
    assert answer["received"][0]["code"] is None


def test_other_merchants_and_what_was_put_away_are_not_pointed_out(client, product, other_merchant, actor_of, alice):
    elsewhere = ProductFactory(merchant=other_merchant)
    ProductImage.objects.create(product=elsewhere, sha256="0" * 64, size=1, width=1, height=1)
    add_images(actor=actor_of(alice), product=product, files=[upload()])
    sha256 = product.images.get().sha256
    ProductImage.objects.filter(product=elsewhere).update(sha256=sha256)
    client.post("/products/new", {"images": upload(), "name": "Second"})
    second = Product.objects.get(name="Second")
    services.archive_image(actor=actor_of(alice), image=product.images.get())
    assert "same-images" not in client.get(f"/products/{second.public_id}").text


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("\ufeffWool coat\t", "Wool coat"),
        ("Wool\tcoat", "Wool coat"),
        ("Wool\r\ncoat", "Wool coat"),
        ("\u200bWool\u200b coat\u200b", "Wool coat"),
        ("\u202aWool coat\u202c", "Wool coat"),
        ("\u1106\u1167\u11ab 셔츠", "면 셔츠"),
        ("엄마와 딸 👩\u200d👧", "엄마와 딸 👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        (" \ufeff\t ", ""),
    ],
)
def test_names_and_skus_are_tidied(client, typed, kept):
    client.post("/products/new", {"images": upload(), "name": typed, "sku": typed})
    product = Product.objects.get()
    assert (product.name, product.sku) == (kept, kept or None)


@pytest.mark.parametrize("typed", ["\u3164", "\u2800", "\u3164 \u2800", "\u115f\u1160", "\uffa0"])
def test_what_looks_empty_is_refused(client, typed):
    for field in ("name", "sku"):
        response = client.post("/products/new", {"images": upload(), field: typed})
        assert response.status_code == 400
        assert "has no character that can be seen" in response.text
    assert not Product.objects.exists()


def test_an_sku_that_looks_the_same_is_the_same(client):
    client.post("/products/new", {"images": upload(), "sku": "AJ-1"})
    response = client.post("/products/new", {"images": upload(color="navy"), "sku": "A\u200dJ-1"})
    assert "Another product of this shop has this SKU already." in response.text


def test_files_keep_their_names():
    assert file_name("👩\u200d👧.jpg") == "👩\u200d👧.jpg"
    assert file_name("\ufeffa\u202e.jpg\t") == "a.jpg"
    assert file_name("\u3164") == "image"
