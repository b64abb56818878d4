"""What a classifier's run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vision.engine.taxonomy import CATEGORY
from vision.training.dataset import ATTRIBUTES

JOINT = "attributes"
"""The role of a run that trains one network with a head for each of ATTRIBUTES, which all stay."""

TEACHER = "teacher"
"""The role of a run whose network only teaches."""

BETWEEN_TEACHERS = " + "
"""Joins the names of several."""


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """What a run is made of; saved in its checkpoint, so that it resumes as it was started.

    Training ends early when `patience` epochs have brought nothing better on val; 0 never gives up. `prior` is how much
    of its training frequency's logarithm each class's logit gains: a negative one helps rare classes, where class
    balancing did not suffice (logit adjustment, Menon et al. 2021).

    `heads` are the attributes that the network keeps, if it is trained for several at once; `attribute` is then the one
    that says which epoch is best. With a `teacher`, the names of what teaches, the loss is by the share `distillation`
    the distance from its answers, softened by `distillation_temperature`. A `mirrored` network answers with the mean of
    what it says of a crop and of its mirror image. `input_shapes` (height, width) are what garments of such proportions
    are shown in beside the square, see `ModelSpec`; batch norms then keep the statistics that they start with.
    """

    attribute: str
    image_size: int = 224
    input_shapes: list[list[int]] = field(default_factory=list)
    epochs: int = 30
    patience: int = 10
    batch: int = 48
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_epochs: float = 1.0
    label_smoothing: float = 0.05
    auxiliary_weight: float = 0.3
    prior: float = 0.0
    augmentation: str = "strong"
    balance_with: str = ""
    dropout: float = 0.2
    freeze: int = 3
    first_size: float = 0.7
    last_size: float = 0.86
    ema_decay: float = 0.995
    minimum: int = 20
    keep_epochs: bool = False
    architecture: str = "yolov8n-cls"
    heads: list[str] = field(default_factory=list)
    teacher: str = ""
    distillation: float = 0.75
    distillation_temperature: float = 1.5
    mirrored: bool = True
    seed: int = 1
    threads: int = 2


_TOGETHER: dict[str, Any] = {
    "attribute": CATEGORY,
    "heads": list(ATTRIBUTES),
    "batch": 256,
    "label_smoothing": 0.08,
    "auxiliary_weight": 0.6,
    "augmentation": "worn",
    "freeze": 0,
    "first_size": 1.0,
    "last_size": 1.0,
    "ema_decay": 0.9985,
    "patience": 0,
}
DEFAULTS: dict[str, dict[str, Any]] = {
    JOINT: _TOGETHER | {"epochs": 67, "learning_rate": 2e-3, "mirrored": False},
    TEACHER: _TOGETHER
    | {
        "architecture": "efficientnet-lite2",
        "image_size": 260,
        "epochs": 12,
        "learning_rate": 8e-4,
        "ema_decay": 0.998,
    },
}
"""What runs of these roles take where nothing else is asked for."""
