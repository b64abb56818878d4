"""Images that are added to products in the admin, and who sees them there."""

import pytest
from django.urls import reverse

from accounts.models import AuditEvent
from catalog.models import Product
from tests.support.admin_products import product_fields, product_page
from tests.support.drawn_images import upload
from tests.support.factories import staff_user
from tests.support.page_forms import messages_of

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_it_creates_a_product_with_the_good_images_and_names_the_bad(admin, merchant, client_of):
    files = [
        upload("front.jpg"),
        upload("notes.jpg", b"these are no pixels"),
    ]
    response = client_of(admin).post(
        reverse("admin:catalog_product_add"),
        {"merchant": merchant.pk, "name": "Coat", "sku": "C-1", "images": files},
    )
    product = Product.objects.get(merchant=merchant)
    assert (product.name, product.sku, product.created_by) == ("Coat", "C-1", admin)
    assert [image.original_name for image in product.images.all()] == ["front.jpg"]
    assert any(said.startswith("notes.jpg: This is not a photo.") for said in messages_of(response))


@pytest.mark.django_db(transaction=True)
def test_it_adds_images_to_a_product(admin, product, client_of):
    client = client_of(admin)
    files = [upload("a.jpg", color="red"), upload("empty.jpg", b"")]
    response = client.post(product_page(product), product_fields(client, product) | {"images": files})
    image = product.images.get()
    assert (image.original_name, image.uploaded_by) == ("a.jpg", admin)
    assert any("empty.jpg: The file is empty." in said for said in messages_of(response))
    assert AuditEvent.objects.get(action="image.add").channel == "admin"


@pytest.mark.django_db(transaction=True)
def test_it_adds_images_whatever_the_product_says_meanwhile(admin, product, client_of):
    client = client_of(admin)
    fields = product_fields(client, product)
    client.post(product_page(product), fields | {"name": "Their jacket"})
    client.post(product_page(product), fields | {"images": [upload("a.jpg", color="red")]})
    product.refresh_from_db()
    assert (product.images.count(), product.name) == (1, "Their jacket")


@pytest.mark.django_db(transaction=True)
def test_it_shows_images_of_any_merchant_to_administrators_only(admin, alice, charlie, product, client_of):
    client = client_of(admin)
    client.post(product_page(product), product_fields(client, product) | {"images": [upload("a.jpg")]})
    image = product.images.get()
    assert (
        reverse("admin:catalog_productimage_media", args=[image.public_id, "thumbnail"])
        in client.get(product_page(product)).content.decode()
    )
    for variant in ("thumbnail", "display", "original"):
        url = reverse("admin:catalog_productimage_media", args=[image.public_id, variant])
        assert client.get(url).status_code == 200
        for other in (alice, charlie):
            assert client_of(other).get(url).status_code == 302  # to the log-in page
        assert client_of(staff_user("view_productimage", "view_product")).get(url).status_code == 404
    assert client.get(url.replace("original", "sha256")).status_code == 404
