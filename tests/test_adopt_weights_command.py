"""`manage.py adopt_weights` makes somebody else's detectors serve here."""

import json

import pytest
from django.core.management import CommandError, call_command

from classifier.engine import Engine
from tests.networks import build_three_detectors
from tests.pictures import photo


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The original's three detectors, as ultralytics saved them."""
    return build_three_detectors(tmp_path_factory.mktemp("original"))


def adopt(weights, *models, **options):
    call_command("adopt_weights", *models, weights=weights, **options)


def test_it_makes_the_three_detectors_of_the_original_serve(original, tmp_path, capsys):
    roles = ("category", "material", "sleeve_length")
    adopt(tmp_path, *(f"{role}={original / role}.pt" for role in roles), image_size=128)
    assert "category: category-category, 5 classes, 128 px" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert set(manifest["models"]) == set(roles)
    photograph = Engine.load(tmp_path).classify(photo())
    assert photograph.as_dict()["garments"] == Engine.load(original).classify(photo()).as_dict()["garments"]
    assert photograph.garments


def test_it_refuses_what_is_no_detector(original, tmp_path, network_weights):
    (tmp_path / "text.pt").write_text("no checkpoint")
    for given, sentence in (
        (f"category={network_weights / 'category.pt'}", "no detector"),
        (f"category={tmp_path / 'text.pt'}", "cannot be opened"),
        (f"category={tmp_path / 'nowhere.pt'}", "nowhere.pt"),
        (f"category={original / 'category.pt'}", "input size"),
        ("category.pt", "ROLE=FILE"),
    ):
        with pytest.raises(CommandError, match=sentence):
            adopt(tmp_path / "weights", given)
    assert not (tmp_path / "weights").exists()
