"""Runs that descend from each other become one network for all attributes."""

import json
import shutil

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from tests.support.tiny_trainings import TINY, run_training
from vision.engine.manifest import Manifest
from vision.engine.runtime import TorchNetwork, load_networks
from vision.training.start import state_for
from vision.training.weight_averaging import average_checkpoints


@pytest.fixture(scope="module")
def first(data, base, tmp_path_factory):
    """The last.pt of a run of one epoch; tests leave it as it is."""
    run = tmp_path_factory.mktemp("runs") / "first"
    run_training("category", data, base, run, epochs=1)
    return run / "last.pt"


def test_it_averages_runs_and_publishes_one_network_for_all_attributes(first, data, tmp_path):
    run_training("category", data, first, tmp_path / "second", epochs=1)
    checkpoints = [first, tmp_path / "second" / "last.pt"]

    share(checkpoints, data, tmp_path)

    models = json.loads((tmp_path / "weights" / "manifest.json").read_text())["models"]
    assert {entry["first_output"] for entry in models.values()} == {0, 2, 4}
    assert len({entry["files"]["torch"]["sha256"] for entry in models.values()}) == 1
    assert all(entry["mirrored"] for entry in models.values())


def test_a_second_network_looks_at_mirror_images(first, data, base, network_weights, tmp_path):
    shutil.copytree(network_weights, tmp_path / "weights")
    run_training("category", data, base, tmp_path / "second", epochs=1, seed=2)

    share([first], data, tmp_path, mirror=[tmp_path / "second" / "last.pt"])

    weights = tmp_path / "weights"
    spec = Manifest.load(weights).models["category"]
    image = np.random.default_rng(5).random((2, 3, TINY["image_size"], TINY["image_size"]), np.float32)
    alone = {
        path.stem: TorchNetwork(path.read_bytes(), task="classify", device="cpu").infer(turned)
        for path, turned in (
            (weights / "attributes.pt", image),
            (weights / "attributes-mirror.pt", image[..., ::-1]),
        )
    }
    assert not np.allclose(*alone.values(), atol=1e-3)
    expected = sum(alone.values()) / 2
    for runtime, error in (("torch", 1e-5), ("openvino", 0.02)):
        together = load_networks({"category": spec}, runtime)["category"].infer(image)
        assert together == pytest.approx(expected, abs=error)
    assert "another network (from `second/last.pt`)" in (weights / "category.md").read_text()
    assert spec.sha256 not in {spec.files["openvino"][-1].sha256, spec.mirror_files["openvino"][-1].sha256}


def test_rare_classes_are_favoured_where_that_is_asked_for(first, data, tmp_path):
    checkpoints = [first]

    share(checkpoints, data, tmp_path / "plain")
    share(checkpoints, data, tmp_path / "shifted", prior=["category=-2"])

    image = np.full((1, 3, TINY["image_size"], TINY["image_size"]), 0.4, np.float32)
    plain, shifted = (
        TorchNetwork((tmp_path / name / "weights" / "attributes.pt").read_bytes(), task="classify", device="cpu").infer(
            image
        )[0]
        for name in ("plain", "shifted")
    )
    # Dress, five times, and Tshirt, six times among those to train on; the other attributes stay.
    gained = shifted - plain
    assert gained[0] - gained[1] == pytest.approx(2 * np.log(6 / 5), abs=0.01)
    assert gained[2:] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("prior", ["category", "category=much", "colour=1", "category=nan"])
def test_it_says_how_a_prior_is_written(data, prior, tmp_path):
    with pytest.raises(CommandError, match="ROLE=VALUE"):
        share([tmp_path / "last.pt"], data, tmp_path, prior=[prior])


def test_it_averages_runs_that_were_led_by_different_attributes(first, tmp_path):
    with_heads_moved = torch.load(first, weights_only=True)
    with_heads_moved |= {
        "options": with_heads_moved["options"] | {"attribute": "sleeve_length"},
        "average": state_for(with_heads_moved, "sleeve_length"),
    }
    (tmp_path / "moved").mkdir()
    torch.save(with_heads_moved, tmp_path / "moved" / "last.pt")

    average_checkpoints([first, tmp_path / "moved" / "last.pt"], tmp_path / "mean" / "last.pt")

    expected = torch.load(first, weights_only=True)["average"]
    mean = torch.load(tmp_path / "mean" / "last.pt", weights_only=True)["average"]
    assert mean.keys() == expected.keys()
    assert all(torch.allclose(mean[name].float(), expected[name].float()) for name in expected)


def test_it_does_not_average_runs_on_different_labels(first, data, tmp_path):
    (tmp_path / "second").mkdir()
    torch.save(torch.load(first, weights_only=True) | {"fingerprint": "other"}, tmp_path / "second" / "last.pt")

    with pytest.raises(CommandError, match="they learnt from other labels"):
        share([first, tmp_path / "second" / "last.pt"], data, tmp_path)

    assert not (tmp_path / "weights").exists()


def share(checkpoints, data, folder, mirror=(), prior=()):
    call_command(
        "publish_shared",
        *map(str, checkpoints),
        mirror=list(mirror),
        prior=list(prior),
        data=data,
        image_size=TINY["image_size"],
        minimum=TINY["minimum"],
        out=folder / "shared",
        weights=folder / "weights",
        stderr=None,
    )
