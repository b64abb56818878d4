"""The classifier's network: a YOLOv8-cls with auxiliary heads, its moving average, its checkpoint, and its input."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from vision.engine.compat import prepare_ultralytics
from vision.engine.preprocess import PADDING_GREY
from vision.training.files import atomic_path

ARCHITECTURES = ("yolov8n-cls", "yolov8s-cls")


class Network(nn.Module):
    """A YOLOv8-cls network with auxiliary linear heads for other attributes beside its own."""

    def __init__(self, model: Any, auxiliary: dict[str, int], freeze: int) -> None:
        """`auxiliary` maps attributes to their number of classes; the first `freeze` layers are not trained."""
        super().__init__()
        self.model: Any = model
        self.freeze = freeze
        head = self.layers[-1]
        self.auxiliary = nn.ModuleDict(
            {name: nn.Linear(head.linear.in_features, count) for name, count in auxiliary.items()}
        )
        for layer in self.layers[:freeze]:
            layer.requires_grad_(False)

    @property
    def layers(self) -> Any:
        """The network's layers in order, its head last."""
        return self.model.model

    def train(self, mode: bool = True) -> Network:
        """Switch to training mode, except for frozen layers: they keep their batch statistics."""
        super().train(mode)
        for layer in self.layers[: self.freeze]:
            layer.eval()
        return self

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Logits of the attribute and of each auxiliary head for images (n, 3, s, s) in 0..1."""
        *backbone, head = self.layers
        with torch.no_grad():
            for layer in backbone[: self.freeze]:
                images = layer(images)
        for layer in backbone[self.freeze :]:
            images = layer(images)
        features = head.drop(head.pool(head.conv(images)).flatten(1))
        return head.linear(features), {name: linear(features) for name, linear in self.auxiliary.items()}


def build_model(classes: Sequence[str], dropout: float = 0.0, architecture: str = ARCHITECTURES[0]) -> Any:
    """An untrained YOLOv8-cls model of ultralytics with these classes; `dropout` is that before the linear layer."""
    prepare_ultralytics()
    from ultralytics.nn.tasks import ClassificationModel

    model = ClassificationModel(f"{architecture}.yaml", nc=len(classes), verbose=False)
    model.names = dict(enumerate(classes))
    model.model[-1].drop.p = dropout
    return model


class EMA:
    """Exponential moving average of a network's weights and statistics (as in ultralytics' ModelEMA)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move towards the network's current weights; faster at first, so that the start weights are forgotten."""
        self.updates += 1
        decay = self.decay * (1 - math.exp(-self.updates / 100))
        for name, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].lerp_(value.detach(), 1 - decay)
            else:
                self.state[name].copy_(value)


def save_model(model: nn.Module, path: Path, image_size: int) -> None:
    """Write `model` to `path` as an ultralytics checkpoint in half precision.

    `image_size` is the side of the input in pixels, which the checkpoint says of itself.
    """
    with atomic_path(path) as temporary:
        torch.save(
            {
                "model": copy.deepcopy(model).half().eval(),
                "train_args": {"imgsz": image_size, "task": "classify"},
                "epoch": -1,
                "license": "AGPL-3.0",
            },
            temporary,
        )


def keep_statistics(network: nn.Module) -> None:
    """Let batch norms use what they know of activations while all else trains.

    Images of one shape alone have other statistics than those of all shapes, which the network serves with.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()


def to_tensor(squares: NDArray[np.uint8]) -> torch.Tensor:
    """Bytes (n, 3, h, w) as network input in 0..1, channels last in memory."""
    return torch.from_numpy(squares).float().div_(255.0).contiguous(memory_format=torch.channels_last)


def in_squares(images: torch.Tensor) -> torch.Tensor:
    """Images (n, 3, h, w) in the middle of grey squares of their longer side."""
    height, width = images.shape[2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    edges = (left, side - width - left, top, side - height - top)
    return functional.pad(images, edges, value=PADDING_GREY / 255) if any(edges) else images


def resized(images: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Images (n, 3, h, w) in another shape (height, width) in pixels, channels last in memory."""
    if images.shape[2:] == shape:
        return images
    smaller = functional.interpolate(images, size=shape, mode="bilinear", antialias=True)
    return smaller.contiguous(memory_format=torch.channels_last)
