"""From a trained network to the files that serve it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.engine.checkpoint import RAW_OUTPUT
from vision.engine.compat import prepare_openvino


class _RawOutput(nn.Module):
    """The one output of a network that the engine reads, see `vision.engine.runtime.Network`."""

    def __init__(self, model: nn.Module, task: str) -> None:
        super().__init__()
        self.model = model
        self.index = RAW_OUTPUT[task]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.model(batch)[self.index]
        return output


def export_openvino(model: nn.Module, size: int, path: Path, *, task: str) -> None:
    """Write `model` (as `engine.checkpoint.load_module` returns it) as OpenVINO IR: `path` (.xml) and its .bin.

    Input (n, 3, height, width) with any n and any multiples of the largest stride, traced at `size` pixels square;
    weights compressed to FP16; detectors give decoded boxes and scores, classifiers logits.
    """
    prepare_openvino()
    import openvino

    raw = _RawOutput(model, task).eval()
    example = torch.zeros(2, 3, size, size)
    if task == "detect":
        layers: Any = model
        layers.model[-1].dynamic = True  # it lays out its anchors for each input again, so that this is traced too
    with torch.no_grad():
        traced = torch.jit.trace(raw, example, strict=False, check_trace=False)
    graph = openvino.convert_model(traced, input=[-1, 3, -1, -1], example_input=example)
    openvino.save_model(graph, str(path), compress_to_fp16=True)
