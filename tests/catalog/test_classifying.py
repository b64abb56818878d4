"""A product of which images wait is being classified, whatever people decide; it goes public on request only."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog import services
from catalog.models import Product
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Classification
from core.errors import Conflict
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

Status = Product.Status


@pytest.fixture
def waiting(monkeypatch, alice, actor_of, product):
    """A product with two images that wait, and a decided category."""
    serve(monkeypatch, StubEngine(garment("Jacket", material="denim")))
    add_images(actor=actor_of(alice), product=product, files=[upload("a.jpg"), upload("b.jpg", color="navy")])
    services.decide(actor=actor_of(alice), product=product, attribute="category", value="Coat")
    product.refresh_from_db()
    return product


def _status(product):
    product.refresh_from_db()
    return product.status


def test_a_decided_category_does_not_make_it_ready(waiting):
    assert _status(waiting) == Status.CLASSIFYING

    batches.classify_waiting()

    assert _status(waiting) == Status.READY
    assert waiting.attributes.get(attribute__code="material").value.code == "denim"


def test_saving_the_page_does_not_either(waiting, alice, actor_of):
    services.save_review(actor=actor_of(alice), product=waiting, top_category=None, values={"category": "Jacket"})
    assert _status(waiting) == Status.CLASSIFYING


def test_more_images_of_a_ready_product_are_waited_for(waiting, alice, actor_of):
    batches.classify_waiting()

    add_images(actor=actor_of(alice), product=waiting, files=[upload("c.jpg", color="green")])
    assert _status(waiting) == Status.CLASSIFYING

    batches.classify_waiting()
    assert _status(waiting) == Status.READY


def test_it_is_not_published_meanwhile(waiting, alice, actor_of):
    actor = actor_of(alice)
    for publish in (
        lambda: services.publish(actor=actor, product=waiting),
        lambda: services.save_review(actor=actor, product=waiting, top_category=None, values={}, publish=True),
    ):
        with pytest.raises(Conflict) as refused:
            publish()
        assert refused.value.code == "still_classifying"
    assert _status(waiting) == Status.CLASSIFYING


def test_it_is_published_with_what_is_there_on_request(waiting, alice, actor_of):
    services.publish(actor=actor_of(alice), product=waiting, while_classifying=True)
    assert _status(waiting) == Status.PUBLISHED

    batches.classify_waiting()

    assert _status(waiting) == Status.PUBLISHED
    assert waiting.attributes.get(attribute__code="material").value is None


@pytest.mark.parametrize(
    ("there", "back"), [(services.publish, services.unpublish), (services.archive, services.restore)]
)
def test_it_comes_back_to_where_it_was(waiting, alice, actor_of, there, back):
    actor = actor_of(alice)
    more = {"while_classifying": True} if there is services.publish else {}
    there(actor=actor, product=waiting, **more)

    back(actor=actor, product=waiting)

    assert _status(waiting) == Status.CLASSIFYING
    batches.classify_waiting()
    assert _status(waiting) == Status.READY


def test_the_api_publishes_on_request(waiting, client, api_key):
    address = f"/api/v1/products/{waiting.public_id}/publish"

    def post(body):
        return client.post(
            address, body, content_type="application/json", headers={"authorization": f"Bearer {api_key[1]}"}
        )

    refused = post({})
    assert (refused.status_code, refused.json()["code"]) == (409, "still_classifying")
    assert post({"while_clasifying": True}).status_code == 400
    assert _status(waiting) == Status.CLASSIFYING
    published = post({"while_classifying": True})
    assert (published.status_code, published.json()["status"]) == (200, "published")


def test_the_portals_button_says_so(waiting, client_of, alice):
    client = client_of(alice)
    page = reverse("catalog:product", args=[waiting.public_id])
    review = reverse("catalog:review", args=[waiting.public_id])
    shown = client.get(page).content.decode()
    assert "Publish without proposals" not in shown  # proposals are there in a moment
    assert 'value="publish"' not in shown
    Classification.objects.update(queued_at=timezone.now() - timedelta(seconds=11))
    shown = client.get(page).content.decode()
    assert "Publish without proposals" in shown
    assert 'value="publish"' not in shown

    stale = client.post(review, {"action": "publish", "version": waiting.version})
    assert stale.status_code == 409
    assert "still being looked at" in stale.content.decode()
    client.post(review, {"action": "publish_now", "version": waiting.version})

    assert _status(waiting) == Status.PUBLISHED
    assert "without waiting" not in client.get(page).content.decode()


def test_the_admin_asks_for_it_by_another_button(waiting, client_of, admin):
    client = client_of(admin)
    page = client.get(reverse("admin:catalog_product_change", args=[waiting.pk])).content.decode()
    assert "Publish without waiting" in page

    address = reverse("admin:catalog_product_publish_now", args=[waiting.pk])
    client.post(address, {"_form_submitted": "on"})

    assert _status(waiting) == Status.PUBLISHED
