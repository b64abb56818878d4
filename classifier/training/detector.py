"""Trains a YOLOv8n detector: of garments as such, or with an attribute's classes as the original system had them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.engine.compat import prepare_ultralytics
from classifier.engine.manifest import GARMENT
from classifier.engine.preprocess import Box
from classifier.training.dataset import SPLITS, Dataset, open_upright, true_boxes
from classifier.training.files import atomic_path
from classifier.training.run import Report, report_quarters
from classifier.training.start import open_weights

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What a run is made of. `attribute` is "garment" for one class, or the attribute whose classes are detected.

    `background` is how often an epoch shows each photograph without a garment: there are few of them, and they are
    what a detector learns to stay silent from. `quarter_turns` is the share of the training pictures that are shown
    lying on one side: phones that were held flat over a garment often say nothing of their turn. Training ends early
    when `patience` epochs have brought nothing better on val; 0 never gives up.
    """

    attribute: str
    image_size: int = 256
    epochs: int = 8
    patience: int = 10
    batch: int = 16
    learning_rate: float = 1e-3
    freeze: int = 5
    mosaic: float = 0.25
    background: int = 1
    quarter_turns: float = 0.3
    minimum: int = 20
    seed: int = 1
    threads: int = 2


def detector_classes(dataset: Dataset, options: DetectorOptions) -> list[str]:
    """The classes in the order of their indices."""
    if options.attribute == GARMENT:
        return [GARMENT]
    return dataset.classes(options.attribute, options.minimum)


@dataclass(frozen=True, slots=True)
class Annotated:
    """A photograph as a detector learns it: the class index and box of each garment; none in a background picture."""

    path: Path
    boxes: tuple[tuple[int, Box], ...]

    @property
    def label_lines(self) -> str:
        """The text of its label file: class, centre x, y, width, height as fractions, a line a garment."""
        return "".join(_label_line(index, box) for index, box in self.boxes)


def detector_photographs(dataset: Dataset, split: str, options: DetectorOptions, classes: list[str]) -> list[Annotated]:
    """The photographs that teach no wrong silence, and the ones without any garment as background.

    All boxes of a photograph are good, and each garment is of a class that is offered or cannot have the attribute,
    as trousers have no sleeves; at least one is of such a class.
    """
    found = []
    for rows in dataset.by_file(split):
        boxes = true_boxes(rows, options.attribute, classes, dataset.taxonomy)
        if boxes is not None:
            found.append(Annotated(rows[0].path, boxes))
    return found


def write_yolo_dataset(dataset: Dataset, folder: Path, options: DetectorOptions, report: Report) -> Path:
    """Lay the data out as ultralytics wants it; returns the path of its data.yaml.

    Photographs are written upright and already reduced to the network's size with the engine's own resampling, so
    that they need not be decoded at full size by anybody else's rules.
    """
    classes = detector_classes(dataset, options)
    for split in SPLITS:
        images, labels = folder / "images" / split, folder / "labels" / split
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        photographs = detector_photographs(dataset, split, options, classes)
        report(f"preparing {len(photographs)} photographs of {split}")
        for photograph in photographs:
            stem = photograph.path.stem
            if not (images / f"{stem}.jpg").exists():
                _write_reduced(photograph.path, images / f"{stem}.jpg", options.image_size)
            (labels / f"{stem}.txt").write_text(photograph.label_lines)
            if not photograph.boxes and split == "train":
                for repeat in range(1, options.background):
                    shutil.copyfile(images / f"{stem}.jpg", images / f"{stem}-{repeat}.jpg")
    data = folder / "data.yaml"
    names = "".join(f"  {index}: {name}\n" for index, name in enumerate(classes))
    data.write_text(f"path: {folder.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}")
    return data


def _write_reduced(source: Path, target: Path, size: int) -> None:
    from PIL import Image

    image = open_upright(source)
    scale = size / max(image.size)
    reduced = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image.resize(reduced, Image.Resampling.BILINEAR, reducing_gap=2.0).save(target, quality=95, subsampling=0)


def _label_line(index: int, box: Box) -> str:
    x1, y1, x2, y2 = box
    return f"{index} {(x1 + x2) / 2:.5f} {(y1 + y2) / 2:.5f} {x2 - x1:.5f} {y2 - y1:.5f}\n"


