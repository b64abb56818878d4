"""Trains a YOLOv8n detector: of garments, of top-level categories, or of an attribute's classes like the original."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.engine.compat import prepare_ultralytics
from vision.engine.manifest import GARMENT
from vision.engine.results import Box
from vision.engine.taxonomy import CATEGORY
from vision.training.album import (
    SHARPNESS,
    GapFilling,
    Incomplete,
    cut_garments,
    incomplete_images,
    make_album,
)
from vision.training.canvases import Canvases
from vision.training.dataset import SPLITS, Dataset, by_file, open_upright, true_boxes
from vision.training.files import atomic_path
from vision.training.pieces import Piece, targets_of
from vision.training.run import Report, RunError, all_shapes, report_quarters
from vision.training.sampling import repeat_factors
from vision.training.start import KEPT, open_weights

if TYPE_CHECKING:
    import torch

_PLACES = ("model", "data", "project", "name", "save_dir", "resume")  # arguments of a training that name folders


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """What a run is made of. `attribute` is "garment" for one class, or the attribute whose classes are detected.

    `background` is how often an epoch shows each image without a garment: there are few of them, and they are
    what a detector learns to stay silent from. `balance` shows those with garments of rare classes more often, which
    makes an epoch longer (see `repeat_factors`). `quarter_turns` is the share of the training images that are shown
    lying on one side: phones that were held flat over a garment often say nothing of their turn. Training ends early
    when `patience` epochs have brought nothing better on val; 0 never gives up. With `canvases`, `input_shapes`
    (height, width) are what images of such proportions are served in beside the square, see `ModelSpec`.
    """

    attribute: str
    image_size: int = 256
    epochs: int = 8
    patience: int = 10
    batch: int = 16
    learning_rate: float = 1e-3
    freeze: int = 5
    mosaic: float = 0.25
    input_shapes: list[list[int]] = field(default_factory=list)
    background: int = 1
    balance: bool = True
    quarter_turns: float = 0.3
    minimum: int = 20
    keep_epochs: bool = False
    top_levels: bool = False
    canvases: bool = False
    figures: int = 0
    fill_gaps: float = 0.45
    multi_scale: float = 0.0
    workers: int = 0
    seed: int = 1
    threads: int = 2


CANVAS_DEFAULTS = {
    "image_size": 416,
    "epochs": 50,
    "patience": 0,
    "batch": 64,
    "learning_rate": 1.5e-3,
    "freeze": 0,
    "quarter_turns": 0.0,
    "multi_scale": 0.15,
    "balance": False,
}
"""What a training on canvases takes where nothing else is asked for; an epoch shows as many as there are images."""


def detector_classes(dataset: Dataset, options: DetectorOptions) -> list[str]:
    """The classes in the order of their indices."""
    if options.attribute == GARMENT and options.top_levels:
        return list(dict.fromkeys(dataset.taxonomy.attributes[CATEGORY].top_levels.values()))
    if options.attribute == GARMENT:
        return [GARMENT]
    return dataset.classes(options.attribute, options.minimum)


@dataclass(frozen=True, slots=True)
class Annotated:
    """An image as a detector learns it: the class index and box of each garment; none in a background image."""

    path: Path
    boxes: tuple[tuple[int, Box], ...]
    worn: bool = False

    @property
    def label_lines(self) -> str:
        """The text of its label file: class, centre x, y, width, height as fractions, one line per garment."""
        return "".join(_label_line(index, box) for index, box in self.boxes)


def detector_images(dataset: Dataset, split: str, options: DetectorOptions, classes: list[str]) -> list[Annotated]:
    """The images that teach no wrong silence, and the ones without any garment as background.

    All boxes of an image are good, and each garment is of a class that is offered or cannot have the attribute,
    as trousers have no sleeves; at least one is of such a class.
    """
    found = []
    for rows in by_file(dataset.select(split)):
        boxes = true_boxes(rows, options.attribute, classes, dataset.taxonomy)
        if boxes is not None:
            found.append(Annotated(rows[0].path, boxes, rows[0].worn))
    return found


def write_yolo_dataset(dataset: Dataset, folder: Path, options: DetectorOptions, report: Report) -> Path:
    """Lay the data out as ultralytics wants it; returns the path of its data.yaml.

    Images are written upright and already reduced to the network's size with the engine's own resampling, so
    that they need not be decoded at full size by another library's rules. They are named by their number, as images
    from several folders may share a name; those that are there already are not written again.
    """
    classes = detector_classes(dataset, options)
    for split in SPLITS:
        pixels, labels = folder / "images" / split, folder / "labels" / split
        pixels.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        images = detector_images(dataset, split, options, classes)
        side = round(options.image_size * SHARPNESS) if options.canvases and split == "train" else options.image_size
        report(f"preparing {len(images)} images of {split}")
        for number, image in enumerate(images):
            write_reduced(image.path, pixels / f"{number:06}.jpg", side)
            (labels / f"{number:06}.txt").write_text(image.label_lines)
        shown = [1] * len(images)
        if split == "train":
            present = [{index for index, _box in image.boxes} for image in images]
            shown = repeat_factors(present, balance=options.balance, background=options.background)
        lines = [f"./images/{split}/{number:06}.jpg\n" * times for number, times in enumerate(shown)]
        (folder / f"{split}.txt").write_text("".join(lines))
    data = folder / "data.yaml"
    names = "".join(f"  {index}: {name}\n" for index, name in enumerate(classes))
    data.write_text(f"path: {folder.resolve()}\ntrain: train.txt\nval: val.txt\nnames:\n{names}")
    return data


def write_reduced(source: Path, target: Path, size: int) -> None:
    """Write an image upright as a JPEG of `size` pixels on its longer side, unless it is there already."""
    from PIL import Image

    if target.exists():
        return
    image = open_upright(source)
    scale = size / max(image.size)
    reduced = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    with atomic_path(target) as temporary:
        image.resize(reduced, Image.Resampling.BILINEAR, reducing_gap=2.0).save(
            temporary, "JPEG", quality=95, subsampling=0
        )


def _label_line(index: int, box: Box) -> str:
    x1, y1, x2, y2 = box
    return f"{index} {(x1 + x2) / 2:.5f} {(y1 + y2) / 2:.5f} {x2 - x1:.5f} {y2 - y1:.5f}\n"


def make_trainer_class() -> type:
    """Ultralytics' detection trainer, kept lean for CPU: channels-last tensors and a fixed number of threads.

    It measures nothing at its end: what was best is measured as it serves, see `evaluate_detector`.
    """
    prepare_ultralytics()
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer

    class LeanTrainer(DetectionTrainer):
        threads = 2
        quarter_turns = 0.0
        canvases: Canvases | None = None

        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            """YOLOv8n by ultralytics' own description: that of the start weights may name code, which is evaluated."""
            return super().get_model("yolov8n.yaml", weights, verbose)

        def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
            """Canvases to train on, where there are some; ultralytics' own for what it measures on."""
            if mode == "train" and self.canvases is not None:
                return self.canvases
            return super().build_dataset(img_path, mode, batch)

        def _setup_train(self) -> None:
            super()._setup_train()  # type: ignore[no-untyped-call]  # ultralytics
            torch.set_num_threads(self.threads)
            model: Any = self.model
            model.to(memory_format=torch.channels_last)

        def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
            batch = super().preprocess_batch(batch)
            rotate90(batch["img"], batch["bboxes"], batch["batch_idx"], self.quarter_turns)
            batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
            return batch

        def final_eval(self) -> None:
            """Leave `last.pt` and `best.pt` as the last epochs saved them, so that a stopped run can go on."""

    return LeanTrainer


