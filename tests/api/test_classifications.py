"""Classifications through the API: listed, read, waited for, tried again and cancelled."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from classifier.jobs import batches, queue, requests
from classifier.models import Classification
from core import waiting
from tests.support.api_clients import ApiClient, error_of
from tests.support.drawn_images import upload
from tests.support.factories import ProductFactory
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    return serve(monkeypatch, StubEngine(garment("Jacket", material="denim")))


@pytest.fixture
def worker(monkeypatch, settings):
    """Let a worker look at what waits whenever somebody who waits would pause."""
    settings.OTJANG_WAITING_CALLERS = 1

    class Over:
        def wait(self, _seconds):
            batches.classify_waiting()
            return False

    monkeypatch.setattr(waiting, "_over", Over())


@pytest.fixture
def address(api, product):
    api.upload(f"/products/{product.public_id}/images", upload("a.jpg"), upload("b.jpg", color="navy"))
    return f"/products/{product.public_id}/classify"


def jobs(api, query=""):
    return api.send("get", f"/classifications{query}").json()["results"]


def test_it_lists_the_newest_first(api, product, address):
    newest, oldest = jobs(api)
    assert newest["id"] > oldest["id"]
    image = product.images.order_by("position").first()
    assert (oldest["product"], oldest["image"]) == (product.public_id, image.public_id)
    assert (oldest["state"], oldest["error"], oldest["model_set"], oldest["attempts"]) == ("queued", None, None, 0)

    batches.classify_waiting()

    (done, _other) = jobs(api)
    assert (done["state"], done["garments_found"], done["model_set"], done["attempts"]) == ("done", 1, "1", 1)
    assert done["queued_at"] <= done["started_at"] <= done["finished_at"]


def test_it_shows_the_fields_that_are_asked_for(api, address):
    assert [set(job) for job in jobs(api, "?fields=id,state")] == [{"id", "state"}] * 2
    (newest, _oldest) = jobs(api)
    one = api.send("get", f"/classifications/{newest['id']}?fields=ahead,state&wait=0")
    assert one.json() == {"state": "queued", "ahead": 1}
    assert one.headers["Retry-After"] == "1"
    for query in ("fields=ahead", "expand=image", "fields=id,,state"):
        assert error_of(api.send("get", f"/classifications?{query}")) == "unknown_field"


def test_it_filters_and_pages(api, merchant, product, address, django_assert_max_num_queries):
    other = ProductFactory(merchant=merchant)
    api.upload(f"/products/{other.public_id}/images", upload("c.jpg"))
    assert queue.claim(1) is not None
    assert len(jobs(api)) == 3
    assert [len(jobs(api, f"?state={state}")) for state in ("queued", "running", "done", "failed", "cancelled")] == [
        2, 1, 0, 0, 0,
    ]  # fmt: skip
    assert [job["product"] for job in jobs(api, f"?product={other.public_id}")] == [other.public_id]
    image = product.images.first().public_id
    assert [job["image"] for job in jobs(api, f"?image={image}")] == [image]
    first = api.send("get", "/classifications?page_size=2").json()
    rest = api.get(first["next"]).json()
    assert [job["id"] for job in first["results"] + rest["results"]] == [job["id"] for job in jobs(api)]
    for query, code in (
        ("?state=gone", "invalid_choice"),
        ("?sate=done", "unknown_field"),
        ("?page_size=0", "invalid_page_size"),
    ):
        assert error_of(api.send("get", f"/classifications{query}")) == code
    with django_assert_max_num_queries(3):  # the key, its use, the jobs
        api.send("get", "/classifications")


def test_what_was_found_but_does_not_count_yet_still_runs(api, address, monkeypatch):
    monkeypatch.setattr("classifier.jobs.results.apply", lambda *_args: None)
    batches.classify_waiting()
    assert Classification.objects.filter(state="done", applied_at=None).count() == 2
    assert [job["state"] for job in jobs(api)] == ["running", "running"]
    assert (len(jobs(api, "?state=running")), len(jobs(api, "?state=done"))) == (2, 0)
    assert api.send("get", address).json()["state"] == "running"


def test_it_says_how_many_come_before(api, address):
    newest, oldest = jobs(api)
    assert [api.send("get", f"/classifications/{job['id']}").json()["ahead"] for job in (oldest, newest)] == [0, 1]


def test_one_may_be_waited_for(api, address, worker):
    job = jobs(api)[0]
    waits = api.send("get", f"/classifications/{job['id']}")
    assert (waits.json()["state"], waits.headers["Retry-After"]) == ("queued", "1")
    done = api.send("get", f"/classifications/{job['id']}?wait=5")
    assert (done.json()["state"], "Retry-After" in done.headers) == ("done", False)


def test_one_is_cancelled_and_tried_again(api, address):
    job = jobs(api)[0]
    path = f"/classifications/{job['id']}"
    assert error_of(api.send("post", f"{path}/retry")) == "nothing_to_retry"
    cancelled = api.send("post", f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert cancelled.json()["error"] == {
        "code": "cancelled",
        "detail": "The classification was cancelled. You can start it again.",
    }
    assert error_of(api.send("post", f"{path}/cancel")) == "already_ended"

    again = api.send("post", f"{path}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert again.headers["Location"] == f"/api/v1/classifications/{again.json()['id']}"
    batches.classify_waiting()
    assert api.get(again.headers["Location"]).json()["state"] == "done"


def test_a_product_is_classified_again_and_waited_for(api, product, address, worker):
    assert api.send("get", address).json()["progress"] == {"total": 2, "done": 0, "failed": 0}
    batches.classify_waiting()

    again = api.send("post", address)

    body = again.json()
    assert (again.status_code, again.headers["Location"]) == (202, f"/api/v1{address}")
    assert again.headers["Retry-After"] == "1"
    assert (body["state"], body["queued"], len(body["classifications"])) == ("queued", 2, 2)
    done = api.get(f"{again.headers['Location']}?wait=5")
    assert (done.json()["state"], done.json()["progress"]) == ("done", {"total": 2, "done": 2, "failed": 0})
    assert "Retry-After" not in done.headers
    assert [job["image"] for job in done.json()["classifications"]] == [
        image.public_id for image in product.images.current()
    ]


def test_all_of_a_product_are_cancelled(api, address, django_assert_max_num_queries):
    batches.classify_waiting()
    api.send("post", address)
    body = api.send("delete", address).json()
    assert (body["state"], body["progress"]) == ("cancelled", {"total": 2, "done": 0, "failed": 2})
    assert api.send("delete", address).json() == body
    with django_assert_max_num_queries(6):  # the key, its use, the product; the last jobs, these, how many images
        api.send("get", address)


def test_a_product_without_images_has_no_state(api, product):
    body = api.send("get", f"/products/{product.public_id}/classify").json()
    assert body == {"state": None, "progress": {"total": 0, "done": 0, "failed": 0}, "classifications": []}


def test_only_the_merchant_s_own_are_known(api, address, charlie, dana, client_of, read_only_key, admin):
    job = jobs(api)[0]["id"]
    for somebody in (client_of(charlie), client_of(admin)):
        assert somebody.get("/api/v1/classifications").json()["results"] == []
        assert somebody.get(f"/api/v1/classifications/{job}").status_code == 404
        for move in ("retry", "cancel"):
            assert somebody.post(f"/api/v1/classifications/{job}/{move}").status_code in {403, 404}
    reader = ApiClient(read_only_key[1])
    for somebody in (reader, client_of(dana)):
        assert somebody.get(f"/api/v1/classifications/{job}").status_code == 200
        assert somebody.post(f"/api/v1/classifications/{job}/cancel").status_code == 403
        assert somebody.delete(f"/api/v1{address}").status_code == 403
    assert Classification.objects.filter(state="queued").count() == 2


def test_those_of_removed_images_are_not_listed(api, actor, product, address):
    image = product.images.first()
    api.send("post", f"/products/{product.public_id}/images/{image.public_id}/archive")
    assert [job["image"] for job in jobs(api)] == [product.images.current().get().public_id]


def test_a_failure_says_why(api, product, address):
    batch = queue.claim(1)
    queue.fail(batch.token, batch.ids[0], "unreadable", "broken")
    batches.classify_waiting()
    requests.propose_again(product_id=product.pk)
    Classification.objects.filter(state="failed").update(applied_at=Classification.objects.first().queued_at)
    (failed,) = jobs(api, "?state=failed")
    assert failed["error"] == {"code": "unreadable", "detail": "The photo cannot be read. Upload it again."}
    assert api.send("get", address).json()["state"] == "failed"


@pytest.mark.parametrize("number", [0, 2**63, 10**30])
def test_a_number_of_none_is_not_found(api, number):
    for path in ("/classifications/{}", "/models/{}"):
        assert error_of(api.send("get", path.format(number))) == "not_found"
    for move in ("retry", "cancel"):
        assert error_of(api.send("post", f"/classifications/{number}/{move}")) == "not_found"
    assert error_of(api.send("get", "/classifications?product=%00")) == "null_characters_not_allowed"
    assert jobs(api, "?product=nowhere&image=nothing") == []


def test_jobs_from_before_turns_get_their_merchant(api, address):
    """By the migration; the list goes by it."""
    batches.classify_waiting()
    Classification.objects.update(merchant=None)
    assert jobs(api) == []
    migration = import_module("classifier.migrations.0016_cancelled_jobs")
    migration.name_merchants(apps, SimpleNamespace(connection=connection))
    assert len(jobs(api)) == 2
