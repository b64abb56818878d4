"""What a worker counts of the images it looks at, and shows at a port of its own."""

import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalog.services.uploads import add_images
from classifier.jobs import batches, queue
from classifier.management import metrics as worker_metrics
from classifier.models import Classification
from core import metrics
from tests.support import fake_engines as engines
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment
from vision.engine import DecodeError


@pytest.fixture(autouse=True)
def _on(settings):
    settings.METRICS = True
    metrics.forget()
    yield
    metrics.forget()


@pytest.fixture
def images(alice, actor_of, product):
    files = [upload(f"{color}.jpg", color=color) for color in ("red", "green")]
    return [received.image for received in add_images(actor=actor_of(alice), product=product, files=files)]


def _counted(name):
    families = text_string_to_metric_families(metrics.exposition().decode())
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return {next(iter(sample.labels.values()), ""): sample.value for sample in found}


@pytest.mark.django_db
def test_each_phase_of_an_image_is_timed(monkeypatch, images):
    monkeypatch.setattr(batches, "LANES", 1)  # one batch, so one visit to the product
    engines.serve(monkeypatch, StubEngine(garment("Jacket")))
    batches.classify_waiting()
    phases = _counted("otjang_phase_seconds_count")
    assert phases == dict.fromkeys(("queue", "read", "decode", "detect", "classify", "store"), 2) | {"apply": 1}
    assert _counted("otjang_phase_seconds_sum")["classify"] == pytest.approx(0.006)  # the engine says 3 ms an image
    assert _counted("otjang_queue_wait_seconds_count") == {"interactive": 2}


@pytest.mark.django_db
def test_images_are_counted_by_the_set_that_looked(monkeypatch, images):
    engines.serve(monkeypatch, StubEngine(garment("Jacket"), version="2026.11"))
    batches.classify_waiting()
    assert _counted("otjang_images_done_total") == {"2026.11": 2}


@pytest.mark.django_db
def test_what_failed_is_counted_by_code(monkeypatch, images):
    engines.serve(monkeypatch, StubEngine(answer=lambda _data: DecodeError("damaged", "Cut off.")))
    batches.classify_waiting()
    assert _counted("otjang_images_failed_total") == {"unreadable": 2}
    assert _counted("otjang_images_done_total") == {}


@pytest.mark.django_db
def test_what_broke_off_is_counted_until_it_is_given_up(images, settings, django_capture_on_commit_callbacks):
    settings.OTJANG_MAX_ATTEMPTS = 2
    for _attempt in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            for _job in images:
                queue.put_back_batch(queue.claim(1), "It broke off.")
    assert _counted("otjang_images_put_back_total") == {"broken_off": 2}
    assert _counted("otjang_images_failed_total") == {"gave_up": 2}


@pytest.mark.django_db
def test_what_waits_for_the_storage_is_counted(images, django_capture_on_commit_callbacks):
    batch = queue.claim(2)
    with django_capture_on_commit_callbacks(execute=True):
        queue.wait_for_storage(batch.token, batch.ids, "Away.")
    assert _counted("otjang_images_put_back_total") == {"storage": 2}
    assert Classification.objects.filter(state="queued").count() == 2


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _ask(port, path="/metrics", token=""):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_they_are_at_a_port_of_their_own(settings):
    settings.METRICS_WORKER_PORT = port = _free_port()
    with worker_metrics.shown() as server:
        assert server is not None
        status, text = _ask(port)
        assert (status, "process_resident_memory_bytes" in text) == (200, True)
        assert _ask(port, "/")[0] == 404
        settings.METRICS_TOKEN = "let-me-see"
        assert _ask(port)[0] == 403
        assert _ask(port, token="let-me-see")[0] == 200
    with pytest.raises(urllib.error.URLError):
        _ask(port)


def test_a_port_that_is_taken_ends_no_worker(settings, caplog, monkeypatch):
    monkeypatch.setattr(worker_metrics.logger, "propagate", True)
    settings.METRICS_WORKER_PORT = port = _free_port()
    with worker_metrics.shown(), worker_metrics.shown() as second:
        assert second is None
        assert _ask(port)[0] == 200
    assert f"127.0.0.1:{port}" in caplog.text


@pytest.mark.parametrize(("metrics_on", "port"), [(False, 9), (True, 0)])
def test_nothing_listens_unless_asked_for(settings, metrics_on, port):
    settings.METRICS, settings.METRICS_WORKER_PORT = metrics_on, port
    with worker_metrics.shown() as server:
        assert server is None
