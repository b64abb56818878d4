"""Opening what a run learns from: a teacher, a set of weights that serves, or several of them as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vision.engine.checkpoint import RAW_OUTPUT, load_module
from vision.engine.errors import EngineError
from vision.engine.manifest import MANIFEST_NAME, Manifest
from vision.training.classifier_options import BETWEEN_TEACHERS
from vision.training.dataset import ATTRIBUTES
from vision.training.network import resized
from vision.training.run import RunError
from vision.training.teacher import Teacher, TrainedTeacher


class ServedTeacher:
    """The classifier of a weights folder, one network of all attributes, which may teach together with others."""

    def __init__(self, folder: Path, device: str) -> None:
        """Open its checkpoint. Raises RunError where the folder has no such network."""
        try:
            models = Manifest.load(folder).models
            specs = [models[name] for name in ATTRIBUTES]
            (files,) = {spec.files["torch"] for spec in specs}
            module: Any = load_module(files[0].read())
        except (KeyError, ValueError) as error:
            raise RunError(f"{folder} has no network of all attributes to learn from.") from error
        except EngineError as error:
            raise RunError(f"{folder} cannot teach: {error}") from error
        self.classes: Mapping[str, Sequence[str]] = {spec.role: sorted(spec.classes) for spec in specs}
        self.image_size: int = specs[0].input_size
        self._outputs = {
            spec.role: [spec.first_output + spec.classes.index(name) for name in self.classes[spec.role]]
            for spec in specs
        }
        self._network: nn.Module = module.to(device, memory_format=torch.channels_last).eval()

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """See `Teacher`."""
        output = self._network(images)[RAW_OUTPUT["classify"]]
        return {name: output[:, places] for name, places in self._outputs.items()}


class Together:
    """Several teachers of the same classes, whose answer is the mean of their logarithms of probabilities."""

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        """Raises RunError where they know different classes."""
        self._teachers = teachers
        first, *others = ({name: list(found) for name, found in teacher.classes.items()} for teacher in teachers)
        if any(other != first for other in others):
            raise RunError("The teachers know different classes: they must have learned from the same labels.")
        self.classes: Mapping[str, Sequence[str]] = first
        self.image_size = max(teacher.image_size for teacher in teachers)

    def __call__(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        """See `Teacher`; each sees the images at its own size."""
        answers = [teacher(resized(images, (teacher.image_size, teacher.image_size))) for teacher in self._teachers]
        return {
            name: torch.stack([answer[name].log_softmax(dim=1) for answer in answers]).mean(dim=0)
            for name in self.classes
        }


def names_of(folders: Sequence[Path]) -> str:
    """What a run calls the teachers in these folders."""
    return BETWEEN_TEACHERS.join(folder.resolve().name for folder in folders)


def open_teachers(folders: Sequence[Path], device: str) -> Teacher | None:
    """The teacher, or several as one, of runs of `manage.py train teacher` and of weights folders; None of none.

    Raises RunError for anything else, and where they know different classes.
    """
    opened: list[Teacher] = [
        ServedTeacher(folder, device)
        if (folder / MANIFEST_NAME).is_file()
        else TrainedTeacher(folder / "best.pt", device)
        for folder in folders
    ]
    return Together(opened) if len(opened) > 1 else next(iter(opened), None)
