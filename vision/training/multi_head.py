"""One multi-head network for several attributes: the heads of runs that share a backbone, put side by side.

Attributes that are trained together, one as the run's own and the others as its auxiliary heads, end in runs whose
networks differ in the last layer only. Served as one network they cost what one of them costs.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.engine.checkpoint import load_module
from vision.engine.manifest import MANIFEST_NAME
from vision.training.export import export_openvino
from vision.training.network import save_model
from vision.training.publish import check_export, files_entry, list_model, manifest_entry
from vision.training.run import Run, RunError
from vision.training.start import open_weights

STEM = "attributes"
MIRROR_STEM = "attributes-mirror"
_HEAD = "linear."


def publish_multi_head(runs: Sequence[Run], weights: Path, version: str, mirror: Sequence[Run] = ()) -> None:
    """Export finished classification runs as one network into `weights` and list each of them in the manifest.

    `mirror` are runs of the same roles, with which they were measured: their network will look at the mirror images.
    Raises RunError if a run is not finished, or if the runs differ in more than their heads; ExportError if the export
    differs from the multi-head network.
    """
    metrics = {run.role: run.metrics() for run in runs}
    shapes = {run.shapes for run in (*runs, *mirror)}
    if len(shapes) != 1:
        raise RunError(f"The runs have inputs of different shapes: {sorted(shapes)}.")
    size = shapes.pop()[0][0]
    shared: dict[str, Any] = {"files": _export(runs, size, weights, STEM)}
    if mirror:
        shared["mirror_files"] = _export(mirror, size, weights, MIRROR_STEM)
    first = 0
    for run in runs:
        shutil.copyfile(run.folder / "card.md", weights / f"{run.role}.md")
        entry = manifest_entry(run, metrics[run.role], shared["files"], f"{run.role}.md") | shared
        entry["first_output"] = first
        list_model(weights / MANIFEST_NAME, run.role, entry, version)
        first += len(run.classes)


def _export(runs: Sequence[Run], size: int, weights: Path, stem: str) -> dict[str, dict[str, str]]:
    """Write the runs' multi-head network; returns what the manifest says about its files."""
    module = merge_heads([run.weights for run in runs])
    weights.mkdir(parents=True, exist_ok=True)
    checkpoint, graph = weights / f"{stem}.pt", weights / f"{stem}.xml"
    save_model(module, checkpoint, size)
    export_openvino(load_module(checkpoint.read_bytes()), size, graph, task="classify")
    check_export(graph, checkpoint, "classify", size)
    return files_entry(weights, stem)


def merge_heads(checkpoints: Sequence[Path]) -> nn.Module:
    """A network whose outputs are those of the checkpoints' networks, one after the other.

    Raises RunError if they differ anywhere but in the last, linear layer.
    """
    modules: list[Any] = [open_weights(path, fuse=False)[1] for path in checkpoints]
    merged = modules[0]
    for other in modules[1:]:
        for (name, ours), theirs in zip(merged.state_dict().items(), other.state_dict().values(), strict=True):
            if _HEAD not in name and not torch.equal(ours, theirs):
                raise RunError(f"The runs cannot share a network: their layers {name} differ.")
    heads = [module.model[-1] for module in modules]
    linear = nn.Linear(heads[0].linear.in_features, sum(head.linear.out_features for head in heads))
    with torch.no_grad():
        linear.weight.copy_(torch.cat([head.linear.weight for head in heads]))
        linear.bias.copy_(torch.cat([head.linear.bias for head in heads]))
    names = [str(module.names[index]) for module in modules for index in range(len(module.names))]
    merged.model[-1].linear = linear
    merged.names = dict(enumerate(names))
    network: nn.Module = merged
    return network
