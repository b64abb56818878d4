"""`POST /classify`: images in, garments out, nothing kept."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import IdempotentRequest, Usage
from catalog.models import Product, ProductImage
from classifier import stateless
from classifier.api import waits
from classifier.jobs import answering
from classifier.models import ClassifyRequest
from core import waiting
from tests.support.api_clients import ApiClient, error_of, problem_of
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment, serve

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    return serve(monkeypatch, StubEngine(garment({"Jacket": 0.8, "Jumper": 0.15}, material="denim")))


@pytest.fixture
def worker(monkeypatch, settings):
    """Let a worker answer whenever somebody who waits would pause."""
    settings.OTJANG_WAITING_CALLERS = 1

    class Over:
        def wait(self, _seconds):
            answering.Answering()(threading.Event())
            return False

    monkeypatch.setattr(waiting, "_over", Over())


@pytest.fixture
def impatient(monkeypatch, settings):
    """Let the time of who waits be over at once."""
    settings.OTJANG_WAITING_CALLERS = 1

    class Over:
        def wait(self, _seconds):
            return True

    monkeypatch.setattr(waiting, "_over", Over())


def classify(client, *files, **headers):
    return client.post("/api/v1/classify", {"images": list(files)}, headers=headers)


def test_it_says_what_is_in_images_and_stores_nothing(api, worker):
    answer = classify(api, upload("앞.jpg"), upload("notes.txt", data=b"a text, no photo"))

    assert answer.status_code == 200
    body = answer.json()
    assert answer.headers["Location"] == f"/api/v1/classify/{body['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Retry-After" not in answer.headers
    assert (body["state"], body["progress"], body["error"]) == ("done", {"done": 2, "total": 2}, None)
    found, refused = body["results"]
    assert list(found) == ["file", "width", "height", "garments", "models", "error"]
    assert found["file"] == "앞.jpg"
    assert found["garments"][0]["category"] == {
        "value": "Jacket",
        "parent": "Outer",
        "confidence": 0.8,
        "alternatives": [{"value": "Jumper", "confidence": 0.15}],
    }
    assert refused["error"]["code"] == "not_an_image"
    assert not Product.objects.exists()
    assert not ProductImage.objects.exists()
    assert api.get(answer.headers["Location"]).json() == body  # for some minutes
    ClassifyRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert error_of(api.get(answer.headers["Location"])) == "not_found"


def test_who_does_not_wait_long_enough_is_told_where_to_ask(api, impatient):
    answer = classify(api, upload())
    assert answer.status_code == 202
    body = answer.json()
    assert (body["state"], body["progress"], body["results"]) == ("queued", {"done": 0, "total": 1}, None)
    assert answer.headers["Retry-After"] == "1"
    asked = api.get(answer.headers["Location"])
    assert (asked.status_code, asked.json(), asked.headers["Retry-After"]) == (200, body, "1")

    answering.Answering()(threading.Event())

    done = api.get(answer.headers["Location"])
    assert (done.json()["state"], "Retry-After" in done.headers) == ("done", False)


@pytest.mark.parametrize(
    ("said", "seconds", "applied"),
    [
        ("", 10, None),
        ("wait=3", 3, "wait=3"),
        ('return=minimal, Wait = "5"; x=y', 5, "wait=5"),
        ("wait=99", 20, "wait=20"),
        ("respond-async, wait=3", 0, "respond-async"),
        ("wait=soon", 10, None),
        ("wait=-1", 10, None),
    ],
)
def test_prefer_says_how_long_to_wait(api, monkeypatch, said, seconds, applied):
    waited = []
    monkeypatch.setattr(stateless, "wait_for", lambda request, seconds: waited.append(seconds) or request)
    answer = classify(api, upload(), prefer=said)
    assert (waited, answer.headers.get("Preference-Applied")) == ([seconds], applied)


def test_a_bounded_number_of_callers_wait(api, settings, worker):
    settings.OTJANG_WAITING_CALLERS = 0
    assert classify(api, upload()).status_code == 202
    settings.OTJANG_WAITING_CALLERS = 1
    assert classify(api, upload()).status_code == 200
    assert waiting._callers == 0


def test_asking_may_wait_too(api, worker, settings):
    settings.OTJANG_WAITING_CALLERS = 0
    address = classify(api, upload()).headers["Location"]
    settings.OTJANG_WAITING_CALLERS = 1
    assert api.get(address).json()["state"] == "queued"
    assert api.get(f"{address}?wait=5").json()["state"] == "done"
    for query, code in (("wait=21", "max_value"), ("wait=x", "invalid"), ("wiat=1", "unknown_field")):
        assert error_of(api.get(f"{address}?{query}")) == code


def test_it_may_be_forgotten_before_its_time(api, impatient):
    address = classify(api, upload()).headers["Location"]
    assert api.delete(address).status_code == 204
    assert not ClassifyRequest.objects.exists()
    assert error_of(api.delete(address)) == "not_found"
    assert error_of(api.get(address)) == "not_found"


def test_only_the_merchant_s_own_are_known(api, impatient, charlie, client_of, admin):
    address = classify(api, upload()).headers["Location"]
    for somebody in (client_of(charlie), client_of(admin)):
        assert somebody.get(address).status_code in {403, 404}
        assert somebody.delete(address).status_code in {403, 404}
    assert ApiClient().get(address).status_code == 401
    assert ClassifyRequest.objects.count() == 1


def test_what_is_too_much_is_refused(api, impatient, settings):
    settings.OTJANG_CLASSIFY_MAX_IMAGES, settings.OTJANG_CLASSIFY_MAX_OPEN = 1, 1
    for files, code in (([], "empty_body"), ([upload(), upload()], "too_many_images")):
        refused = classify(api, *files) if files else api.post("/api/v1/classify", {"imges": "x"})
        assert error_of(refused) == (code if files else "unknown_field")
    assert error_of(api.post("/api/v1/classify", {"images": []})) in {"no_images", "malformed_form"}
    assert classify(api, upload()).status_code == 202
    full = classify(api, upload())
    assert (full.status_code, problem_of(full)["code"], full.headers["Retry-After"]) == (429, "too_many_waiting", "2")


def test_json_is_not_taken(api):
    assert api.send("post", "/classify", {"images": []}).status_code == 415


def test_large_bodies_are_taken_up_to_their_own_limit(settings):
    from config.limits import Announced, Verdict, judge

    announced = Announced("/api/v1/classify", "multipart/form-data; boundary=x", "Bearer x", "")
    limit = settings.OTJANG_CLASSIFY_MAX_BYTES
    assert judge(announced, limit) is Verdict.FITS
    assert judge(announced, limit + 2 * 2**20) is Verdict.TOO_LARGE


def test_what_failed_says_why(api, impatient):
    address = classify(api, upload()).headers["Location"]
    ClassifyRequest.objects.update(state="failed", error_code="gave_up")
    body = api.get(address).json()
    assert (body["state"], body["error"]["code"], body["results"]) == ("failed", "gave_up", None)
    assert body["error"]["detail"]


def test_a_caller_is_let_go_when_the_process_ends(api, monkeypatch, settings):
    settings.OTJANG_WAITING_CALLERS = 1
    monkeypatch.setattr(waiting, "_over", threading.Event())
    waiting.let_go()
    assert classify(api, upload(), prefer="wait=20").status_code == 202


def test_a_request_whose_time_ends_while_somebody_waits_is_not_found(api, monkeypatch, settings):
    settings.OTJANG_WAITING_CALLERS = 1

    class Over:
        def wait(self, _seconds):
            ClassifyRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
            return False

    monkeypatch.setattr(waiting, "_over", Over())
    assert error_of(classify(api, upload())) == "not_found"
    assert waits.DEFAULT_WAIT <= waiting.LONGEST


def test_what_comes_in_counts_for_the_day(api, merchant, settings):
    settings.OTJANG_DAILY_IMAGES = 2
    assert classify(api, upload(), upload("notes.txt", data=b"a text, no photo")).status_code == 202
    assert Usage.objects.get(merchant=merchant).images == 1
    refused = classify(api, upload(), upload())
    assert (refused.status_code, error_of(refused)) == (429, "image_quota_exceeded")
    assert ClassifyRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_result_is_kept_for_a_key(api, worker):
    """Who sends it again gets the address, where the result is as long as it is anywhere."""
    first = classify(api, upload(), **{"idempotency-key": "a"})
    again = classify(api, upload(), **{"idempotency-key": "a"})
    assert (first.status_code, again.status_code) == (200, 202)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert (again.json()["id"], again.json()["results"]) == (first.json()["id"], None)
    assert "Jacket" not in IdempotentRequest.objects.get().body
    assert ClassifyRequest.objects.count() == 1
    assert api.get(again.headers["Location"]).json() == first.json()
