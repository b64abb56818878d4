"""Images and garments that are not square are seen in narrower inputs, where a model has them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.support.drawn_images import photo
from tests.support.scripted_networks import Boxes, classifier, engine_of, finder
from tests.support.tiny_networks import CATEGORIES, DETECTOR_SIZE
from vision.engine import Engine, Manifest, ManifestInvalid
from vision.engine.compat import prepare_openvino
from vision.engine.errors import EngineError
from vision.engine.manifest import GARMENT
from vision.engine.runtime import load_networks
from vision.training.publish import files_entry

SCORES = (0.1, 0.1, 0.6, 0.2)


class Seen:
    """A network that answers as another one does, and remembers the shapes that it was shown."""

    def __init__(self, network):
        self.network, self.shapes = network, []

    def infer(self, batch):
        self.shapes.append(batch.shape[2:])
        return self.network.infer(batch)


class ByWidth:
    """Calls what is shown in a narrow crop the second class."""

    def infer(self, batch):
        return np.tile([[0.0, 4.0]] if batch.shape[3] < batch.shape[2] else [[4.0, 0.0]], (len(batch), 1))


@pytest.fixture
def narrow_weights(four_class_weights, tmp_path):
    """The models in `four_class_weights`, which take narrow images and garments as well."""
    for path in four_class_weights.iterdir():
        (tmp_path / path.name).symlink_to(path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for role, entry in manifest["models"].items():
        entry["input_shapes"] = [[160, 96], [96, 160]] if role == GARMENT else [[64, 32]]
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.mark.parametrize(
    ("size", "shape"),
    [((300, 300), (100, 100)), ((200, 300), (96, 64)), ((300, 190), (64, 96)), ((250, 300), (100, 100))],
)
def test_an_image_is_seen_in_the_shape_of_the_nearest_proportions(size, shape):
    network = Seen(Boxes((0, 0, 32, 48, *SCORES)))
    engine = engine_of((finder(input_shapes=((96, 64), (64, 96))), network))

    (garment,) = engine.classify(photo(size=size, kind="PNG")).garments

    assert network.shapes == [shape]
    scale = min(shape[0] / size[1], shape[1] / size[0])
    left, top = (shape[1] - size[0] * scale) / 2, (shape[0] - size[1] * scale) / 2
    expected = (0, 0, (32 - left) / (size[0] * scale), (48 - top) / (size[1] * scale))
    assert garment.box == pytest.approx(expected, abs=0.01)


def test_a_tall_garment_is_shown_in_a_narrow_crop_and_the_answers_stay_with_their_garments():
    network = Seen(ByWidth())
    boxes = Boxes((0, 0, 20, 60, *SCORES), (30, 10, 60, 40, *SCORES), (70, 0, 90, 55, *SCORES))
    category = classifier("category", ("Tshirt", "Jeans"), input_shapes=((96, 48),))

    garments = engine_of((finder(), boxes), (category, network)).classify(photo(size=(100, 100), kind="PNG")).garments

    assert sorted(network.shapes) == [(96, 48), (100, 100)]  # the tall ones together
    said = {round(garment.box[2], 3): garment.attributes["category"].value for garment in garments}
    assert said == {0.2: "Jeans", 0.6: "Tshirt", 0.9: "Jeans"}


def test_both_runtimes_say_the_same_in_every_shape(narrow_weights):
    models = Manifest.load(narrow_weights).models
    ours, theirs = (load_networks(models, runtime) for runtime in ("openvino", "torch"))

    for role, spec in models.items():
        for shape in spec.shapes:
            batch = np.random.default_rng(0).random((2, 3, *shape), np.float32)
            one, same = ours[role].infer(batch), theirs[role].infer(batch)
            assert one.shape == same.shape
            assert np.abs(one - same).max() < (0.02 * DETECTOR_SIZE if role == GARMENT else 0.05)


def test_a_narrow_image_of_a_real_network(narrow_weights):
    found = Engine.load(narrow_weights).classify(photo("navy", (200, 300)))

    assert found.garments
    assert all(garment.attributes["category"].value in CATEGORIES for garment in found.garments)


def test_a_graph_that_was_exported_for_one_shape_serves_that_alone(narrow_weights):
    _fix_shape(narrow_weights / "garment.xml")
    manifest = json.loads((narrow_weights / "manifest.json").read_text())
    manifest["models"][GARMENT]["files"] = files_entry(narrow_weights, GARMENT)
    (narrow_weights / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(EngineError, match="128 x 128 pixels alone; export the checkpoint again"):
        Engine.load(narrow_weights)

    del manifest["models"][GARMENT]["input_shapes"]
    (narrow_weights / "manifest.json").write_text(json.dumps(manifest))
    assert Engine.load(narrow_weights).classify(photo("navy", (300, 400))).garments


def _fix_shape(graph):
    """Write the graph again as it was exported before there were other shapes."""
    prepare_openvino()
    import openvino

    model = openvino.Core().read_model(graph)
    model.reshape([-1, 3, DETECTOR_SIZE, DETECTOR_SIZE])
    for path in (graph, graph.with_suffix(".bin")):
        path.unlink()
    openvino.save_model(model, str(graph))


@pytest.mark.parametrize("wrong", [[[0, 64]], [[64]], ["64x32"], 64])
def test_it_refuses_a_manifest_with_impossible_shapes(narrow_weights, wrong):
    path = narrow_weights / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["models"][GARMENT]["input_shapes"] = wrong
    path.write_text(json.dumps(manifest))

    with pytest.raises(ManifestInvalid):
        Manifest.load(narrow_weights)


def test_models_that_share_files_but_not_shapes_each_see_their_own(narrow_weights):
    category = Manifest.load(narrow_weights).models["category"]
    models = {"category": replace(category, input_shapes=()), "material": category, "sleeve_length": category}

    networks = load_networks(models, "openvino")

    assert networks["material"] is networks["sleeve_length"]
    for role, spec in models.items():
        for shape in spec.shapes:
            assert len(networks[role].infer(np.zeros((1, 3, *shape), np.float32))) == 1
