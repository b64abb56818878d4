"""Long jobs through the API: bulk actions, exports and imports, started, watched, stopped and read."""

import csv
import io
import json

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import ApiKey, Operation
from catalog import services
from catalog.models import Product, ProductImport
from catalog.services import bulk
from tests.support.api_clients import ApiClient, error_of
from tests.support.factories import ProductFactory
from tests.support.import_files import csv_file, photos, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def ready(merchant, actor):
    """Two products that may be published."""
    products = [ProductFactory(merchant=merchant, sku=f"S-{number}") for number in range(2)]
    for product in products:
        services.decide(actor=actor, product=product, attribute="category", value="Coat")
    return products


def start(api, what="bulk", **body):
    answer = api.send("post", f"/operations/{what}", body)
    assert answer.status_code == 202, answer.json()
    assert answer.headers["Location"].endswith(f"/api/v1/operations/{answer.json()['id']}")
    assert int(answer.headers["Retry-After"]) > 0
    return answer.json()


def read(api, number):
    answer = api.get(f"/api/v1/operations/{number}")
    assert answer.status_code == 200
    return answer.json()


def move(api, number, what):
    return api.send("post", f"/operations/{number}/{what}")


def result(api, number):
    answer = api.get(f"/api/v1/operations/{number}/result")
    assert answer.status_code == 200
    return answer, b"".join(answer.streaming_content)


def test_it_does_the_same_to_many_products(api, api_key, ready):
    begun = start(api, action="publish", products={"filter": "status=ready"})
    assert (begun["kind"], begun["action"], begun["state"], begun["total"]) == ("bulk", "publish", "queued", 2)
    assert (begun["started_by"], begun["channel"], begun["result"]) == (api_key[0].name, "api", None)
    work()
    over = read(api, begun["id"])
    assert (over["state"], over["done"], over["failed"]) == ("done", 2, 0)
    assert set(Product.objects.values_list("status", flat=True)) == {"published"}
    _answer, content = result(api, begun["id"])
    lines = [json.loads(line) for line in content.splitlines()]
    assert lines == [{"product": product.public_id, "outcome": "done", "reason": None} for product in ready]


def test_a_worker_does_it_and_not_the_request(api, ready):
    begun = start(api, action="publish", products={"ids": [ready[0].public_id]})
    assert Product.objects.filter(status="published").count() == 0
    assert Operation.objects.get(public_id=begun["id"]).lease_token == ""


def test_it_sets_a_value(api, ready):
    ids = [product.public_id for product in ready]
    start(api, action="set", attribute="material", value="woven", products={"ids": ids})
    start(api, action="set", attribute="sleeve_length", not_applicable=True, products={"ids": ids})
    work()
    body = api.get(f"/api/v1/products/{ids[0]}").json()["attributes"]
    assert body["material"]["value"] == "woven"
    assert body["sleeve_length"]["state"] == "not_applicable"


def test_it_is_undone(api, ready):
    begun = start(api, action="publish", products={"filter": ""})
    assert error_of(move(api, begun["id"], "undo")) == "nothing_to_undo"
    work()
    answer = move(api, begun["id"], "undo")
    assert (answer.status_code, answer.json()["action"]) == (202, "undo")
    work()
    assert set(Product.objects.values_list("status", flat=True)) == {"ready"}
    assert read(api, begun["id"])["undone_by"] == answer.json()["id"]
    assert error_of(move(api, begun["id"], "undo")) == "undone_already"


