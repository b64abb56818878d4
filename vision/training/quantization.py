"""int8 networks: OpenVINO graphs whose layers multiply bytes, made of the trained ones and calibrated on train images.

NNCF finds the range of each activation on real images and a scale for each channel of the weights. The first layer,
which sees the pixels, and the last ones, whose outputs are answers, stay in floating point: they are a small part of
the work and most of what goes wrong.
"""

from __future__ import annotations

import csv
import json
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.engine.compat import prepare_openvino
from vision.engine.distances import sums_up
from vision.engine.manifest import MANIFEST_NAME, Manifest, ModelSpec, WeightFile
from vision.engine.precision import INT8, OPENVINO, RUNTIME_FILES
from vision.engine.preprocess import crop_garment, letterbox, nearest_shape, to_batch
from vision.engine.results import Box
from vision.training.dataset import COORDINATES, open_upright
from vision.training.files import write_json
from vision.training.publish import sha256

TABLES = ("labels.csv", "garments.csv")
SUFFIX = "-int8"
_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")


class QuantizationError(RuntimeError):
    """The models cannot be quantised; the message says why."""


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """An image of a data set, and the boxes of its garments: at least one."""

    path: Path
    boxes: tuple[Box, ...]


def drawn_images(folders: Sequence[Path], split: str, count: int) -> list[DrawnImage]:
    """Draw up to `count` images of a split that show garments, as many of each folder; always the same ones.

    A folder has images/ and a table, labels.csv or garments.csv, with a row for each garment. Raises QuantizationError.
    """
    drawn = []
    for folder in folders:
        images = _read(folder, split)
        random.Random(0).shuffle(images)
        drawn.append(images)
    return [image for image in chain.from_iterable(zip_longest(*drawn)) if image is not None][:count]


def _read(folder: Path, split: str) -> list[DrawnImage]:
    table = next((folder / name for name in TABLES if (folder / name).is_file()), None)
    if table is None:
        raise QuantizationError(f"{folder} has neither {' nor '.join(TABLES)}.")
    boxes: dict[str, list[Box]] = {}
    with table.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            if row.get("split") == split and all(row.get(name) for name in COORDINATES):
                x1, y1, x2, y2 = (float(row[name]) for name in COORDINATES)
                boxes.setdefault(row["image"], []).append((x1, y1, x2, y2))
    return [DrawnImage(folder / "images" / name, tuple(found)) for name, found in sorted(boxes.items())]


def quantize(
    weights: Path, images: Sequence[DrawnImage], progress: Callable[[str], None] = lambda text: None
) -> list[str]:
    """Add int8 files to every model in `weights`/manifest.json; returns the names of the graphs written.

    A model that was verified in int8 is so no longer. Raises QuantizationError without NNCF or images, and
    WeightsError.
    """
    if not images:
        raise QuantizationError("There are no training images with boxes to calibrate on.")
    manifest = Manifest.load(weights)
    content = json.loads((weights / MANIFEST_NAME).read_text(encoding="utf-8"))
    written: dict[tuple[WeightFile, ...], dict[str, str]] = {}
    for role, spec in manifest.models.items():
        for field, mirror in (("files", False), ("mirror_files", True)):
            listed = getattr(spec, field)
            if OPENVINO not in listed:
                continue
            files = listed[OPENVINO]
            if files not in written:
                progress(f"{files[0].path.name}: {len(images)} images")
                written[files] = _write(files, _inputs(spec, images, mirror=mirror), weights)
            content["models"][role][field][RUNTIME_FILES[INT8]] = written[files]
        if INT8 in spec.verified:
            content["models"][role]["verified"] = [name for name in spec.verified if name != INT8]
    write_json(weights / MANIFEST_NAME, content)
    return [entry["path"] for entry in written.values()]


def _inputs(spec: ModelSpec, images: Sequence[DrawnImage], *, mirror: bool) -> Iterator[NDArray[np.float32]]:
    """What the network of a model gets to see of these images: whole ones, or a garment of each in turn."""
    for number, image in enumerate(images):
        upright = open_upright(image.path)
        if spec.task == "detect":
            square = letterbox(upright, nearest_shape(spec.shapes, *upright.size))[0]
        else:
            box = image.boxes[number % len(image.boxes)]
            square = crop_garment(upright, box, spec.shapes, spec.margin)
        batch = to_batch([square])
        yield np.ascontiguousarray(batch[..., ::-1]) if mirror else batch


def _write(files: tuple[WeightFile, ...], inputs: Iterator[NDArray[np.float32]], weights: Path) -> dict[str, str]:
    """Quantise one graph; returns what the manifest says of the new files."""
    prepare_openvino()
    import openvino

    try:
        import nncf
    except ImportError as error:
        raise QuantizationError("NNCF is not installed: pip install -r requirements-training.txt") from error
    nncf.set_log_level(logging.WARNING)  # else it names every layer that stays as it is
    graph, numbers = (file.read() for file in files)
    model = openvino.Core().read_model(model=graph, weights=numbers)
    batches = list(inputs)
    quantized = nncf.quantize(
        model,
        nncf.Dataset(batches),
        subset_size=len(batches),
        preset=nncf.QuantizationPreset.MIXED,
        ignored_scope=nncf.IgnoredScope(names=sensitive_layers(model)),
    )
    path = weights / f"{files[0].path.stem}{SUFFIX}.xml"
    openvino.save_model(quantized, str(path), compress_to_fp16=True)
    binary = path.with_suffix(".bin")
    return {
        "path": path.name,
        "sha256": sha256(path),
        "weights": binary.name,
        "weights_sha256": sha256(binary),
    }


def sensitive_layers(model: Any) -> list[str]:
    """The layers of a graph that stay in floating point: the first with weights, and from the last ones on to the end.

    Before a detector's last layers the graph forks, so they are looked for backwards from the result. The convolution
    that turns a distribution over distances into a box has no numbers of its own to learn: behind it the last layers
    are still to come.
    """
    names: set[str] = set()
    for parameter in model.get_parameters():
        names |= {target.get_node().get_friendly_name() for target in parameter.output(0).get_target_inputs()}
    waiting = [result.input_value(0).get_node() for result in model.get_results()]
    while waiting:
        node = waiting.pop()
        name = node.get_friendly_name()
        # What only asks how large a layer's output is, as a detector's anchors do, does not compute with it.
        if name in names or node.get_type_name() in ("Constant", "Convert", "Parameter", "ShapeOf"):
            continue
        names.add(name)
        if node.get_type_name() not in _WEIGHTED or sums_up(node):
            waiting += [source.get_node() for source in node.input_values()]
    return sorted(names)
