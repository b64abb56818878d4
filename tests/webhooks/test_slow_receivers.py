"""Receivers that never answer hold up neither each other nor the classification of images."""

import threading

import pytest

from catalog import services
from catalog.services.uploads import add_images
from classifier.jobs import batches
from classifier.management.commands.worker import callers
from tests.support import fake_engines as engines
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment
from tests.support.webhook_endpoints import endpoint_at, receiving
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_images_are_classified_while_every_receiver_hangs(monkeypatch, actor, product, settings):
    settings.OTJANG_WEBHOOK_SECONDS = 30
    settings.OTJANG_WEBHOOK_THREADS = 2
    engines.serve(monkeypatch, StubEngine(garment("Jacket")))
    asked, go_on = threading.Semaphore(0), threading.Event()

    def hang(call):
        asked.release()
        go_on.wait(60)
        return 204

    with receiving(hang) as receiver:
        endpoint_at(receiver, actor)
        endpoint_at(receiver, actor)
        services.decide(actor=actor, product=product, attribute="category", value="Jumper")
        threads = callers()
        for thread in threads:
            thread.start()
        try:
            assert asked.acquire(timeout=30)
            assert asked.acquire(timeout=30)  # all that send are waiting now
            others = [ProductFactory(merchant=actor.merchant) for _number in range(3)]
            for other in others:
                add_images(actor=actor, product=other, files=[upload("a.jpg")])
                assert batches.classify_waiting() == 1
                other.refresh_from_db()
                assert other.status == "to_review"
            assert Delivery.objects.filter(state="delivered").count() == 0
            assert Delivery.objects.filter(event__type="product.classified").count() == 6
        finally:
            go_on.set()
            for thread in threads:
                thread.stop()
            for thread in threads:
                thread.join()
