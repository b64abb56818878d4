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
    (found,) = api.send("get", path).json()["results"]
    assert (found["drawn"], found["state"], found["confidence"], found["top_category"]) == (False, "done", 0.9, None)
    assert found["attributes"]["category"] == {
        "value": "Jacket",
        "label": {"ko": "재킷", "en": "Jacket"},
        "state": "proposed",
        "source": "model",
        "channel": None,
        "confidence": 0.9,
        "decided_by": None,
        "decided_at": None,
        "model": "category-1",
        "calibrated": True,
        "alternatives": [],
    }
    assert api.send("get", f"{path}/{found['id']}").json() == found

    drawn = api.send("post", path, {"box": [0.1, 0.1, 0.4, 0.5], "top_category": "Bottom"})
    assert (drawn.status_code, drawn.json()["state"], drawn.json()["top_category"]) == (201, "waiting", "Bottom")
    assert api.get(drawn.headers["Location"]).json() == drawn.json()
    batches.classify_waiting()
    changed = api.send("patch", f"{path}/{found['id']}", {"box": [0.2, 0.2, 0.9, 0.9]}).json()
    assert changed["box"] == [0.2, 0.2, 0.9, 0.9]
    assert api.send("delete", f"{path}/{changed['id']}").status_code == 204

    batches.classify_waiting()
    (left,) = api.send("get", path).json()["results"]
    said = left["attributes"]["category"]
    assert (left["id"], said["value"], said["confidence"]) == (drawn.json()["id"], "Jeans", 0.94)
    assert api.send("get", f"{path}/{changed['id']}").status_code == 404


def test_it_pages_and_takes_few_queries(api, path, django_assert_max_num_queries):
    for edge in (0.1, 0.2, 0.3):
        api.send("post", path, {"box": [edge, 0.1, 0.9, 0.5]})
    first = api.send("get", f"{path}?page_size=3").json()
    rest = api.get(first["next"]).json()
    ids = [garment["id"] for garment in first["results"] + rest["results"]]
    assert (len(ids), ids) == (4, sorted(ids))
    assert error_of(api.send("get", f"{path}?pages=1")) == "unknown_field"
    with django_assert_max_num_queries(7):  # the key, its use, product, image; garments, the last job, predictions
        api.send("get", path)


def test_it_refuses_in_the_one_shape_of_errors(api, path, read_only_key):
    (found,) = api.send("get", path).json()["results"]
    assert error_of(api.send("post", path, {"box": [0.4, 0.1, 0.1, 0.5]})) == "bad_box"
    assert error_of(api.send("post", path, {"boxes": [0.4, 0.1, 0.1, 0.5]})) == "unknown_field"
    assert api.send("delete", f"{path}/{found['id'] + 1000}").status_code == 404
    reader = ApiClient(read_only_key[1])
    assert reader.send("get", path).status_code == 200
    assert reader.send("post", path, {"box": [0.1, 0.1, 0.4, 0.5]}).status_code == 403
    assert api.send("delete", f"{path}/{found['id']}").status_code == 204
    assert error_of(api.send("delete", f"{path}/{found['id']}")) == "stale"