def make_trainer_class() -> type:
    """Ultralytics' detection trainer, kept lean for CPU: channels-last tensors and a fixed number of threads."""
    prepare_ultralytics()
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer

    class LeanTrainer(DetectionTrainer):
        threads = 2
        quarter_turns = 0.0

        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            """YOLOv8n by ultralytics' own description: that of the start weights may name code, which is evaluated."""
            return super().get_model("yolov8n.yaml", weights, verbose)

        def _setup_train(self) -> None:
            super()._setup_train()  # type: ignore[no-untyped-call]  # ultralytics
            torch.set_num_threads(self.threads)
            model: Any = self.model
            model.to(memory_format=torch.channels_last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            batch = super().preprocess_batch(batch)
            turn_some(batch["img"], batch["bboxes"], batch["batch_idx"], self.quarter_turns)
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            return batch

    return LeanTrainer


def turn_some(pictures: torch.Tensor, boxes: torch.Tensor, owners: torch.Tensor, share: float) -> None:
    """Turn about `share` of the pictures (n, 3, s, s) by 90 degrees to one side or the other, in place.

    `boxes` (m, 4), centre x, y, width, height as fractions, turn with the picture that `owners` (m) names.
    """
    import torch

    for index in torch.nonzero(torch.rand(len(pictures)) < share).flatten().tolist():
        clockwise = bool(torch.rand(1) < 0.5)
        pictures[index] = torch.rot90(pictures[index], -1 if clockwise else 1, dims=(1, 2))
        rows = owners == index
        x, y, width, height = boxes[rows].unbind(dim=1)
        boxes[rows] = torch.stack((1 - y, x, height, width) if clockwise else (y, 1 - x, height, width), dim=1)


def train_detector(dataset: Dataset, base: Path, run: Path, options: DetectorOptions, report: Report) -> None:
    """Train in the folder `run`, from the last epoch that was finished there if there is one, else from `base`.

    Leaves `best.pt` and `results.csv`; does nothing where they are. Raises RunError for weights that are missing or
    refused.
    """
    best = run / "best.pt"
    if best.exists():
        return
    last = run / "ultralytics" / "weights" / "last.pt"
    resume = last.exists()
    open_weights(last if resume else base)
    data = write_yolo_dataset(dataset, run / "dataset", options, report)
    trainer_class = make_trainer_class()
    overrides = {
        "model": str(last if resume else base),
        "resume": str(last) if resume else False,
        "data": str(data),
        "project": str(run.resolve()),
        "name": "ultralytics",
        "exist_ok": True,
        "imgsz": options.image_size,
        "epochs": options.epochs,
        "patience": options.patience,
        "batch": options.batch,
        "nbs": options.batch,
        "optimizer": "AdamW",
        "lr0": options.learning_rate,
        "lrf": 0.02,
        "cos_lr": True,
        "warmup_epochs": 0.5,
        "weight_decay": 0.01,
        "freeze": options.freeze,
        "mosaic": options.mosaic,
        "close_mosaic": max(1, options.epochs // 3),
        "scale": 0.35,
        "degrees": 5.0,
        "device": "cpu",
        "workers": 0,
        "cache": "ram",
        "amp": False,
        "plots": False,
        "verbose": False,
        "deterministic": False,
        "seed": options.seed,
    }
    trainer = trainer_class(overrides=overrides)
    trainer.threads = options.threads
    trainer.quarter_turns = options.quarter_turns
    trainer.add_callback("on_train_epoch_start", lambda trainer: setattr(trainer, "step", 0))
    trainer.add_callback("on_train_batch_end", lambda trainer: _count(trainer, report))
    # Not on_fit_epoch_end: ultralytics calls that once more for the best weights, as an epoch that there is not.
    trainer.add_callback("on_model_save", lambda trainer: report(_describe(trainer)))
    trainer.train()
    shutil.copyfile(trainer.csv, run / "results.csv")
    with atomic_path(best) as temporary:
        shutil.copyfile(trainer.best, temporary)
    shutil.rmtree(run / "dataset")


def _count(trainer: Any, report: Report) -> None:
    trainer.step += 1
    report_quarters(report, trainer.epoch, trainer.epochs, trainer.step, len(trainer.train_loader))


def _describe(trainer: Any) -> str:
    figures = {name.removeprefix("metrics/"): round(float(value), 4) for name, value in trainer.metrics.items()}
    return f"epoch {trainer.epoch + 1}/{trainer.epochs}  " + "  ".join(
        f"{name} {value}" for name, value in figures.items()
    )
