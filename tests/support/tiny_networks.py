"""Small real networks for tests: YOLOv8's layers, few of them, with seeded random weights.

They find something in every image and mean nothing by it; what they find depends on the pixels, so that a wrong
orientation, channel order or crop shows. Built through the same checkpoint and export code as the shipped weights.
"""

import json
import shutil
from pathlib import Path

from tests.support.drawn_datasets import draw_garments
from vision.engine.compat import prepare_ultralytics

DETECTOR_SIZE = 128
CLASSIFIER_SIZE = 64
CATEGORIES = ["Tshirt", "Jeans", "Dress", "Coat", "SleevelessTop", "Shorts", "Shirt"]
MATERIALS = ["jersey", "denim", "wool", "woven"]
TOP_LEVELS = ["Top", "Bottom", "Outer", "Onepiece"]
NOT_VISIBLE = "not_visible"
SLEEVES = ["sleeveless", "short", "cap", "three-quarter", "long"]

BACKBONE = [[-1, 1, "Conv", [16, 3, 2]], [-1, 1, "Conv", [32, 3, 2]], [-1, 1, "C2f", [32, True]]]
TWO_SCALES = [[-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Conv", [64, 3, 2]], [[3, 4], 1, "Detect", ["nc"]]]
CLASSIFY = [[-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Classify", ["nc"]]]


def build_weights(folder: Path) -> Path:
    """A weights folder with a garment detector and three classifiers, for both runtimes."""
    models = {"garment": _detector(folder, "garment", ["garment"])}
    for role, classes in (("category", CATEGORIES), ("material", MATERIALS), ("sleeve_length", SLEEVES)):
        models[role] = _classifier(folder, role, classes)
    return write_manifest(folder, models)


def build_four_classes(folder: Path) -> Path:
    """The same with a detector of top-level categories, and two classifiers that may say that nothing can be seen.

    The detector and the classifier of categories have narrower inputs as well.
    """
    finder = _detector(folder, "garment", TOP_LEVELS)
    models = {"garment": finder | {"temperature": 1.5, "input_shapes": [[128, 96]]}}
    category = _classifier(folder, "category", CATEGORIES)
    models["category"] = category | {"finder_weight": 0.8, "input_shapes": [[64, 48]]}
    for role, classes in (("material", MATERIALS), ("sleeve_length", SLEEVES)):
        models[role] = _classifier(folder, role, [*classes, NOT_VISIBLE])
    return write_manifest(folder, models)


def build_int8(weights: Path, folder: Path) -> Path:
    """A copy of a weights folder with int8 files, made as `manage.py quantize` does, which says they were verified."""
    from vision.training.quantization import drawn_images, quantize

    shutil.copytree(weights, folder)
    data = folder.with_name("garments")
    data.mkdir()
    quantize(folder, drawn_images([draw_garments(data)], "train", 8))
    content = json.loads((folder / "manifest.json").read_text())
    for entry in content["models"].values():
        entry["verified"] = ["f32", "bf16", "int8"]
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def build_three_detectors(folder: Path) -> Path:
    """The original's kind: three detectors with its class names, and no model that only finds garments."""
    return write_manifest(
        folder,
        {
            "category": _detector(folder, "category", ["JumpSuit", "Blouse", "Tshirt", "Jeans", "Top"]),
            "material": _detector(folder, "material", ["Mustang", "Sequin/Glitter", "Denim", "messi"]),
            "sleeve_length": _detector(folder, "sleeve_length", ["Sleeveless shirt", "Short sleeve", "Cap"]),
        },
    )


def write_manifest(folder: Path, models: dict) -> Path:
    (folder / "manifest.json").write_text(json.dumps({"version": "test", "licence": "AGPL-3.0", "models": models}))
    return folder


def _detector(folder: Path, role: str, classes: list[str]) -> dict:
    prepare_ultralytics()
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(len(role))
    model = DetectionModel({"nc": len(classes), "backbone": BACKBONE, "head": TWO_SCALES}, verbose=False)
    model.names = dict(enumerate(classes))
    scores = _settle(model, DETECTOR_SIZE)[0][:, 4:]
    # Spread the scores so that a few anchors of an image clear the threshold, without saturating.
    logits = torch.logit(scores.double()).float()
    for branch in model.model[-1].cv3:
        _rescale(branch[-1], logits, mean=-3.0)
    return {"threshold": 0.25} | _publish(folder, role, "detect", model, classes, DETECTOR_SIZE)


def _classifier(folder: Path, role: str, classes: list[str]) -> dict:
    prepare_ultralytics()
    import torch
    from ultralytics.nn.tasks import ClassificationModel

    torch.manual_seed(len(role))
    model = ClassificationModel({"nc": len(classes), "backbone": BACKBONE, "head": CLASSIFY}, verbose=False)
    model.names = dict(enumerate(classes))
    logits = _settle(model, CLASSIFIER_SIZE)[1]
    _rescale(model.model[-1].linear, logits, mean=0.0)
    return {"margin": 0.04, "temperature": 1.3, "calibrated": True} | _publish(
        folder, role, "classify", model, classes, CLASSIFIER_SIZE
    )


def _settle(model, size: int):
    """Let the batch norms take the statistics of some patches of colour, so that activations neither vanish nor
    explode; returns what the network makes of them."""
    import torch
    from torch import nn

    patches = nn.functional.interpolate(torch.rand(16, 3, 5, 5), size=(size, size), mode="nearest")
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(patches)
        return model.eval()(patches)


def _rescale(layer, logits, mean: float) -> None:
    """Change the last layer so that `logits`, its output so far, get this mean and a standard deviation of 1."""
    gain = 1 / logits.std()
    layer.weight.data *= gain
    layer.bias.data = layer.bias.data * gain - logits.mean() * gain + mean


def _publish(folder: Path, role: str, task: str, model, classes: list[str], size: int) -> dict:
    import torch

    from vision.engine.checkpoint import load_module
    from vision.training.export import export_openvino
    from vision.training.publish import sha256

    checkpoint = folder / f"{role}.pt"
    torch.save({"model": model.half(), "train_args": {"imgsz": size}}, checkpoint)
    export_openvino(load_module(checkpoint.read_bytes()), size, folder / f"{role}.xml", task=task)
    return {
        "name": f"{role}-test",
        "task": task,
        "architecture": "yolov8n" if task == "detect" else "yolov8n-cls",
        "classes": classes,
        "input_size": size,
        "files": {
            "openvino": {
                "path": f"{role}.xml",
                "sha256": sha256(folder / f"{role}.xml"),
                "weights": f"{role}.bin",
                "weights_sha256": sha256(folder / f"{role}.bin"),
            },
            "torch": {"path": checkpoint.name, "sha256": sha256(checkpoint)},
        },
        "licence": "AGPL-3.0",
    }