def rotate90(images: torch.Tensor, boxes: torch.Tensor, owners: torch.Tensor, share: float) -> None:
    """Turn about `share` of the images (n, 3, s, s) by 90 degrees to one side or the other, in place.

    `boxes` (m, 4), centre x, y, width, height as fractions, turn with the image that `owners` (m) names.
    """
    import torch

    for index in torch.nonzero(torch.rand(len(images)) < share).flatten().tolist():
        clockwise = bool(torch.rand(1) < 0.5)
        images[index] = torch.rot90(images[index], -1 if clockwise else 1, dims=(1, 2))
        rows = owners == index
        x, y, width, height = boxes[rows].unbind(dim=1)
        boxes[rows] = torch.stack((1 - y, x, height, width) if clockwise else (y, 1 - x, height, width), dim=1)


def train_detector(
    dataset: Dataset, base: Path, run: Path, options: DetectorOptions, report: Report, device: str
) -> None:
    """Train in the folder `run`, from the last epoch that was finished there if there is one, else from `base`.

    Leaves `best.pt` and `results.csv`; does nothing where they are. Raises RunError for weights that are missing or
    refused.
    """
    best = run / "best.pt"
    if best.exists():
        return
    folder = run / "ultralytics"
    last = folder / "weights" / "last.pt"
    resume = last.exists()
    start = last if resume else base
    saved, _network = open_weights(start)
    if not (resume and _is_over(saved, options)):
        _train(dataset, start, run, options, report, device, resume=resume)
    shutil.copyfile(folder / "results.csv", run / "results.csv")
    shutil.rmtree(run / "dataset", ignore_errors=True)
    _publish_best(folder / "weights" / "best.pt", best)


def _is_over(saved: dict[str, Any], options: DetectorOptions) -> bool:
    """Whether a run's `last.pt` is of its last epoch, or of the one with which its patience ended."""
    done = int(saved["epoch"]) + 1
    if done in (0, options.epochs):  # 0: ultralytics had taken the optimizer out of it
        return True
    return 0 < options.patience <= done - int(saved["stopper"]["best_epoch"])