def test_it_is_paused_resumed_and_cancelled(api, ready):
    number = start(api, action="publish", products={"filter": ""})["id"]
    assert move(api, number, "pause").json()["state"] == "paused"
    work()
    assert Product.objects.filter(status="published").count() == 0
    assert move(api, number, "resume").json()["state"] == "queued"
    assert error_of(move(api, number, "resume")) == "bad_move"
    assert move(api, number, "cancel").json()["state"] == "cancelled"
    for what in ("pause", "resume", "cancel"):
        assert error_of(move(api, number, what)) == "bad_move"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "publish", "products": {"filter": "stauts=ready"}}, "unknown_field"),
        ({"action": "publish", "products": {"filter": "status=raedy"}}, "invalid_choice"),
        ({"action": "publish", "products": {"filter": "category=Nothing"}}, "unknown_value"),
        ({"action": "publish", "products": {"filter": "value=smell:x"}}, "unknown_attribute"),
        ({"action": "publish", "products": {}}, "one_answer"),
        ({"action": "publish", "products": {"ids": ["x"], "filter": ""}}, "one_answer"),
        ({"action": "publish", "products": {"ids": ["0" * 20]}}, "nothing_chosen"),
        ({"action": "publish"}, "required"),
        ({"action": "burn", "products": {"filter": ""}}, "invalid_choice"),
        ({"action": "publish", "value": "woven", "products": {"filter": ""}}, "unknown_field"),
        ({"action": "set", "value": "woven", "products": {"filter": ""}}, "required"),
        ({"action": "set", "attribute": "material", "products": {"filter": ""}}, "one_answer"),
        ({"action": "set", "attribute": "material", "value": "-", "products": {"filter": ""}}, "unknown_value"),
        ({"action": "set", "attribute": "material", "value": "gold", "products": {"filter": ""}}, "unknown_value"),
        ({"action": "set", "attribute": "smell", "value": "x", "products": {"filter": ""}}, "unknown_attribute"),
    ],
)
def test_what_is_not_understood_changes_nothing(api, ready, body, code):
    answer = api.send("post", "/operations/bulk", body)
    assert (answer.status_code, error_of(answer)) == (400, code)
    assert not Operation.objects.exists()


def test_what_a_key_began_ends_with_the_key(api, api_key, ready):
    number = start(api, action="publish", products={"filter": ""})["id"]
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    work()
    operation = Operation.objects.get(public_id=number)
    assert (operation.state, operation.error) == ("failed", "forbidden")
    assert not Product.objects.filter(status="published").exists()


def test_products_are_exported_into_a_file(api, ready):
    begun = start(api, "export", format="csv", products={"filter": "category=Coat"})
    assert (begun["kind"], begun["action"]) == ("export", None)
    assert api.get(f"/api/v1/operations/{begun['id']}/result").status_code == 404
    work()
    over = read(api, begun["id"])
    assert over["state"] == "done"
    answer = api.get(over["result"].removeprefix("http://testserver"))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert [(row["sku"], row["category"]) for row in rows] == [("S-1", "Coat"), ("S-0", "Coat")]
    assert answer.headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "zip"])
def test_a_file_bears_the_type_that_the_schema_names(api, ready, kind):
    number = start(api, "export", format=kind, products={"filter": ""})["id"]
    work()
    answer, _content = result(api, number)
    paths = yaml.safe_load(api.get("/api/v1/schema").content)["paths"]
    named = paths["/api/v1/operations/{public_id}/result"]["get"]["responses"]["200"]["content"]
    assert answer.headers["Content-Type"].partition(";")[0] in named


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"format": "pdf"}, "invalid_choice"),
        ({"format": "csv", "images": True}, "invalid"),
        ({"format": "csv", "mapping": "nothing"}, "unknown_value"),
    ],
)
def test_an_export_that_cannot_be_is_refused(api, ready, body, code):
    answer = api.send("post", "/operations/export", {**body, "products": {"filter": ""}})
    assert (answer.status_code, error_of(answer)) == (400, code)


