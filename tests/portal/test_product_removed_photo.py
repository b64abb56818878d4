"""A photo that was removed by a slip comes back, by the hand that removed it, too."""

import pytest

from catalog.models import ProductImage
from tests.support.drawn_images import upload

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def image(client, product):
    client.post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})
    return ProductImage.objects.get()


def _path(image, what):
    return f"/products/{image.product.public_id}/images/{image.public_id}/{what}"


def test_the_editor_who_removed_it_sees_it_and_puts_it_back(client, product, image):
    client.post(_path(image, "remove"))

    page = client.get(f"/products/{product.public_id}").text
    assert "1 removed photo" in page
    assert "You removed these." in page
    assert _path(image, "put-back") in page
    assert _path(image, "delete") not in page
    assert client.get(f"/media/{image.public_id}/thumbnail").status_code == 200
    assert client.post(_path(image, "put-back")).status_code == 302
    assert list(ProductImage.objects.current()) == [image]
    assert client.post(_path(image, "put-back")).status_code == 302  # a second click is no fault


def test_other_editors_do_not(client, client_of, alice, dana, product, image):
    client_of(alice).post(_path(image, "remove"))
    for person in (client, client_of(dana)):
        assert "removed photo" not in person.get(f"/products/{product.public_id}").text
        assert person.get(f"/media/{image.public_id}/thumbnail").status_code == 404
        assert person.post(_path(image, "put-back")).status_code == 403
    assert not ProductImage.objects.current().exists()


def test_a_script_is_told_what_happened(client, image):
    assert client.post(_path(image, "remove"), headers=JSON).json() == {"message": "front.jpg was removed."}
    assert client.post(_path(image, "put-back"), headers=JSON).json() == {"message": "front.jpg was put back."}
    client.post(f"/products/{image.product.public_id}/moves/archive")
    answer = client.post(_path(image, "remove"), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "archived")
