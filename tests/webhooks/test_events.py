"""What webhooks are told of, written in the transaction that changes it."""

import pytest
from django.db import transaction

from accounts.actors import Actor
from accounts.channels import Channel
from catalog import services
from catalog.services import bulk
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.models import Classification
from classifier.registry import model_sets
from tests.support import fake_engines as engines
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment
from tests.support.registered_versions import version
from tests.support.seen_products import seen_product
from tests.support.webhook_endpoints import deliver, endpoint_at, got
from vision.engine import DecodeError
from webhooks.models import Delivery, Event

pytestmark = pytest.mark.django_db


def _told():
    return list(Event.objects.order_by("pk").values_list("type", flat=True))


def test_a_decision_is_told_with_version_and_values(receiver, actor, merchant):
    endpoint = endpoint_at(receiver, actor)
    product = seen_product(merchant, category=("Jacket", 0.9), material=("denim", 0.8))
    services.decide(actor=actor, product=product, attribute="category", value="Jumper")
    assert deliver() == 1
    (message,) = got(receiver, endpoint)
    product.refresh_from_db()
    assert message["type"] == "product.decided"
    told = message["data"]["product"]
    assert (told["id"], told["version"], told["sku"]) == (product.public_id, product.version, product.sku)
    category = told["attributes"]["category"]
    assert (category["value"], category["state"], category["source"]) == ("Jumper", "decided", "human")
    assert set(category["label"]) == {"ko", "en"}


def test_a_key_s_decision_is_not_called_human(receiver, actor, merchant, api):
    endpoint = endpoint_at(receiver, actor)
    product = seen_product(merchant, category=("Jacket", 0.9))
    api.send("put", f"/products/{product.public_id}/attributes/category", {"value": "Jumper"})
    deliver()
    (message,) = got(receiver, endpoint)
    assert message["data"]["product"]["attributes"]["category"]["source"] == "api_key"
    assert message["data"]["channel"] == "api"


def test_that_none_of_the_garments_is_the_product_is_told_once(receiver, actor, merchant):
    endpoint_at(receiver, actor)
    product = seen_product(merchant, category=("Jacket", 0.9))
    services.choose_top_category(actor=actor, product=product, top_category=None)
    assert _told() == ["product.decided"]
    other = seen_product(merchant, category=("Jacket", 0.9))
    services.save_review(actor=actor, product=other, top_category="", values={})
    assert _told() == ["product.decided"] * 2


def test_publishing_is_told(receiver, actor, merchant):
    endpoint_at(receiver, actor)
    product = seen_product(merchant, category=("Jacket", 0.9))
    services.publish(actor=actor, product=product)
    services.publish(actor=actor, product=product)  # it is already
    assert _told() == ["product.published"]


def test_bulk_operations_tell_of_each_product(receiver, actor, merchant):
    endpoint = endpoint_at(receiver, actor)
    products = [seen_product(merchant, category=("Jacket", 0.9)) for _number in range(3)]
    bulk.run_at_once(bulk.start(actor=actor, action="publish", products=merchant.products.all()))
    deliver()
    messages = got(receiver, endpoint)
    assert {message["data"]["product"]["id"] for message in messages} == {one.public_id for one in products}
    for message in messages:
        told = message["data"]["product"]
        assert (told["status"], told["attributes"]["category"]["state"]) == ("published", "decided")
        assert told["version"] == merchant.products.get(public_id=told["id"]).version


def test_what_is_rolled_back_is_told_to_nobody(receiver, actor, product):
    endpoint_at(receiver, actor)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.decide(actor=actor, product=product, attribute="category", value="Jumper")
        assert _told() == ["product.decided"]
        raise RuntimeError
    assert _told() == []


def test_only_who_wants_an_event_is_told(receiver, actor, other_merchant, product, charlie, actor_of):
    endpoint_at(receiver, actor, types=["product.published"])
    endpoint_at(receiver, actor_of(charlie))
    services.decide(actor=actor, product=product, attribute="category", value="Jumper")
    assert _told() == []
    services.publish(actor=actor, product=product)
    assert Delivery.objects.get().endpoint.merchant == actor.merchant


def test_without_endpoints_nothing_is_written(actor, product):
    services.decide(actor=actor, product=product, attribute="category", value="Jumper")
    assert not Event.objects.exists()


def test_a_classification_is_told_once_all_images_are_done(monkeypatch, receiver, actor, product, settings):
    settings.OTJANG_CLASSIFY_BATCH = 1
    endpoint = endpoint_at(receiver, actor)
    engines.serve(monkeypatch, StubEngine(garment({"Jacket": 0.9})))
    add_images(actor=actor, product=product, files=[upload("a.jpg"), upload("b.jpg", color="navy")])
    batches.classify_waiting()
    assert _told() == ["product.classified"]
    deliver()
    (message,) = got(receiver, endpoint)
    told = message["data"]["product"]
    assert told["attributes"]["category"]["value"] == "Jacket"
    assert (told["attributes"]["category"]["source"], told["status"]) == ("model", "to_review")


def test_a_product_whose_last_image_fails_is_classified_all_the_same(monkeypatch, receiver, actor, product, settings):
    endpoint_at(receiver, actor)
    engines.serve(monkeypatch, StubEngine(garment("Jacket")))
    add_images(actor=actor, product=product, files=[upload("a.jpg")])
    batches.classify_waiting()
    engines.serve(monkeypatch, StubEngine(answer=lambda *args, **kwargs: DecodeError("damaged", "It is damaged.")))
    add_images(actor=actor, product=product, files=[upload("b.jpg", color="navy")])
    batches.classify_waiting()
    assert _told() == ["product.classified", "classification.failed", "product.classified"]


def test_a_failed_classification_is_told_with_its_image(monkeypatch, receiver, actor, product):
    endpoint = endpoint_at(receiver, actor)

    def fail(*args, **kwargs):
        return DecodeError("damaged", "It is damaged.")

    engines.serve(monkeypatch, StubEngine(answer=fail))
    (received,) = add_images(actor=actor, product=product, files=[upload("a.jpg")])
    batches.classify_waiting()
    assert Classification.objects.get().state == "failed"
    assert _told() == ["classification.failed"]
    deliver()
    (message,) = got(receiver, endpoint)
    assert message["data"]["image"] == {"id": received.image.public_id}
    assert message["data"]["error"] == Classification.objects.get().error_code


def test_everybody_is_told_of_promoted_models(receiver, actor, charlie, actor_of, admin):
    endpoint_at(receiver, actor)
    endpoint_at(receiver, actor_of(charlie))
    finder = version("garment", "finder", classes=[])
    model_sets.promote(actor=Actor(channel=Channel.ADMIN, user=admin), versions=[finder], only=True)
    assert _told() == ["model.promoted"]
    assert Delivery.objects.count() == 2
