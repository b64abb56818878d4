"""Images that are looked at without being stored: taken in by a web process, answered by a worker, forgotten."""

import json
import threading
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Merchant
from catalog.models import PendingFile, ProductImage
from catalog.services.uploads import add_images
from classifier import stateless
from classifier.jobs import answering, batches, lanes, precedence, spool, sweep
from classifier.models import Classification, ClassifyRequest, Garment, Prediction
from core.errors import Conflict, Invalid, TooMuch
from tests.support.drawn_images import photo, upload
from tests.support.factories import MerchantFactory
from tests.support.fake_engines import StubEngine, garment, serve
from vision.engine import DecodeError, WeightsMissing

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(monkeypatch):
    return serve(monkeypatch, StubEngine(garment("Jacket", material="denim")))


def answer(times=1):
    """Let a worker answer what waits, `times` workers one after the other."""
    for _ in range(times):
        answering.Answering()(threading.Event())


def spooled():
    """The names of the files in the spool."""
    try:
        folders, _files = default_storage.listdir("spool")
    except FileNotFoundError:
        return []
    return sorted(f"{folder}/{name}" for folder in folders for name in default_storage.listdir(f"spool/{folder}")[1])


def test_it_answers_as_the_command_line_does_and_keeps_nothing(actor, engine):
    request = stateless.ask(actor=actor, files=[upload("앞.jpg"), upload("b.png", color="navy", kind="PNG")])
    assert (request.done, stateless.results_of(request)) == (0, None)
    assert spooled() == [f"{request.public_id}/0", f"{request.public_id}/1"]

    answer()

    request.refresh_from_db()
    assert (request.state, request.done, request.lease_token) == ("done", 2, "")
    first, second = stateless.results_of(request)
    assert list(first) == ["file", "width", "height", "garments", "models", "error"]
    assert (first["file"], second["file"], first["error"]) == ("앞.jpg", "b.png", None)
    assert first["garments"][0]["category"]["value"] == "Jacket"
    assert engine.batches == [[photo(), photo("navy", kind="PNG")]]  # as they were sent
    assert spooled() == []
    assert not default_storage.exists("spool/" + request.public_id)
    rows = (Classification, Garment, Prediction, ProductImage, PendingFile)
    assert [row.objects.count() for row in rows] == [0] * len(rows)


def test_a_file_that_is_no_image_has_its_error_and_holds_up_no_other(actor, engine):
    request = stateless.ask(actor=actor, files=[upload("notes.jpg", data=b"a text" * 9), upload("a.jpg")])
    assert spooled() == [f"{request.public_id}/1"]
    answer()
    request.refresh_from_db()
    refused, found = stateless.results_of(request)
    assert refused == {
        "file": "notes.jpg",
        "width": None,
        "height": None,
        "garments": [],
        "models": {},
        "error": {
            "code": "not_an_image",
            "message": "This is not a photo. Send JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF.",
        },
    }
    assert found["garments"]


def test_it_is_done_at_once_without_a_good_image(actor, engine):
    request = stateless.ask(actor=actor, files=[upload("empty.jpg", data=b"")])
    request.refresh_from_db()
    assert (request.state, stateless.results_of(request)[0]["error"]["code"]) == ("done", "empty")


def test_what_the_decoder_refuses_is_said_in_the_reader_s_words(actor, monkeypatch):
    broken = DecodeError("damaged", "The pixels end early.")
    serve(monkeypatch, StubEngine(answer=lambda _data: broken))
    request = stateless.ask(actor=actor, files=[upload()])
    answer()
    request.refresh_from_db()
    (result,) = stateless.results_of(request)
    assert (result["error"]["code"], result["models"]["category"]) == ("damaged", "category-1")
    assert result["error"]["message"].startswith("The photo is damaged")


def test_it_is_bounded(actor, engine, settings):
    settings.OTJANG_CLASSIFY_MAX_IMAGES, settings.OTJANG_CLASSIFY_MAX_OPEN = 2, 1
    for files, code in (([], "no_images"), ([upload()] * 3, "too_many_images")):
        with pytest.raises(Invalid) as refused:
            stateless.ask(actor=actor, files=files)
        assert refused.value.code == code
    stateless.ask(actor=actor, files=[upload()])
    with pytest.raises(TooMuch) as busy:
        stateless.ask(actor=actor, files=[upload()])
    assert (busy.value.code, busy.value.seconds) == ("too_many_waiting", stateless.RETRY_AFTER)
    answer()
    stateless.ask(actor=actor, files=[upload()])


