"""Attributes whose classifiers share one network."""

import json
import shutil

import pytest

from tests.support.drawn_images import photo
from tests.support.tiny_networks import CLASSIFIER_SIZE
from vision.engine import Engine
from vision.engine.compat import prepare_ultralytics
from vision.training.multi_head import merge_heads
from vision.training.network import save_model
from vision.training.publish import sha256
from vision.training.run import RunError

ROLES = ("category", "material", "sleeve_length")


def _manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def _write(folder, manifest):
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _module(folder, role):
    prepare_ultralytics()
    from ultralytics.nn.tasks import load_checkpoint

    return load_checkpoint(folder / f"{role}.pt")[0]


@pytest.fixture
def separate(network_weights, tmp_path):
    """Weights whose three classifiers have the same backbone, each in a file of its own."""
    folder = tmp_path / "separate"
    shutil.copytree(network_weights, folder)
    manifest = _manifest(folder)
    backbone = {name: value for name, value in _module(folder, "category").state_dict().items() if "linear" not in name}
    for role in ROLES:
        module = _module(folder, role)
        module.load_state_dict(backbone, strict=False)
        save_model(module, folder / f"{role}.pt", CLASSIFIER_SIZE)
        manifest["models"][role]["files"] = {"torch": {"path": f"{role}.pt", "sha256": sha256(folder / f"{role}.pt")}}
    _write(folder, manifest)
    return folder


@pytest.fixture
def merged(separate, tmp_path):
    """The same classifiers in one network."""
    folder = tmp_path / "multi_head"
    shutil.copytree(separate, folder)
    manifest = _manifest(folder)
    save_model(merge_heads([separate / f"{role}.pt" for role in ROLES]), folder / "attributes.pt", CLASSIFIER_SIZE)
    files = {"torch": {"path": "attributes.pt", "sha256": sha256(folder / "attributes.pt")}}
    first = 0
    for role in ROLES:
        manifest["models"][role] |= {"files": files, "first_output": first}
        first += len(manifest["models"][role]["classes"])
    _write(folder, manifest)
    return folder


def test_it_says_the_same_with_one_network_as_with_three(separate, merged):
    three, one = Engine.load(separate, runtime="torch"), Engine.load(merged, runtime="torch")

    expected, found = three.classify(photo()), one.classify(photo())

    assert expected.garments
    assert len(found.garments) == len(expected.garments)
    for ours, theirs in zip(found.garments, expected.garments, strict=True):
        for role in ROLES:
            mine, other = ours.attributes[role], theirs.attributes[role]
            assert (mine is None) == (other is None)
            if mine is not None:
                assert mine.value == other.value
                assert mine.confidence == pytest.approx(other.confidence, abs=1e-3)
                assert mine.model == other.model


def test_it_shows_each_garment_to_a_shared_network_once(merged, monkeypatch):
    engine = Engine.load(merged, runtime="torch")
    shared = engine.networks["category"]
    assert engine.networks["material"] is shared
    assert engine.networks["sleeve_length"] is shared
    seen = []
    infer = shared.infer
    monkeypatch.setattr(shared, "infer", lambda batch: seen.append(len(batch)) or infer(batch))

    result = engine.classify(photo())

    assert sum(seen) == len({garment.box for garment in result.garments}) > 0


def test_it_joins_only_what_differs_in_the_last_layer(network_weights):
    with pytest.raises(RunError, match="cannot share a network"):
        merge_heads([network_weights / "category.pt", network_weights / "material.pt"])
