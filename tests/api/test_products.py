"""Products through the API: created, listed, read, changed, published."""

import pytest

from accounts.models import AuditEvent
from catalog.models import Product
from classifier.jobs import batches
from classifier.models import Classification
from tests.support.api_clients import error_of
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory, ProductImageFactory
from tests.support.fake_engines import StubEngine, garment, serve
from tests.support.written_proposals import candidate, propose

pytestmark = pytest.mark.django_db


@pytest.fixture
def work(monkeypatch):
    """Do the waiting jobs as the worker does, with an engine that finds the given garments."""

    def work(*garments):
        serve(monkeypatch, StubEngine(*garments))
        return batches.classify_waiting()

    return work


def test_it_creates_a_product(api, api_key, merchant):
    answer = api.send("post", "/products", {"name": " Denim jacket ", "sku": "AJ-1"})
    assert answer.status_code == 201
    body = answer.json()
    product = Product.objects.get()
    assert (product.merchant, product.name, product.sku, product.created_by) == (merchant, "Denim jacket", "AJ-1", None)
    assert body["id"] == product.public_id
    assert (body["status"], body["top_category"], body["images"], body["uploads"]) == ("draft", None, [], [])
    assert {code: value["state"] for code, value in body["attributes"].items()} == {
        "category": "unset",
        "material": "unset",
        "sleeve_length": "unset",
    }
    event = AuditEvent.objects.get(action="product.create")
    assert (event.api_key, event.channel, event.subject_id) == (api_key[0], "api", product.public_id)


def test_it_creates_a_product_with_its_images(api):
    answer = api.upload("/products", upload("front.jpg"), upload("notes.txt", b"hello"), name="Jacket")
    assert answer.status_code == 207
    body = answer.json()
    assert [image["name"] for image in body["images"]] == ["front.jpg"]
    assert [(entry["name"], entry["error"] and entry["error"]["code"]) for entry in body["uploads"]] == [
        ("front.jpg", None),
        ("notes.txt", "not_an_image"),
    ]
    assert body["uploads"][0]["image"]["id"] == body["images"][0]["id"]
    assert Classification.objects.get().state == "queued"


def test_it_creates_nothing_without_a_good_image(api):
    answer = api.upload("/products", upload("a.jpg", b""), upload("b.jpg", b"<svg/>"), name="Jacket", sku="A1")
    assert (answer.status_code, answer.json()["code"]) == (400, "nothing_stored")
    assert [entry["error"]["code"] for entry in answer.json()["uploads"]] == ["empty", "not_an_image"]
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"sku": "aj-1042 "}, 409, "sku_taken"),
        ({"sku": "ＡＪ-1042"}, 409, "sku_taken"),
        ({"sku": "x" * 65}, 400, "sku_too_long"),
        ({"sku": "A\u202e1"}, 400, "sku_control_characters"),
        ({"sku": "A\u00001"}, 400, "null_characters_not_allowed"),
        ({"name": "x" * 201}, 400, "name_too_long"),
        ({"name": "a\u0007b"}, 400, "name_control_characters"),
        ({"name": ["x"]}, 400, "invalid"),
        ({"nmae": "x"}, 400, "unknown_field"),
        ({"images": []}, 400, "unknown_field"),
        ([], 400, "invalid"),
    ],
)
def test_it_refuses_what_it_cannot_store(api, product, body, status, code):
    answer = api.send("post", "/products", body)
    assert (answer.status_code, error_of(answer)) == (status, code)
    assert Product.objects.get() == product


def test_it_lists_with_a_constant_number_of_queries(api, merchant, django_assert_max_num_queries):
    for number in range(30):
        product = ProductFactory(merchant=merchant)
        ProductImageFactory.create_batch(2, product=product)
        propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9)), chosen="Outer")
        if number == 0:
            api.send("get", "/products")  # the key's last use is written now, not while we count
    # key, attributes, products, current values, images
    with django_assert_max_num_queries(5):
        answer = api.send("get", "/products?page_size=100")
    body = answer.json()
    assert (len(body["results"]), body["next"], body["previous"]) == (30, None, None)
    newest = body["results"][0]
    assert newest["image_count"] == 2
    assert newest["thumbnail"].startswith("http://testserver/media/")
    assert newest["attributes"]["category"]["label"] == {"ko": "재킷", "en": "Jacket"}
    assert newest["top_category"] == "Outer"


def test_it_reads_a_product_with_a_constant_number_of_queries(api, product, work, django_assert_max_num_queries):
    for red in (0, 100, 200):
        api.upload(f"/products/{product.public_id}/images", upload(color=(red, 0, 0)), upload(color=(red, 200, 0)))
    work(garment("Jacket", material="denim", sleeve_length="long"), garment("Jeans", confidence=0.6))
    # key; product, values, images, garments, predictions, attributes, values, versions, decisions;
    # active attributes, labels, jobs, the same images elsewhere
    with django_assert_max_num_queries(15):
        body = api.send("get", f"/products/{product.public_id}").json()
    assert (body["status"], len(body["images"])) == ("to_review", 6)