def test_large_requests_take_turns_with_others(actor, engine, settings, charlie, actor_of):
    settings.OTJANG_CLASSIFY_BATCH = 2
    colors = ("red", "green", "blue", "yellow", "black")
    large = stateless.ask(actor=actor, files=[upload(f"{color}.jpg", color=color) for color in colors])
    stateless.ask(actor=actor, files=[upload(color="purple")])
    small = stateless.ask(actor=actor_of(charlie), files=[upload(color="orange")])

    answer()

    assert [len(batch) for batch in engine.batches] == [2, 1, 1, 2, 1]
    assert engine.batches[1] == [photo("orange")]  # another merchant's does not wait for the rest
    for request in (large, small):
        request.refresh_from_db()
        assert request.state == "done"
    assert [result["file"] for result in stateless.results_of(large)] == [f"{color}.jpg" for color in colors]


def test_it_is_forgotten_after_its_time(actor, engine):
    waiting = stateless.ask(actor=actor, files=[upload()])
    done = stateless.ask(actor=actor, files=[upload(data=b"")])
    assert spool.forget_expired() == 0
    ClassifyRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer()  # what is expired is nobody's work any more
    assert engine.batches == []
    assert [stateless.find(actor=actor, public_id=one.public_id) for one in (waiting, done)] == [None, None]
    sweep.sweep()
    assert not ClassifyRequest.objects.exists()
    assert spooled() == []


def test_what_a_killed_web_process_left_is_swept(actor, merchant, monkeypatch):
    """Its row is there before the first file."""
    request = ClassifyRequest.objects.create(merchant=merchant, names=["a", "b"], results=[None, None])
    default_storage.save(request.path(0), upload())
    answer()
    request.refresh_from_db()
    assert request.state == "receiving"
    ClassifyRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    sweep.sweep()
    assert (ClassifyRequest.objects.count(), spooled()) == (0, [])


def test_an_upload_that_takes_too_long_leaves_nothing(actor, monkeypatch):
    def expire(*_args):
        ClassifyRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        sweep.sweep()

    monkeypatch.setattr(stateless.stored_files, "write", expire)
    with pytest.raises(Conflict) as refused:
        stateless.ask(actor=actor, files=[upload()])
    assert (refused.value.code, ClassifyRequest.objects.count(), spooled()) == ("upload_expired", 0, [])


