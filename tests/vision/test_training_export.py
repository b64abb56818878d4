"""What is exported to serve says what its checkpoint says, however loudly the checkpoint says it."""

import pytest
import torch

from tests.support.tiny_networks import CLASSIFIER_SIZE
from vision.engine.checkpoint import load_module
from vision.training.export import export_openvino
from vision.training.publish import ExportError, check_export


def _loud(network_weights, path, gain):
    """Write the classifier of materials with logits that are `gain` times as large; returns its checkpoint's path."""
    content = torch.load(network_weights / "material.pt", weights_only=False)
    layer = content["model"].model[-1].linear
    layer.weight.data *= gain
    layer.bias.data *= gain
    torch.save(content, path)
    return path


def test_large_logits_differ_by_more_and_say_the_same(network_weights, tmp_path):
    checkpoint, graph = _loud(network_weights, tmp_path / "material.pt", 200), tmp_path / "material.xml"
    export_openvino(load_module(checkpoint.read_bytes()), CLASSIFIER_SIZE, graph, task="classify")

    check_export(graph, checkpoint, "classify", CLASSIFIER_SIZE)


@pytest.mark.parametrize("gain", [0.9, 1.1])
def test_it_refuses_an_export_of_another_network(network_weights, tmp_path, gain):
    other = _loud(network_weights, tmp_path / "material.pt", gain)

    with pytest.raises(ExportError, match=r"material\.xml differs from its checkpoint by"):
        check_export(network_weights / "material.xml", other, "classify", CLASSIFIER_SIZE)
