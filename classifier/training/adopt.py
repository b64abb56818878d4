"""Taking over a detector that somebody else trained, such as those of the system that this project replaces."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from classifier.engine.checkpoint import load_module
from classifier.engine.errors import WeightsError
from classifier.engine.manifest import MANIFEST_NAME
from classifier.training.export import export_openvino
from classifier.training.files import atomic_path
from classifier.training.publish import check_export, files_entry, list_model

UNKNOWN = "unknown"


def adopt(
    checkpoint: Path, role: str, weights: Path, *, version: str, name: str, threshold: float, size: int | None = None
) -> dict[str, Any]:
    """Export an ultralytics detector (.pt) into `weights` as the model of `role` and list it; returns the entry.

    `size` is the side of its input in pixels, by default what it was trained at. Its class names stay as they are: the
    engine maps them to codes. Raises WeightsError if the file is no detector, ExportError if the export differs.
    """
    module: Any = load_module(checkpoint.read_bytes())
    if type(module.model[-1]).__name__ != "Detect":
        raise WeightsError(f"{checkpoint.name} is no detector.")
    size = size or _trained_size(module)
    if size is None:
        raise WeightsError(f"{checkpoint.name} does not say at which input size it was trained.")
    weights.mkdir(parents=True, exist_ok=True)
    copy, graph = weights / f"{role}.pt", weights / f"{role}.xml"
    with atomic_path(copy) as temporary:
        shutil.copyfile(checkpoint, temporary)
    classes = [str(module.names[index]) for index in range(len(module.names))]
    export_openvino(module, size, graph, task="detect")
    check_export(graph, copy, "detect", size)
    entry = {
        "name": name,
        "task": "detect",
        "architecture": Path(str(module.yaml.get("yaml_file", UNKNOWN))).stem,
        "classes": classes,
        "input_size": size,
        "threshold": threshold,
        "files": files_entry(weights, role),
        "metrics": {},
        "data": {"name": UNKNOWN},
        "licence": UNKNOWN,
    }
    list_model(weights / MANIFEST_NAME, role, entry, version)
    return entry


def _trained_size(module: Any) -> int | None:
    arguments = getattr(module, "args", {})
    size = arguments.get("imgsz") if isinstance(arguments, dict) else getattr(arguments, "imgsz", None)
    return int(size) if isinstance(size, int | float) else None
