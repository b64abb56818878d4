"""Weight files are code: only what the manifest lists, with its sha256, is loaded."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.drawn_images import photo
from tests.support.hostile_checkpoints import building_a_layer, calling_mkdir
from vision.engine import (
    Engine,
    EngineError,
    ManifestInvalid,
    WeightsError,
    WeightsMismatch,
    WeightsMissing,
)
from vision.engine.checkpoint import load_module


@pytest.fixture
def weights(network_weights, tmp_path):
    return shutil.copytree(network_weights, tmp_path / "weights")


def change_manifest(folder, change):
    path = folder / "manifest.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("runtime", "name"), [("openvino", "category.xml"), ("openvino", "garment.bin"), ("torch", "material.pt")]
)
def test_it_refuses_a_changed_file_by_name(weights, runtime, name):
    with open(weights / name, "ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsMismatch, match=name):
        Engine.load(weights, runtime=runtime)


def test_it_refuses_a_missing_file_by_name(weights):
    (weights / "sleeve_length.bin").unlink()
    with pytest.raises(WeightsMissing, match=r"sleeve_length\.bin"):
        Engine.load(weights)


def test_it_refuses_an_empty_folder_by_name(tmp_path):
    with pytest.raises(WeightsMissing, match=r"manifest\.json"):
        Engine.load(tmp_path)


def test_it_refuses_a_runtime_that_the_manifest_has_no_file_for(weights):
    change_manifest(weights, lambda data: data["models"]["material"]["files"].pop("torch"))
    with pytest.raises(WeightsMissing, match="no torch file for the model material-test"):
        Engine.load(weights, runtime="torch")


def test_it_refuses_an_unknown_runtime(weights):
    with pytest.raises(EngineError, match="'tpu'"):
        Engine.load(weights, runtime="tpu")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("models"),
        lambda data: data["models"]["category"].update(task="segment"),
        lambda data: data["models"]["category"].update(temperature=0),
        lambda data: data["models"]["category"]["files"]["torch"].update(path="../category.pt"),
        lambda data: data["models"].pop("garment"),
        lambda data: data.update(models={}),
    ],
)
def test_it_refuses_a_manifest_that_makes_no_sense(weights, change):
    change_manifest(weights, change)
    with pytest.raises(ManifestInvalid):
        Engine.load(weights)


def test_it_never_runs_code_from_a_checkpoint(weights, tmp_path):
    (weights / "garment.pt").write_bytes(calling_mkdir(tmp_path / "owned"))
    sha256 = hashlib.sha256((weights / "garment.pt").read_bytes()).hexdigest()
    change_manifest(weights, lambda data: data["models"]["garment"]["files"]["torch"].update(sha256=sha256))
    with pytest.raises(WeightsError, match="mkdir"):
        Engine.load(weights, runtime="torch")
    assert not (tmp_path / "owned").exists()


def test_it_builds_no_layer_that_a_checkpoint_calls(tmp_path):
    code = f"__import__('os').mkdir({str(tmp_path / 'owned')!r})"
    with pytest.raises(WeightsError, match="calls DetectionModel"):
        load_module(building_a_layer(code))
    assert not (tmp_path / "owned").exists()


def test_it_opens_checkpoints_of_the_releases_that_the_original_used(weights, monkeypatch):
    """Layers in one module instead of several, the training's arguments in a namespace, figures as numpy scalars, the
    loss function at the network, and paths."""
    import numpy as np
    import torch
    from ultralytics.nn.modules import C2f, Conv, Detect
    from ultralytics.utils import IterableSimpleNamespace
    from ultralytics.utils.loss import v8DetectionLoss

    content = torch.load(weights / "garment.pt", weights_only=False)
    content["model"].args = IterableSimpleNamespace(imgsz=128)
    content["model"].criterion = v8DetectionLoss(content["model"])
    content["train_args"]["save_dir"] = Path("runs")
    content["train_metrics"] = {"metrics/mAP50(B)": np.float64(0.7)}
    for layer in (C2f, Conv, Detect):
        monkeypatch.setattr(layer, "__module__", "ultralytics.nn.modules")
    buffer = io.BytesIO()
    torch.save(content, buffer)
    monkeypatch.undo()
    module = load_module(buffer.getvalue())
    assert module.args.imgsz == 128
    assert module.names == {0: "garment"}


def in_new_process(script, *arguments):
    """Run `script` in a fresh interpreter and return what it printed last."""
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1] if result.stdout else ""


LOADED = """
import sys
from pathlib import Path
{}
heavy = ["torch", "torchvision", "ultralytics", "openvino", "openvino_telemetry.main", "onnxruntime", "cv2", "django"]
print("loaded:", *[name for name in heavy if sys.modules.get(name)])
"""


def test_it_imports_no_runtime_until_asked():
    assert in_new_process(LOADED.format("import vision.engine")) == "loaded:"


def test_it_serves_with_openvino_alone(weights):
    (weights / "front.jpg").write_bytes(photo())
    script = """
from pathlib import Path
from vision.engine import Engine
folder = Path(sys.argv[1])
Engine.load(folder).classify(folder / "front.jpg")
"""
    assert in_new_process(LOADED.format(script), str(weights)) == "loaded: openvino"
