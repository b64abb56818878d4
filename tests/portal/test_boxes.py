"""Boxes through the portal's addresses: who may, what is answered, and what the product's page shows of it."""

import json

import pytest
from django.test import Client

from classifier.jobs import batches
from classifier.models import Garment
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db

BOX = [0.1, 0.2, 0.5, 0.6]


@pytest.fixture
def image(client, product, monkeypatch):
    jacket = garment({"Jacket": 0.8}, box=(0.2, 0.1, 0.8, 0.9), material="denim")
    serve(monkeypatch, StubEngine(jacket, drawn=garment({"Jeans": 0.94}, material="denim")))
    client.post(f"/products/{product.public_id}/images", {"images": upload("front.jpg")})
    batches.classify_waiting()
    return product.images.get()


def _at(image, more=""):
    return f"/products/{image.product.public_id}/images/{image.public_id}/boxes{more}"


def _send(client, image, more="", **said):
    return client.post(
        _at(image, more), json.dumps(said), content_type="application/json", headers={"accept": "application/json"}
    )


def test_it_draws_and_says_what_it_is(client, image):
    answer = _send(client, image, box=BOX)

    assert answer.status_code == 200
    drawn = next(entry for entry in answer.json()["garments"] if entry["id"] == answer.json()["garment"])
    assert (drawn["box"], drawn["state"], drawn["byPerson"], drawn["text"]) == (BOX, "waiting", True, "")
    assert {level["code"] for level in answer.json()["topCategories"]} == {"Top", "Bottom", "Outer", "Onepiece"}
    batches.classify_waiting()
    shown = {entry["id"]: entry for entry in client.get(_at(image)).json()["garments"]}
    assert (shown[drawn["id"]]["state"], shown[drawn["id"]]["text"]) == ("done", "Jeans 94%")
    assert len(shown) == 2


def test_it_changes_removes_and_takes_back(client, image):
    found = image.garments.get()
    moved = _send(client, image, f"/{found.pk}", box=BOX).json()["garment"]
    assert [entry["id"] for entry in client.get(_at(image)).json()["garments"]] == [moved]
    named = _send(client, image, f"/{moved}", top_category="Top").json()
    assert [entry["topCategory"] for entry in named["garments"]] == ["Top"]

    removed = _send(client, image, f"/{named['garment']}/remove").json()
    assert removed["garments"] == []
    back = _send(client, image, f"/{removed['garment']}/take-back").json()
    assert (back["garment"], back["garments"][0]["box"]) == (named["garment"], BOX)


def test_the_page_shows_what_counts(client, image):
    page = f"/products/{image.product.public_id}"
    found = image.garments.get()
    before = client.get(page).text
    assert f'data-boxes="{_at(image)}"' in before
    assert 'x="20.00%"' in before

    _send(client, image, f"/{found.pk}", box=BOX)
    batches.classify_waiting()

    after = client.get(page).text
    assert 'x="10.00%"' in after
    assert 'x="20.00%"' not in after


def test_it_keeps_asking_while_a_drawn_box_waits(client, image):
    _send(client, image, box=BOX)
    assert 'hx-trigger="every 1s"' in client.get(f"/products/{image.product.public_id}").text


@pytest.mark.parametrize("box", [None, "all of it", [0, 0, 1], [0, 0, 0, 1], [True, {}, 1, 1], [1e400, 0, 1, 1]])
def test_a_refusal_says_why(client, image, box):
    answer = _send(client, image, box=box)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_box")
    assert answer.json()["message"]
    assert not Garment.objects.filter(source="human").exists()


def test_it_refuses_what_is_no_json_or_no_top_level_category(client, image):
    broken = client.post(_at(image), "{", content_type="application/json", headers={"accept": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid")
    unknown = _send(client, image, box=BOX, top_category="Jacket")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_value")


def test_only_who_may_edit_changes_anything(image, client_of, dana, charlie):
    found = image.garments.get()
    for person, status in ((dana, 403), (charlie, 404)):
        for more in ("", f"/{found.pk}", f"/{found.pk}/remove", f"/{found.pk}/take-back", "/describe"):
            assert _send(client_of(person), image, more, box=BOX).status_code == status
    assert client_of(dana).get(_at(image)).status_code == 200
    assert client_of(charlie).get(_at(image)).status_code == 404
    assert _send(Client(), image, box=BOX).status_code == 401
    assert "data-boxes" not in client_of(dana).get(f"/products/{image.product.public_id}").text
    assert list(Garment.objects.all()) == [found]


def test_it_knows_only_the_garments_of_its_photo(client, image):
    client.post(f"/products/{image.product.public_id}/images", {"images": upload("back.jpg", color="navy")})
    batches.classify_waiting()
    other = image.product.images.exclude(pk=image.pk).get()
    assert _send(client, other, f"/{image.garments.get().pk}/remove").status_code == 404
    assert Garment.objects.filter(source="human").count() == 0
