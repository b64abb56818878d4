"""Weight averaging over several runs (Wortsman et al. 2022): better than each of them, at the cost of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from vision.training.files import atomic_path
from vision.training.run import RunError
from vision.training.start import read_checkpoint, state_for


def average_checkpoints(checkpoints: Sequence[Path], target: Path) -> None:
    """Write the mean of the averaged networks of classifier runs (their `last.pt`) as a checkpoint to start from.

    The runs must descend from each other, else their mean means nothing; each may have been led by another attribute.
    Raises RunError if one is missing or none of these, or if they were trained on different labels.
    """
    saved = [read_checkpoint(path) for path in checkpoints]
    first = saved[0]
    for path, other in zip(checkpoints, saved, strict=True):
        same = other["options"]["minimum"] == first["options"]["minimum"]
        if not same or other["fingerprint"] != first["fingerprint"]:
            raise RunError(f"{path} cannot be averaged with {checkpoints[0]}: they learnt from other labels.")
    states = [state_for(other, first["options"]["attribute"]) for other in saved]
    mean = {
        name: torch.stack([state[name].float() for state in states]).mean(dim=0).to(value.dtype)
        for name, value in states[0].items()
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as temporary:
        torch.save(
            {"options": first["options"], "fingerprint": first["fingerprint"], "epoch": 0, "average": mean}, temporary
        )
