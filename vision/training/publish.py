"""From a finished run to the weights folder: export, check, copy, and list with checksums."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from vision.engine.checkpoint import load_module
from vision.engine.manifest import GARMENT, MANIFEST_NAME, OVERLAP, OVERLAP_ACROSS
from vision.engine.preprocess import CROP_MARGIN
from vision.engine.runtime import OpenVinoNetwork, TorchNetwork
from vision.training.export import export_openvino
from vision.training.files import atomic_path, write_json
from vision.training.report import LICENCE
from vision.training.run import Run

# Half-precision weights move scores by about 0.002. Box coordinates, in pixels, get the same share of the input size,
# and logits, which have no scale of their own, of the largest one.
LARGEST_DIFFERENCE = 0.01


class ExportError(RuntimeError):
    """The exported network does not answer as the trained one."""


def publish(run: Run, weights: Path, version: str) -> dict[str, Any]:
    """Export a finished run into `weights` under its role's name and list it in the manifest; returns the entry.

    Raises RunError if the run is not finished and ExportError if the export differs from the original.
    """
    metrics = run.metrics()
    weights.mkdir(parents=True, exist_ok=True)
    stem = run.role
    checkpoint, graph = weights / f"{stem}.pt", weights / f"{stem}.xml"
    with atomic_path(checkpoint) as temporary:
        shutil.copyfile(run.weights, temporary)
    size = int(run.options["image_size"])
    export_openvino(load_module(checkpoint.read_bytes()), size, graph, task=run.task)
    check_export(graph, checkpoint, run.task, size)
    shutil.copyfile(run.folder / "card.md", weights / f"{stem}.md")
    entry = manifest_entry(run, metrics, files_entry(weights, stem), f"{stem}.md")
    list_model(weights / MANIFEST_NAME, run.role, entry, version)
    return entry


def manifest_entry(run: Run, metrics: dict[str, Any], files: dict[str, dict[str, str]], card: str) -> dict[str, Any]:
    """What the manifest says about a run's model with these files (see `files_entry`) and this card."""
    val = metrics["val"]
    entry: dict[str, Any] = {
        "name": run.name,
        "task": run.task,
        "architecture": "yolov8n" if run.task == "detect" else run.options.get("architecture", "yolov8n-cls"),
        "classes": run.classes,
        "input_size": run.options["image_size"],
    }
    if narrow := run.shapes[1:]:
        entry["input_shapes"] = [list(shape) for shape in narrow]
    if run.task == "detect":
        entry["threshold"] = val["threshold"]
        if run.options.get("top_levels"):
            entry |= {"overlap": OVERLAP, "overlap_across": OVERLAP_ACROSS}
    else:
        found = metrics["calibration"]
        entry |= {"margin": CROP_MARGIN, "mirrored": run.options.get("mirrored", True), "output": "logits"}
        entry |= {"temperature": found["temperature"], "calibrated": True}
    kept = {name: value for name, value in val.items() if name != "per_class"}
    if run.role != GARMENT and run.task == "classify":
        kept |= {name: metrics["calibration"][name] for name in ("ece_before", "ece_after")}
        kept |= {
            f"{kind}_{name}": value for kind, found in metrics.get("kinds", {}).items() for name, value in found.items()
        }
    return entry | {
        "files": files,
        "metrics": {name: round(value, 4) if isinstance(value, float) else value for name, value in kept.items()},
        "data": run.data,
        "licence": LICENCE,
        "card": card,
    }


def files_entry(weights: Path, stem: str) -> dict[str, dict[str, str]]:
    """What the manifest says about a model's files."""
    return {
        "openvino": {
            "path": f"{stem}.xml",
            "sha256": sha256(weights / f"{stem}.xml"),
            "weights": f"{stem}.bin",
            "weights_sha256": sha256(weights / f"{stem}.bin"),
        },
        "torch": {"path": f"{stem}.pt", "sha256": sha256(weights / f"{stem}.pt")},
    }


def check_export(graph: Path, checkpoint: Path, task: str, size: int) -> None:
    """Compare both networks on two noise images; raises ExportError beyond LARGEST_DIFFERENCE."""
    batch = np.random.default_rng(0).random((2, 3, size, size), np.float32)
    network, numbers = graph.read_bytes(), graph.with_suffix(".bin").read_bytes()
    exported = OpenVinoNetwork(network, numbers, shapes=[(size, size)]).infer(batch)
    original = TorchNetwork(checkpoint.read_bytes(), task=task, device="cpu").infer(batch)
    if exported.shape != original.shape:
        raise ExportError(f"{graph.name} gives {exported.shape}, the checkpoint {original.shape}.")
    difference = np.abs(exported - original)
    if task == "detect":
        difference[:, :4] /= size
    else:
        difference /= max(1.0, float(np.abs(original).max()))
    if difference.max() > LARGEST_DIFFERENCE:
        raise ExportError(f"{graph.name} differs from its checkpoint by {difference.max():.4f}.")


def sha256(path: Path) -> str:
    """The file's SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def list_model(path: Path, role: str, entry: dict[str, Any], version: str) -> None:
    """Put the entry into the manifest, which is made if it is not there."""
    manifest: dict[str, Any] = {"models": {}}
    if path.exists():
        manifest = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {"version": version, "licence": LICENCE, "models": manifest["models"] | {role: entry}})