def test_files_are_looked_through_and_then_imported(api, api_key, client_of, alice):
    table = csv_file(("A-1", "Coat"), ("A-2", "Skirt"), heads=("SKU", "Name"))
    sent = [SimpleUploadedFile("products.csv", table), SimpleUploadedFile("A-1_1.jpg", photos("x")["x"])]
    answer = api.post("/api/v1/operations/import", {"files": sent})
    assert answer.status_code == 202
    number = answer.json()["id"]
    work()
    checked = read(api, number)
    assert (checked["kind"], checked["state"], checked["check"]["counts"]) == ("import_check", "done", {"new": 2})
    assert not Product.objects.exists()
    assert b"A-1" in result(api, number)[1]
    listed = client_of(alice).get("/products/import/").text
    assert f"<td>{api_key[0]}</td>" in listed
    begun = move(api, number, "import")
    assert (begun.status_code, begun.json()["kind"]) == (202, "import")
    assert move(api, number, "import").json()["id"] == begun.json()["id"]
    work()
    over = read(api, begun.json()["id"])
    assert (over["state"], over["done"]) == ("done", 2)
    assert Product.objects.get(sku="A-1").images.count() == 1
    assert result(api, over["id"])[0].headers["Content-Type"].startswith("text/csv")


def test_a_file_that_is_none_is_refused_and_nothing_stays(api):
    answer = api.post("/api/v1/operations/import", {"files": [SimpleUploadedFile("letter.pdf", b"%PDF-1.7 Dear Sir")]})
    assert answer.status_code == 400
    assert error_of(answer)
    assert not Operation.objects.exists()


def test_without_a_file_nothing_is_imported(api):
    answer = api.post("/api/v1/operations/import", {"other": "x"})
    assert answer.status_code == 400
    assert not ProductImport.objects.exists()


def test_a_checked_import_that_nobody_wants_is_dropped(api):
    table = csv_file(("A-1", "Coat"), heads=("SKU", "Name"))
    number = api.post("/api/v1/operations/import", {"files": [SimpleUploadedFile("p.csv", table)]}).json()["id"]
    work()
    assert move(api, number, "cancel").status_code == 200
    assert error_of(move(api, number, "import")) == "not_checked"


def test_the_list_has_everybodys_the_newest_first(api, ready, actor):
    first = bulk.start(actor=actor, action="archive", products=Product.objects.all())
    second = start(api, "export", format="csv", products={"filter": ""})["id"]
    listed = api.get("/api/v1/operations").json()
    assert [one["id"] for one in listed["results"]] == [second, first.public_id]
    assert [one["started_by"] for one in listed["results"]] == ["till", "alice"]
    assert [one["id"] for one in api.get("/api/v1/operations?kind=export").json()["results"]] == [second]
    assert [one["id"] for one in api.get("/api/v1/operations?kind=bulk").json()["results"]] == [first.public_id]
    assert api.get("/api/v1/operations?state=failed").json()["results"] == []
    page = api.get("/api/v1/operations?page_size=1").json()
    assert [one["id"] for one in page["results"]] == [second]
    assert api.get(page["next"].removeprefix("http://testserver")).json()["results"][0]["id"] == first.public_id
    for wrong, code in (("states=failed", "unknown_field"), ("state=lost", "invalid_choice")):
        assert error_of(api.get(f"/api/v1/operations?{wrong}")) == code


def test_the_list_costs_the_same_for_many(api, ready, django_assert_max_num_queries):
    for _number in range(5):
        start(api, "export", format="csv", products={"filter": ""})
    with django_assert_max_num_queries(8):
        assert len(api.get("/api/v1/operations").json()["results"]) == 5


def test_other_shops_operations_are_not_there(api, ready, charlie, client_of):
    number = start(api, action="publish", products={"filter": ""})["id"]
    outsider = client_of(charlie)
    assert outsider.get("/api/v1/operations").json()["results"] == []
    assert outsider.get(f"/api/v1/operations/{number}").status_code == 404
    assert outsider.get(f"/api/v1/operations/{number}/result").status_code == 404
    for what in ("pause", "resume", "cancel", "undo", "import"):
        answer = outsider.post(f"/api/v1/operations/{number}/{what}")
        assert answer.status_code == 404, what


def test_who_may_only_look_starts_nothing(read_only_key, ready):
    api = ApiClient(read_only_key[1])
    assert api.send("post", "/operations/bulk", {"action": "publish", "products": {"filter": ""}}).status_code == 403
    assert api.get("/api/v1/operations").status_code == 200
