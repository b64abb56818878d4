"""A product that was put away stays as it is until it is restored, by whichever channel."""

import pytest

from accounts.models import AuditEvent
from catalog import services
from catalog.models import Decision, Product, ProductAttribute, ProductImage
from classifier.jobs.requests import classify_again
from classifier.models import Classification
from core.errors import Conflict
from tests.support.api_clients import ApiClient, error_of
from tests.support.factories import ProductImageFactory
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(product, alice, actor_of):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8)), chosen="Outer")
    ProductImageFactory(product=product)
    services.decide(actor=actor_of(alice), product=product, attribute="category", value="Jacket")
    return services.archive(actor=actor_of(alice), product=product)


def _everything():
    return [
        list(model.objects.order_by("pk").values())
        for model in (Product, ProductAttribute, ProductImage, Decision, Classification, AuditEvent)
    ]


CHANGES = {
    "decide": lambda **who: services.decide(**who, attribute="material", value="woven"),
    "not_applicable": lambda **who: services.decide_not_applicable(**who, attribute="material"),
    "withdraw": lambda **who: services.withdraw(**who, attribute="category"),
    "choose_top_category": lambda **who: services.choose_top_category(**who, top_category="Top"),
    "review": lambda **who: services.save_review(**who, top_category="Outer", values={"material": "woven"}),
    "review_and_publish": lambda **who: services.save_review(**who, top_category="Outer", values={}, publish=True),
    "update": lambda **who: services.update_product(**who, name="mine"),
    "publish": services.publish,
    "unpublish": services.unpublish,
    "image": lambda actor, product: services.archive_image(actor=actor, image=product.images.get()),
    "classify": classify_again,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_service_changes_it(archived, alice, actor_of, change):
    before = _everything()
    with pytest.raises(Conflict) as refusal:
        change(actor=actor_of(alice), product=archived)
    assert refusal.value.code == "archived"
    assert _everything() == before


def test_the_api_changes_nothing(archived, api_key):
    api, address = ApiClient(api_key[1]), f"/products/{archived.public_id}"
    image = archived.images.get().public_id
    before = _everything()
    for method, path, body in (
        ("put", "/attributes/material", {"value": "woven"}),
        ("delete", "/attributes/category", None),
        ("patch", "", {"name": "mine"}),
        ("patch", "", {"top_category": "Top"}),
        ("post", "/publish", None),
        ("post", "/classify", None),
        ("post", f"/images/{image}/archive", None),
    ):
        answer = api.send(method, address + path, body)
        assert (answer.status_code, error_of(answer)) == (409, "archived"), (method, path)
    assert _everything() == before


def test_the_portal_changes_nothing(archived, bob, client_of):
    client, address = client_of(bob), f"/products/{archived.public_id}"
    version = archived.version
    before = _everything()
    for path, fields in (
        ("/review", {"version": version, "top_category": "Outer", "value-material": "woven", "action": "save"}),
        ("/review", {"version": version, "top_category": "Outer", "value-material": "woven", "action": "publish"}),
        ("/details", {"name": "mine"}),
        ("/moves/publish", {}),
        ("/classify-again", {}),
    ):
        page = client.post(address + path, fields, follow=True)
        assert "This product is archived. Restore it before you change it." in page.text, path
    assert _everything() == before


def test_it_can_be_archived_again_and_restored(archived, alice, actor_of):
    services.archive(actor=actor_of(alice), product=archived)
    services.restore(actor=actor_of(alice), product=archived)
    services.decide(actor=actor_of(alice), product=archived, attribute="material", value="woven")
    assert Product.objects.get().status == "classifying"  # its image still waits
