"""A worker's lines carry the ids of the jobs and images that they are about."""

import io
import json
import logging

import pytest

from catalog.services.uploads import add_images
from classifier.jobs import batches
from core import logs
from tests.support import fake_engines as engines
from tests.support.drawn_images import upload
from tests.support.fake_engines import StubEngine, garment
from vision.engine import DecodeError

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines():
    """Collect what the classifier logs as JSON lines."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(logs.JsonLines())
    logger = logging.getLogger("classifier")
    logger.addHandler(handler)
    yield lambda: [json.loads(line) for line in output.getvalue().splitlines()]
    logger.removeHandler(handler)


@pytest.fixture
def images(alice, actor_of, product):
    files = [upload(f"{color}.jpg", color=color) for color in ("red", "green")]
    return [received.image for received in add_images(actor=actor_of(alice), product=product, files=files)]


def test_a_batch_names_its_jobs_and_images(monkeypatch, images, lines):
    engines.serve(monkeypatch, StubEngine(garment({"Jacket": 0.8})))
    batches.classify_waiting()
    done = [line for line in lines() if "images done" in line["message"]]
    assert {name for line in done for name in line["images"]} == {image.public_id for image in images}
    assert {job for line in done for job in line["jobs"]} == {image.classifications.get().pk for image in images}
    logging.getLogger("classifier").info("after")
    assert "jobs" not in lines()[-1]


def test_an_image_that_cannot_be_classified_is_named(monkeypatch, images, lines):
    engines.serve(monkeypatch, StubEngine(answer=lambda _data: DecodeError("damaged", "Cut off.")))
    batches.classify_waiting()
    named = {line["image"]: line["code"] for line in lines() if "cannot be classified" in line["message"]}
    assert named == {image.public_id: "unreadable" for image in images}
