"""Garments through the API: listed, drawn, changed and removed."""

import pytest

from classifier.jobs import batches
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(api, product, monkeypatch):
    serve(monkeypatch, StubEngine(garment("Jacket"), drawn=garment({"Jeans": 0.94})))
    api.upload(f"/products/{product.public_id}/images", upload("front.jpg"))
    batches.classify_waiting()
    return f"/products/{product.public_id}/images/{product.images.get().public_id}/garments"


def test_it_draws_changes_and_removes(api, path):
    (found,) = api.send("get", path).json()["garments"]
    assert (found["drawn"], found["state"], found["attributes"]["category"]["value"]) == (False, "done", "Jacket")

    drawn = api.send("post", path, {"box": [0.1, 0.1, 0.4, 0.5], "top_category": "Bottom"})
    assert (drawn.status_code, drawn.json()["state"], drawn.json()["top_category"]) == (201, "waiting", "Bottom")
    batches.classify_waiting()
    changed = api.send("patch", f"{path}/{found['id']}", {"box": [0.2, 0.2, 0.9, 0.9]}).json()
    assert changed["box"] == [0.2, 0.2, 0.9, 0.9]
    assert api.send("delete", f"{path}/{changed['id']}").status_code == 204

    batches.classify_waiting()
    (left,) = api.send("get", path).json()["garments"]
    assert (left["id"], left["attributes"]["category"]) == (drawn.json()["id"], {"value": "Jeans", "confidence": 0.94})


def test_it_refuses_in_the_one_shape_of_errors(api, path, read_only_key):
    (found,) = api.send("get", path).json()["garments"]
    assert error_of(api.send("post", path, {"box": [0.4, 0.1, 0.1, 0.5]})) == "bad_box"
    assert error_of(api.send("post", path, {"boxes": [0.4, 0.1, 0.1, 0.5]})) == "unknown_field"
    assert api.send("delete", f"{path}/{found['id'] + 1000}").status_code == 404
    reader = ApiClient(read_only_key[1])
    assert reader.send("get", path).status_code == 200
    assert reader.send("post", path, {"box": [0.1, 0.1, 0.4, 0.5]}).status_code == 403
    assert api.send("delete", f"{path}/{found['id']}").status_code == 204
    assert error_of(api.send("delete", f"{path}/{found['id']}")) == "stale"
