"""Engines without networks: they find what a test tells them to, so that tests of the queue take no time."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from django.db.models.functions import Now

from classifier.models import Classification
from classifier.registry import model_sets, serving
from vision.engine import (
    Alternative,
    AttributeResult,
    DecodeError,
    Garment,
    Given,
    ImageResult,
    Manifest,
    ModelSpec,
    WeightFile,
)

PARENTS = {"Jacket": "Outer", "Jumper": "Outer", "Tshirt": "Top", "Shirt": "Top", "Jeans": "Bottom"}


def fake_manifest(version="1"):
    """List a garment detector and three classifiers whose files are a few bytes that nobody can load."""

    def spec(role, task, classes):
        content = f"{role} {version}".encode()
        file = WeightFile(Path(f"{role}.bin"), hashlib.sha256(content).hexdigest(), lambda _path: content)
        files = {"openvino": (file,)}
        return ModelSpec(role, f"{role}-{version}", task, classes, 64, files, calibrated=task == "classify")

    models = {
        "garment": spec("garment", "detect", ("garment",)),
        "category": spec("category", "classify", tuple(PARENTS)),
        "material": spec("material", "classify", ("denim", "knit")),
        "sleeve_length": spec("sleeve_length", "classify", ("long", "short")),
    }
    return Manifest(version, models, hashlib.sha256(version.encode()).hexdigest())


def garment(category="Jacket", confidence=0.9, box=(0.2, 0.1, 0.8, 0.9), version="1", hidden=(), **others):
    """Describe a found garment: `category` and others as a code, or as {code: confidence} with alternatives.

    The image does not show the `hidden` attributes.
    """

    def said(role, value):
        (first, certain), *rest = (value if isinstance(value, dict) else {value: 0.9}).items()
        alternatives = tuple(Alternative(code, share) for code, share in rest)
        return AttributeResult(first, certain, alternatives, True, f"{role}-{version}", PARENTS.get(first))

    attributes = {"category": category, **others}
    answers = {role: said(role, value) for role, value in attributes.items()} | dict.fromkeys(hidden)
    return Garment(box, confidence, f"garment-{version}", answers, tuple(hidden))


def serve(monkeypatch, engine):
    """Let workers serve an engine of this module as the shipped one, or meet an error in its place."""

    def shipped():
        if isinstance(engine, Exception):
            raise engine
        return engine.manifest

    monkeypatch.setattr(model_sets, "shipped_manifest", shipped)
    monkeypatch.setattr(serving, "load_engine", lambda *_args: engine)
    return engine


class StubEngine:
    """Finds the same garments in every image, or what `answer(data)` returns or raises.

    Whatever people drew it takes for `drawn`, jeans by default.
    """

    def __init__(self, *garments, version="1", answer=None, drawn=None):
        self.manifest = fake_manifest(version)
        self.models = {role: spec.name for role, spec in self.manifest.models.items()}
        self.batches = []
        self.given = []
        self.drawn = drawn or garment("Jeans", version=version, material="denim")
        self._answer = answer or (lambda _data: garments)

    def classify_batch(self, sources, given=None):
        self.batches.append(list(sources))
        self.given.append(given or [Given()] * len(self.batches[-1]))
        return [self._look(data, known) for data, known in zip(self.batches[-1], self.given[-1], strict=True)]

    def _look(self, data, known):
        found = self._answer(data)
        if isinstance(found, DecodeError):
            return found
        timings = {"decode": 1.0, "detect": 2.0, "classify": 3.0}
        described = tuple(replace(self.drawn, box=asked.box) for asked in known.boxes)
        return ImageResult(400, 300, () if known.only else tuple(found), {}, timings, described)


def expire_leases():
    """Let the leases of all running jobs be over, as if their workers had been killed."""
    Classification.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))
