"""An image that was removed by mistake comes back as it was, and counts again."""

import pytest
from django.test import Client

from accounts.models import AuditEvent
from catalog import services
from catalog.models import ProductImage
from catalog.proposal import Proposal
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Classification
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.written_proposals import top_categories

pytestmark = pytest.mark.django_db


@pytest.fixture
def front(product, alice, actor_of, monkeypatch):
    """The only image of a product, classified and then removed in the portal."""
    add_images(actor=actor_of(alice), product=product, files=[upload("front.jpg")])
    serve(monkeypatch, StubEngine(garment({"Jacket": 0.9})))
    batches.classify_waiting()
    image = product.images.get()
    services.archive_image(actor=actor_of(alice), image=image)
    product.refresh_from_db()
    assert product.proposal == Proposal()
    return image


def _path(image, what="put-back"):
    return f"/products/{image.product.public_id}/images/{image.public_id}/{what}"


def test_it_counts_again_without_another_look(client_of, alice, product, front):
    client = client_of(alice)
    assert _path(front) in client.get(f"/products/{product.public_id}").text

    answer = client.post(_path(front), follow=True)

    assert "front.jpg was put back." in answer.text
    assert "put back the photo front.jpg" in answer.text
    product.refresh_from_db()
    assert top_categories(product) == ["Outer"]
    assert list(product.images.current()) == [front]
    assert Classification.objects.count() == 1
    assert AuditEvent.objects.get(action="image.put_back").user == alice
    again = client.post(_path(front), follow=True)
    assert again.status_code == 200
    assert AuditEvent.objects.filter(action="image.put_back").count() == 1


def test_it_stands_where_it_was(client_of, alice, actor_of, product, front):
    add_images(actor=actor_of(alice), product=product, files=[upload("back.jpg", color="navy")])

    client_of(alice).post(_path(front))
    add_images(actor=actor_of(alice), product=product, files=[upload("label.jpg", color="white")])

    names = [image.original_name for image in product.images.current()]
    assert names == ["front.jpg", "back.jpg", "label.jpg"]


def test_it_is_looked_at_if_it_never_was(client_of, alice, actor_of, product, monkeypatch):
    add_images(actor=actor_of(alice), product=product, files=[upload("front.jpg")])
    image = product.images.get()
    services.archive_image(actor=actor_of(alice), image=image)
    serve(monkeypatch, StubEngine(garment({"Jacket": 0.9})))
    batches.classify_waiting()

    client_of(alice).post(_path(image))
    batches.classify_waiting()

    product.refresh_from_db()
    assert top_categories(product) == ["Outer"]


def test_it_stays_away_where_the_same_image_is_there_or_no_room(client_of, alice, actor_of, product, front, settings):
    client, actor = client_of(alice), actor_of(alice)
    add_images(actor=actor, product=product, files=[upload("front.jpg")])
    same = client.post(_path(front), follow=True)
    assert "This product has the same photo already" in same.text

    services.archive_image(actor=actor, image=product.images.current().get())
    add_images(actor=actor, product=product, files=[upload("side.jpg", color="navy")])
    settings.OTJANG_MAX_IMAGES_PER_PRODUCT = 1
    full = client.post(_path(front), follow=True)
    assert "A product has at most 1 photos." in full.text

    front.refresh_from_db()
    assert front.archived_at is not None


def test_only_who_sees_removed_images_puts_them_back(client_of, alice, bob, dana, charlie, front):
    assert Client().post(_path(front)).url.startswith("/login")
    for person, status in ((bob, 403), (dana, 403), (charlie, 404)):
        assert client_of(person).post(_path(front)).status_code == status
    assert ProductImage.objects.get().archived_at is not None


@pytest.mark.parametrize("what", ["remove", "put-back"])
def test_an_archived_product_keeps_its_images_as_they_are(client_of, alice, actor_of, product, front, what):
    add_images(actor=actor_of(alice), product=product, files=[upload("side.jpg", color="navy")])
    services.archive(actor=actor_of(alice), product=product)
    image = front if what == "put-back" else product.images.current().get()
    before = set(ProductImage.objects.values_list("pk", "archived_at"))

    answer = client_of(alice).post(_path(image, what), follow=True)

    assert "This product is archived. Restore it before you" in answer.text
    assert set(ProductImage.objects.values_list("pk", "archived_at")) == before