def test_it_shows_what_was_found_and_what_is_proposed(api, product, work):
    api.upload(f"/products/{product.public_id}/images", upload())
    waiting = api.send("get", f"/products/{product.public_id}").json()
    assert (waiting["status"], waiting["images"][0]["classification"]["state"]) == ("classifying", "queued")
    assert waiting["images"][0]["garments"] == []

    work(garment({"Jacket": 0.9, "Jumper": 0.05}, material="denim", sleeve_length="long", box=(0.1, 0.2, 0.7, 0.8)))

    body = api.send("get", f"/products/{product.public_id}").json()
    [image] = body["images"]
    assert image["classification"]["state"] == "done"
    assert image["classification"]["error"] is None
    [found] = image["garments"]
    assert found["box"] == [0.1, 0.2, 0.7, 0.8]
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
        "alternatives": [{"value": "Jumper", "label": {"ko": "점퍼", "en": "Casual jacket"}, "confidence": 0.05}],
    }
    [proposed] = body["proposal"]
    assert (proposed["top_category"], proposed["images"], proposed["total"]) == ("Outer", 1, 1)
    assert proposed["attributes"]["material"]["value"] == "denim"
    assert "prediction" not in proposed["attributes"]["material"]  # row numbers stay inside
    assert body["top_category"] == "Outer"
    category = body["attributes"]["category"]
    assert (category["state"], category["value"], category["source"]) == ("proposed", "Jacket", "model")
    assert (category["model"], category["decided_by"]) == ("category-1", None)
    assert category["confidence"] == pytest.approx(0.9, abs=0.01)


def test_it_says_why_a_classification_failed(api, product):
    image = ProductImageFactory(product=product)
    Classification.objects.filter(image=image).update(state="failed", open_key=None, error_code="unreadable")
    body = api.send("get", f"/products/{product.public_id}").json()
    assert body["images"][0]["classification"]["error"] == {
        "code": "unreadable",
        "detail": "The photo cannot be read. Upload it again.",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=draft", {"plain"}),
        ("status=to_review", {"jacket", "jeans"}),
        ("category=Jacket", {"jacket"}),
        ("category=Outer", {"jacket"}),
        ("category=Bottom&status=draft", set()),
        ("sku=%20a1", {"plain"}),
        ("sku=A2", set()),
    ],
)
def test_it_filters(api, merchant, query, found):
    ProductFactory(merchant=merchant, name="plain", sku="A1")
    jacket, jeans = ProductFactory(merchant=merchant, name="jacket"), ProductFactory(merchant=merchant, name="jeans")
    propose(jacket, candidate("Outer", 0.9, category=("Jacket", 0.9)), chosen="Outer")
    propose(jeans, candidate("Bottom", 0.9, category=("Jeans", 0.9)), chosen="Bottom")
    assert {entry["name"] for entry in api.send("get", f"/products?{query}").json()["results"]} == found


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("status=lost", 400, "invalid_choice"),
        ("catgory=Jacket", 400, "unknown_field"),
        ("category=Jackett", 400, "unknown_value"),
        ("page=9", 400, "unknown_field"),
    ],
)
def test_it_refuses_filters_that_it_does_not_know(api, product, query, status, code):
    answer = api.send("get", f"/products?{query}")
    assert (answer.status_code, error_of(answer)) == (status, code)


def test_it_pages(api, merchant):
    products = ProductFactory.create_batch(5, merchant=merchant)
    first = api.send("get", "/products?page_size=3").json()
    second = api.get(first["next"]).json()
    assert [entry["id"] for entry in first["results"] + second["results"]] == [
        product.public_id for product in reversed(products)
    ]


def test_it_changes_name_and_sku(api, product):
    answer = api.send("patch", f"/products/{product.public_id}", {"name": "Blazer", "sku": None})
    assert (answer.status_code, answer.json()["name"], answer.json()["sku"]) == (200, "Blazer", None)
    answer = api.send("patch", f"/products/{product.public_id}", {"sku": "B-1"})
    assert (answer.json()["name"], answer.json()["sku"]) == ("Blazer", "B-1")


def test_it_changes_all_or_nothing(api, product):
    answer = api.send("patch", f"/products/{product.public_id}", {"name": "Blazer", "top_category": "Shoes"})
    assert (answer.status_code, error_of(answer)) == (400, "unknown_top_category")
    product.refresh_from_db()
    assert product.name == "Oversized denim jacket"
    assert not AuditEvent.objects.exists()


def test_it_chooses_the_garment(api, product):
    propose(
        product,
        candidate("Outer", 0.6, category=("Jacket", 0.6)),
        candidate("Top", 0.55, category=("Tshirt", 0.9)),
        chosen=None,
    )
    body = api.send("patch", f"/products/{product.public_id}", {"top_category": "Top"}).json()
    assert (body["top_category"], body["top_category_source"]) == ("Top", "human")
    assert body["attributes"]["category"]["value"] == "Tshirt"


def test_it_publishes_and_decides_what_is_shown(api, product):
    propose(product, candidate("Outer", 0.9, category=("Jacket", 0.9), material=("denim", 0.8)), chosen="Outer")
    body = api.send("post", f"/products/{product.public_id}/publish").json()
    assert body["status"] == "published"
    assert body["published_at"]
    assert body["attributes"]["material"]["state"] == "decided"
    assert body["attributes"]["material"]["decided_by"] == "till"
    assert body["attributes"]["material"]["channel"] == "api"


def test_it_does_not_publish_without_a_category(api, product):
    answer = api.send("post", f"/products/{product.public_id}/publish")
    assert (answer.status_code, error_of(answer)) == (409, "category_open")
    product.refresh_from_db()
    assert product.status == "draft"


def test_it_classifies_again(api, product, work):
    api.upload(f"/products/{product.public_id}/images", upload(color="red"), upload(color="blue"))
    work(garment("Jacket"))
    answer = api.send("post", f"/products/{product.public_id}/classify")
    assert (answer.status_code, answer.json()["queued"]) == (202, 2)
    answer = api.send("post", f"/products/{product.public_id}/classify")
    assert answer.json()["queued"] == 0
