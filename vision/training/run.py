"""One training run: a folder that can be resumed, measured, reported on and published."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vision.training.files import write_json

TASKS = ("detect", "classify")
DESCRIPTION = "run.json"
METRICS = "metrics.json"
ENVIRONMENT = "environment.json"
RESULTS = "results.csv"

STRIDE = 32
"""The sides of networks' inputs are multiples of this."""

Report = Callable[[str], None]


class RunError(ValueError):
    """The run cannot be made as asked; the message says why."""


def all_shapes(image_size: int, input_shapes: Iterable[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """What a network may get, (height, width) in pixels: the square, and what a run was asked for beside."""
    return (image_size, image_size), *((height, width) for height, width in input_shapes)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run folder holds and how it was made. `options` are the fields of the task's options class.

    `mirror` names the weights of the classifier that looks at mirror images beside this one, if that is another one.
    """

    folder: Path
    name: str
    role: str
    task: str
    base: str
    classes: list[str]
    options: dict[str, Any]
    data: dict[str, Any]
    mirror: str = ""

    @property
    def weights(self) -> Path:
        """The best weights, an ultralytics checkpoint."""
        return self.folder / "best.pt"

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """What the network may get, see `all_shapes`."""
        return all_shapes(int(self.options["image_size"]), self.options.get("input_shapes", ()))

    @property
    def finished(self) -> bool:
        """Whether it was trained to its end and measured."""
        return (self.folder / METRICS).is_file()

    def save(self) -> None:
        """Write the description into the folder."""
        content = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "folder"}
        write_json(self.folder / DESCRIPTION, content)

    @classmethod
    def load(cls, folder: Path) -> Run:
        """Read the description from a folder. Raises RunError if there is none."""
        path = folder / DESCRIPTION
        if not path.is_file():
            raise RunError(f"{folder} holds no run: {path} does not exist.")
        return cls(folder=folder, **json.loads(path.read_text(encoding="utf-8")))

    def metrics(self) -> dict[str, Any]:
        """The content of a finished run's metrics.json. Raises RunError before it is finished."""
        if not self.finished:
            raise RunError(f"The run {self.folder} is not finished: it has no {METRICS}.")
        metrics: dict[str, Any] = json.loads((self.folder / METRICS).read_text(encoding="utf-8"))
        return metrics


def report_quarters(report: Report, epoch: int, epochs: int, step: int, steps: int) -> None:
    """Say how far an epoch is (counted from 0, as are steps) whenever another quarter of it is done."""
    if step and step * 4 // steps != (step - 1) * 4 // steps:
        report(f"epoch {epoch + 1}/{epochs}  {100 * step // steps} %")