def test_a_storage_that_fails_leaves_nothing(actor, monkeypatch):
    def fail(*_args):
        raise OSError("disk full")

    monkeypatch.setattr(stateless.stored_files, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        stateless.ask(actor=actor, files=[upload()])
    assert not ClassifyRequest.objects.exists()


def test_it_may_be_forgotten_while_a_worker_looks(actor, actor_of, charlie, monkeypatch):
    def forget(_data):
        assert not stateless.forget(actor=actor_of(charlie), public_id=request.public_id)
        assert stateless.forget(actor=actor, public_id=request.public_id)
        return ()

    engine = serve(monkeypatch, StubEngine(answer=forget))
    request = stateless.ask(actor=actor, files=[upload()])
    answer()
    assert len(engine.batches) == 1
    assert (ClassifyRequest.objects.count(), spooled()) == (0, [])
    assert not stateless.forget(actor=actor, public_id=request.public_id)


def test_it_waits_for_models_and_storage_without_using_up_attempts(actor, monkeypatch):
    serve(monkeypatch, WeightsMissing("There is no manifest.json."))
    request = stateless.ask(actor=actor, files=[upload()])
    answer(times=5)
    request.refresh_from_db()
    assert (request.state, request.attempts, request.error_code) == ("queued", 0, "model_not_available")

    serve(monkeypatch, StubEngine(garment()))
    with monkeypatch.context() as patched:
        patched.setattr(answering, "_read", lambda _path: (_ for _ in ()).throw(ConnectionError("away")))
        answer(times=5)
    request.refresh_from_db()
    assert (request.state, request.attempts, request.error_code) == ("queued", 0, "storage_unavailable")

    answer()
    request.refresh_from_db()
    assert (request.state, request.error_code) == ("done", "")


def test_a_lost_file_ends_it(actor, engine):
    request = stateless.ask(actor=actor, files=[upload()])
    default_storage.delete(request.path(0))
    answer()
    request.refresh_from_db()
    assert (request.state, request.error_code, request.has_ended) == ("failed", "file_missing", True)


def test_it_is_given_up_after_some_attempts(actor, monkeypatch, settings):
    settings.OTJANG_MAX_ATTEMPTS = 2

    def break_off(_data):
        raise ValueError("a bug")

    engine = serve(monkeypatch, StubEngine(answer=break_off))
    request = stateless.ask(actor=actor, files=[upload()])
    answer()
    request.refresh_from_db()
    assert (len(engine.batches), request.state, request.error_code) == (2, "failed", "gave_up")
    assert spooled() == []


def test_another_worker_takes_over_from_one_that_was_killed(actor, engine, settings):
    settings.OTJANG_MAX_ATTEMPTS = 2
    request = stateless.ask(actor=actor, files=[upload()])
    killed = answering.claim()
    sweep.take_over()
    assert answering.claim() is None  # its lease holds

    ClassifyRequest.objects.update(lease_until=Now() - timedelta(seconds=1))
    sweep.take_over()
    again = answering.claim()
    assert again.request == request
    assert not answering.store(killed, engine.classify_batch([b""]), {})  # it was only slow

    ClassifyRequest.objects.update(lease_until=Now() - timedelta(seconds=1))
    sweep.take_over()
    request.refresh_from_db()
    assert (request.state, request.error_code) == ("failed", "gave_up")


def test_leases_are_renewed_until_it_hangs(actor, monkeypatch, settings):
    seen = []

    def look(_data):
        ClassifyRequest.objects.update(lease_until=Now() - timedelta(seconds=1))
        seen.append(answering.renew())
        sweep.take_over()  # by another worker: it is this one's still
        seen.append(ClassifyRequest.objects.get().state)
        settings.OTJANG_MAX_JOB_SECONDS = 0
        seen.append(answering.renew())
        return ()

    serve(monkeypatch, StubEngine(answer=look))
    stateless.ask(actor=actor, files=[upload()])
    answer()
    assert seen == [False, "running", True]
    assert ClassifyRequest.objects.get().state == "done"


def test_bulk_work_is_held_up_by_it(monkeypatch, product, actor):
    """In this process, for a bounded time; interactive work does not."""
    held_up = []
    monkeypatch.setattr(precedence, "LONGEST", 0)
    monkeypatch.setattr(lanes.precedence, "wait_for_others", lambda: held_up.append(1))
    serve(monkeypatch, StubEngine())
    for priority in (Classification.Priority.INTERACTIVE, Classification.Priority.BULK):
        held_up.clear()
        add_images(actor=actor, product=product, files=[upload(color=("red", "blue")[priority > 0])])
        Classification.objects.filter(state="queued").update(priority=priority)
        batches.classify_waiting()
        assert len(held_up) == (priority == Classification.Priority.BULK)


def test_precedence_ends_with_the_block():
    with precedence.taken():
        assert not precedence.wait_for_others(0)
    assert precedence.wait_for_others(0)


def test_a_merchant_s_end_takes_the_files_along(actor, other_merchant, merchant, engine):
    stateless.ask(actor=actor, files=[upload()])
    gone = MerchantFactory()
    request = ClassifyRequest.objects.create(merchant=gone, names=["a"], results=[None])
    default_storage.save(request.path(0), upload())
    Merchant.objects.filter(pk=gone.pk).delete()
    assert len(spooled()) == 1


def test_it_says_what_the_command_says(actor, network_weights, settings, tmp_path, capsys):
    """With real networks, over the site's registry and straight from the folder."""
    settings.WEIGHTS_DIR = network_weights
    files = {"a.jpg": photo("navy"), "b.png": photo("seagreen", kind="PNG"), "c.jpg": b"no image at all"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError):  # one file is none
        call_command("classify", *(str(tmp_path / name) for name in files), format="jsonl", weights=network_weights)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    request = stateless.ask(actor=actor, files=[upload(name, data=content) for name, content in files.items()])
    answer()

    request.refresh_from_db()
    results = json.loads(json.dumps(stateless.results_of(request)))
    assert [line.pop("file").rsplit("/", 1)[-1] for line in lines] == [result.pop("file") for result in results]
    assert results[:2] == lines[:2]
    assert results[2]["error"]["code"] == lines[2]["error"]["code"]
    assert results[0]["garments"]