def _publish_best(source: Path, target: Path) -> None:
    """Copy the best weights without what only training needs, and without what they say of the machine."""
    prepare_ultralytics()
    import torch
    from ultralytics.utils.torch_utils import strip_optimizer

    open_weights(source)
    with atomic_path(target) as temporary:
        saved = strip_optimizer(source, str(temporary))
        nowhere = dict.fromkeys(_PLACES)
        saved["model"].args |= nowhere
        saved["model"].pt_path = None
        saved |= {"git": None, "train_args": saved["train_args"] | nowhere}
        torch.save(saved, temporary)


def _train(
    dataset: Dataset, start: Path, run: Path, options: DetectorOptions, report: Report, device: str, *, resume: bool
) -> None:
    """Let ultralytics train in `run`/ultralytics, from `start` or on from there."""
    data = write_yolo_dataset(dataset, run / "dataset", options, report)
    classes = detector_classes(dataset, options)
    trainer = make_trainer_class()(overrides=_overrides(start, run, data, options, device, resume=resume))
    trainer.threads = options.threads
    trainer.quarter_turns = options.quarter_turns
    if options.canvases:
        _show_canvases(trainer, dataset, classes, run, options, report)
    trainer.add_callback("on_train_epoch_start", lambda trainer: setattr(trainer, "step", 0))
    trainer.add_callback("on_train_batch_end", lambda trainer: _count(trainer, report))
    if options.keep_epochs:
        trainer.add_callback(
            "on_model_save", lambda trainer: shutil.copyfile(trainer.last, run / KEPT.format(trainer.epoch + 1))
        )
    trainer.add_callback("on_model_save", lambda trainer: report(_describe(trainer)))
    trainer.train()


def _show_canvases(
    trainer: Any, dataset: Dataset, classes: list[str], run: Path, options: DetectorOptions, report: Report
) -> None:
    """Let the trainer learn from canvases, which differ from epoch to epoch, and fill gaps when it is time."""
    folder = run / "dataset" / "images"
    pieces = [
        Piece(folder / "train" / f"{number:06}.jpg", targets_of(image.boxes), image.worn)
        for number, image in enumerate(detector_images(dataset, "train", options, classes))
    ]
    cutouts = cut_garments(dataset, classes, options.figures, options.seed, options.threads)
    album = make_album(pieces, classes, cutouts)
    if not album.worn and not album.flat:
        raise RunError("No image in train shows a garment with a good box: there is nothing to compose canvases of.")
    (folder / "incomplete").mkdir(exist_ok=True)
    files = []
    for number, rows in enumerate(incomplete_images(dataset)):
        files.append(Incomplete(rows, folder / "incomplete" / f"{number:06}.jpg"))
        write_reduced(rows[0].path, files[-1].path, round(options.image_size * SHARPNESS))
    report(
        f"composing canvases of {len(album.worn)} images of people, {len(album.flat)} of garments, "
        f"{len(album.negatives)} of neither, {len(cutouts)} cut-outs"
    )
    filling = GapFilling(dataset, classes, options.image_size, run, files) if files else None
    count = math.ceil((len(pieces) + len(files)) / options.batch) * options.batch  # whole batches
    shapes = all_shapes(options.image_size, options.input_shapes)
    canvases = Canvases(album, shapes, count, options.epochs, options.seed)

    def begin_epoch(trainer: Any) -> None:
        nonlocal filling
        canvases.epoch = trainer.epoch
        if filling is not None and trainer.epoch >= options.fill_gaps * options.epochs:
            filling.add(album, trainer.ema.ema, report)
            filling = None
        if options.workers:
            trainer.train_loader.reset()  # the processes that compose have copies of the album

    trainer.canvases = canvases
    trainer.add_callback("on_train_epoch_start", begin_epoch)


def _overrides(
    start: Path, run: Path, data: Path, options: DetectorOptions, device: str, *, resume: bool
) -> dict[str, Any]:
    """The training's arguments as ultralytics names them."""
    return {
        "model": str(start),
        "resume": str(start) if resume else False,
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
        "close_mosaic": 0 if options.canvases else max(1, options.epochs // 3),
        "multi_scale": options.multi_scale,
        "scale": 0.35,
        "degrees": 5.0,
        "device": device,
        "workers": options.workers,
        "cache": "ram",
        "amp": False,
        "plots": False,
        "verbose": False,
        "deterministic": False,
        "seed": options.seed,
    }


def _count(trainer: Any, report: Report) -> None:
    trainer.step += 1
    report_quarters(report, trainer.epoch, trainer.epochs, trainer.step, len(trainer.train_loader))


def _describe(trainer: Any) -> str:
    metrics = {name.removeprefix("metrics/"): round(float(value), 4) for name, value in trainer.metrics.items()}
    return f"epoch {trainer.epoch + 1}/{trainer.epochs}  " + "  ".join(
        f"{name} {value}" for name, value in metrics.items()
    )
