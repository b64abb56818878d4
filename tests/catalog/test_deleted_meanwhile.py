"""What was deleted while somebody worked on it is not there: said in a sentence, with the status that says so."""

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts.actors import Actor
from accounts.models import AuditEvent
from catalog.models import Product, ProductImage
from catalog.services import uploads
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory, ProductImageFactory

pytestmark = pytest.mark.django_db

GONE = "This product was deleted meanwhile."
IMAGE_GONE = "This photo was deleted meanwhile."


@pytest.fixture
def image(product):
    return ProductImageFactory(product=product)


@pytest.fixture
def removed(image):
    """An image that was taken away from its product."""
    ProductImage.objects.filter(pk=image.pk).update(archived_at="2026-11-23T00:00Z")
    return image


@pytest.fixture
def delete_meanwhile(monkeypatch):
    """Let rows of a model be deleted after a request has found them, but before a service locks the product."""

    def arrange(model):
        may_edit = Actor.require_edit

        def require_edit(actor, merchant_id):
            may_edit(actor, merchant_id)
            model.objects.all().delete()

        monkeypatch.setattr(Actor, "require_edit", require_edit)

    return arrange


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "", {"name": "Denim jacket"}),
        ("post", "/publish", None),
        ("put", "/attributes/category", {"value": "Jacket"}),
        ("delete", "/attributes/category", None),
        ("post", "/classify", None),
    ],
)
def test_the_api_answers_404(api_key, product, delete_meanwhile, method, path, body):
    delete_meanwhile(Product)
    answer = ApiClient(api_key[1]).send(method, f"/products/{product.public_id}{path}", body)
    assert (answer.status_code, error_of(answer)) == (404, "not_found")
    assert answer.json()["detail"] == GONE
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(("model", "sentence"), [(Product, GONE), (ProductImage, IMAGE_GONE)])
def test_the_api_answers_404_for_an_image(api_key, product, image, delete_meanwhile, model, sentence):
    delete_meanwhile(model)
    answer = ApiClient(api_key[1]).send("post", f"/products/{product.public_id}/images/{image.public_id}/archive")
    assert (answer.status_code, error_of(answer)) == (404, "not_found")
    assert answer.json()["detail"] == sentence


@pytest.fixture
def delete_while_decoding(monkeypatch):
    """Let the product be deleted while its image is decoded."""
    decode = uploads.decoding

    def decode_slowly(*args, **options):
        Product.objects.all().delete()
        return decode(*args, **options)

    monkeypatch.setattr(uploads, "decoding", decode_slowly)


def _files_of(product):
    folder = f"products/{product.public_id}"
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def test_images_of_a_product_that_is_deleted_while_they_are_decoded(api_key, product, delete_while_decoding):
    answer = ApiClient(api_key[1]).upload(f"/products/{product.public_id}/images", upload())
    assert (answer.status_code, error_of(answer)) == (404, "not_found")
    assert _files_of(product) == []


def test_the_upload_script_is_told_too(client_of, alice, product, delete_while_decoding):
    path = reverse("catalog:add_images", args=[product.public_id])
    answer = client_of(alice).post(path, {"images": [upload()]}, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()) == (404, {"code": "not_found", "message": GONE})
    assert _files_of(product) == []


@pytest.mark.parametrize(
    ("view", "more", "data"),
    [
        ("catalog:move", ["publish"], {}),
        ("catalog:move", ["archive"], {}),
        ("catalog:review", [], {"top_category": "Outer", "category": "Jacket", "version": "0"}),
        ("catalog:details", [], {"name": "Denim jacket"}),
        ("classifier:classify_again", [], {}),
    ],
)
def test_the_portal_says_it_on_a_page_with_404(client_of, alice, product, delete_meanwhile, view, more, data):
    delete_meanwhile(Product)
    page = client_of(alice).post(reverse(view, args=[product.public_id, *more]), data)
    assert page.status_code == 404
    assert GONE in page.text
    assert not AuditEvent.objects.exists()


def test_the_portal_says_it_to_scripts_as_json(client_of, alice, product, delete_meanwhile):
    delete_meanwhile(Product)
    path = reverse("catalog:details", args=[product.public_id])
    answer = client_of(alice).post(path, {"name": "Denim jacket"}, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()) == (404, {"code": "not_found", "message": GONE})


@pytest.mark.parametrize(("model", "sentence"), [(Product, GONE), (ProductImage, IMAGE_GONE)])
def test_the_portal_says_it_of_an_image(client_of, alice, product, image, delete_meanwhile, model, sentence):
    delete_meanwhile(model)
    page = client_of(alice).post(reverse("catalog:remove_image", args=[product.public_id, image.public_id]))
    assert page.status_code == 404
    assert sentence in page.text


def test_a_image_that_is_deleted_cannot_be_put_back(client_of, alice, product, removed, delete_meanwhile):
    delete_meanwhile(ProductImage)
    page = client_of(alice).post(reverse("catalog:put_back_image", args=[product.public_id, removed.public_id]))
    assert page.status_code == 404
    assert IMAGE_GONE in page.text


def test_the_admin_says_it_and_goes_on(admin, client_of, merchant, product, delete_meanwhile):
    ProductFactory(merchant=merchant)
    delete_meanwhile(Product)
    chosen = {"action": "archive_selected", "_selected_action": list(Product.objects.values_list("pk", flat=True))}
    page = client_of(admin).post(reverse("admin:catalog_product_changelist"), chosen, follow=True)
    assert page.status_code == 200
    assert page.text.count(GONE) == 2
