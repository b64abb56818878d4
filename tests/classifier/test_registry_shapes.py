"""The registry keeps which inputs a model takes beside its square."""

import pytest

from catalog.selectors import Taxonomy
from classifier.models import ModelVersion
from classifier.registry import model_sets, serving
from tests.support.drawn_images import photo
from vision.engine import Manifest

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped(settings, four_class_weights):
    settings.WEIGHTS_DIR = four_class_weights
    model_sets.register_shipped()
    return Manifest.load(four_class_weights).models


def test_a_set_serves_in_the_shapes_of_its_manifest(shipped):
    engine = serving.active(Taxonomy.load()).engine

    served = engine.manifest.models
    assert {role: spec.shapes for role, spec in served.items()} == {role: spec.shapes for role, spec in shipped.items()}
    assert served["garment"].shapes == ((128, 128), (128, 96))
    assert served["garment"].sha256 == shipped["garment"].sha256
    assert engine.classify(photo("navy", (300, 400))).garments


def test_its_row_holds_what_its_manifest_says(shipped):
    for version in ModelVersion.objects.all():
        assert version.serving == model_sets.serving_of(shipped[version.role])
