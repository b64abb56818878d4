"""Why a garment is proposed as the product, for other services."""

import pytest

from catalog.models import Product
from classifier.jobs import batches
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

JACKET = garment({"Jacket": 0.98}, box=(0.2, 0.1, 0.8, 0.6))
JEANS = garment({"Jeans": 0.98}, box=(0.3, 0.6, 0.7, 0.95))


@pytest.fixture
def work(monkeypatch):
    """Let a worker find these garments in what waits."""

    def look(*garments):
        serve(monkeypatch, StubEngine(*garments))
        batches.classify_waiting()

    return look


def _proposal(api, product):
    return {
        found["top_category"]: found for found in api.send("get", f"/products/{product.public_id}").json()["proposal"]
    }


def test_it_says_what_speaks_for_each_garment(api, product, work):
    api.upload(f"/products/{product.public_id}/images", upload())
    work(JACKET, JEANS)

    found = _proposal(api, product)
    assert found["Outer"]["reasons"] == [
        {"code": "found", "images": 1, "total": 1, "word": ""},
        {"code": "largest", "images": 1, "total": 1, "word": ""},
        {"code": "name", "images": 0, "total": 0, "word": "jacket"},
    ]
    assert found["Bottom"]["reasons"] == [
        {"code": "found", "images": 1, "total": 1, "word": ""},
        {"code": "name_differs", "images": 0, "total": 0, "word": "jacket"},
    ]
    assert found["Outer"]["confidence"] > found["Bottom"]["confidence"]


def test_it_proposes_again_with_another_name(api, product, work):
    api.upload(f"/products/{product.public_id}/images", upload())
    work(JACKET, JEANS)
    before = _proposal(api, product)

    answer = api.send("patch", f"/products/{product.public_id}", {"name": "Wide jeans"})

    after = {found["top_category"]: found for found in answer.json()["proposal"]}
    assert {"code": "name", "images": 0, "total": 0, "word": "jeans"} in after["Bottom"]["reasons"]
    assert {"code": "name_differs", "images": 0, "total": 0, "word": "jeans"} in after["Outer"]["reasons"]
    assert after["Bottom"]["confidence"] > before["Bottom"]["confidence"]
    assert after == _proposal(api, product)


def test_it_reads_proposals_from_before_there_were_reasons(api, product):
    stored = {
        "top_category": "Outer", "confidence": 0.91, "images": 2, "total": 3, "garments": [4, 5], "attributes": {},
        "chosen": True,
    }  # fmt: skip
    Product.objects.filter(pk=product.pk).update(proposal=[stored])

    found = _proposal(api, product)["Outer"]
    assert (found["confidence"], found["images"], found["total"], found["reasons"]) == (0.91, 2, 3, [])


def test_it_lets_images_without_a_garment_not_vote(api, product, work):
    api.upload(f"/products/{product.public_id}/images", upload("front.jpg"))
    work(JACKET)
    alone = _proposal(api, product)["Outer"]["confidence"]
    api.upload(f"/products/{product.public_id}/images", upload("sizes.jpg", color="white"))
    work()

    body = api.send("get", f"/products/{product.public_id}").json()
    assert (body["top_category"], body["top_category_source"]) == ("Outer", "auto")
    assert body["proposal"][0]["confidence"] == alone
