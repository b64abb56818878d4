"""Images are for those who may see their product, and for nobody else."""

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client

from catalog.services.uploads import add_images
from tests.support.drawn_images import photo, upload
from tests.support.factories import MembershipFactory

pytestmark = pytest.mark.django_db

VARIANTS = ("display", "thumbnail", "original")


@pytest.fixture
def image(alice, actor_of, product):
    [received] = add_images(actor=actor_of(alice), product=product, files=[upload("앞 면.png", photo(kind="PNG"))])
    return received.image


def _body(response):
    return b"".join(response.streaming_content)


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_streams_the_image_to_members(client_of, dana, image, variant):
    response = client_of(dana).get(f"/media/{image.public_id}/{variant}")

    assert response.status_code == 200
    assert response["Content-Type"] == ("image/png" if variant == "original" else "image/jpeg")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    with getattr(image, variant).open() as file:
        assert _body(response) == file.read()


def test_it_hands_out_the_original_under_its_name(client_of, bob, image):
    response = client_of(bob).get(f"/media/{image.public_id}/original")

    assert response["Content-Disposition"] == "attachment; filename*=utf-8''%EC%95%9E%20%EB%A9%B4.png"
    response.getvalue()


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_hides_images_from_outsiders(client_of, charlie, image, variant):
    path = f"/media/{image.public_id}/{variant}"

    assert client_of(charlie).get(path).status_code == 404
    assert Client().get(path).url == f"/login?next={path}"


def test_it_hides_images_of_the_merchant_that_one_does_not_work_in_now(
    client_of, charlie, merchant, other_merchant, image
):
    MembershipFactory(user=charlie, merchant=merchant)
    client = client_of(charlie)
    client.post("/merchant", {"merchant": other_merchant.public_id})

    assert client.get(f"/media/{image.public_id}/display").status_code == 404


def test_it_knows_what_the_browser_has_already(client_of, bob, image):
    client, path = client_of(bob), f"/media/{image.public_id}/thumbnail"
    first = client.get(path)
    first.getvalue()  # a response that is read to its end is closed without the test's connection

    again = client.get(path, headers={"if-none-match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    other = client.get(f"/media/{image.public_id}/display", headers={"if-none-match": first["ETag"]})
    assert other.status_code == 200
    other.getvalue()


def test_it_answers_404_for_what_is_not_there(client_of, bob, image):
    client = client_of(bob)
    assert client.get(f"/media/{image.public_id}/negative").status_code == 404
    assert client.get("/media/nosuchimage/display").status_code == 404

    default_storage.delete(image.display.name)

    assert client.get(f"/media/{image.public_id}/display").status_code == 404


def test_it_serves_no_file_by_its_place_in_the_storage(client_of, bob, image):
    client = client_of(bob)

    for path in (image.display.name, f"media/{image.display.name}", f"static/{image.display.name}"):
        assert client.get(f"/{path}").status_code == 404
    assert not settings.MEDIA_URL.strip("/")
