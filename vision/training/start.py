"""Weights that a run starts or goes on from: opened with the engine's restricted reader, before anything else does."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.engine.checkpoint import load_checkpoint
from vision.engine.errors import WeightsError
from vision.training.run import RunError

CHECKPOINT = "last.pt"
"""What a classifier's run keeps after each epoch."""

KEPT = "epoch{}.pt"
"""The same after one epoch, which `--keep-epochs` leaves there; a detector's is a checkpoint of ultralytics."""

HEAD = "model.model.9.linear"
"""Its own linear layer; those of the other attributes are `auxiliary.ATTRIBUTE`."""

RELEASES = "https://github.com/ultralytics/assets/releases"


def open_weights(path: Path, *, fuse: bool = True) -> tuple[dict[str, Any], nn.Module]:
    """What a checkpoint of ultralytics holds and its network, see `load_checkpoint`.

    Ultralytics opens such a file as a plain pickle, and looks for one that is not there on the network. Raises RunError
    if it is missing, or holds more than layers.
    """
    check_there(path)
    try:
        return load_checkpoint(path.read_bytes(), fuse=fuse)
    except WeightsError as error:
        raise RunError(f"The start weights {path} cannot be used. {error}") from error


def is_of_a_run(path: Path) -> bool:
    """Whether a file is named like what a run keeps after its epochs."""
    return path.name == CHECKPOINT or re.fullmatch(KEPT.format(r"\d+"), path.name) is not None


def check_there(path: Path) -> None:
    """Raise RunError if there is no such file."""
    if not path.is_file():
        raise RunError(
            f"The start weights {path} do not exist. Nothing is downloaded here: take yolov8n.pt from ultralytics' "
            f"releases, {RELEASES}, or any other YOLOv8n checkpoint."
        )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a classifier run's `last.pt`. Raises RunError if it is not one."""
    check_there(path)
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError):  # it holds code, or is not a checkpoint at all
        saved = {}
    if "fingerprint" not in saved:
        raise RunError(f"{path} is not the {CHECKPOINT} of a classifier's run: start from a best.pt.")
    return saved


def state_for(checkpoint: dict[str, Any], attribute: str) -> dict[str, torch.Tensor]:
    """The averaged weights of a run's `last.pt`, with the head of `attribute` as the network's own.

    A run trains heads for all attributes. Where another one was its own, the two change places. Raises RunError if it
    has none for `attribute`.
    """
    state: dict[str, torch.Tensor] = dict(checkpoint["average"])
    own = checkpoint["options"]["attribute"]
    if own != attribute:
        if f"auxiliary.{attribute}.weight" not in state:
            raise RunError(
                f"A {CHECKPOINT} of {own} has learnt nothing of {attribute}: start from the best.pt beside it."
            )
        for kind in ("weight", "bias"):
            state[f"auxiliary.{own}.{kind}"] = state.pop(f"{HEAD}.{kind}")
            state[f"{HEAD}.{kind}"] = state.pop(f"auxiliary.{attribute}.{kind}")
    return state
