"""Trains a classifier on the garments' crops: a YOLOv8-cls of one attribute or several, or the network of a teacher.

One backbone learns all labels of an image at once: auxiliary linear heads for the other attributes are trained beside
the wanted one and dropped at the end, unless all are wanted. They cost nothing and keep the backbone from memorising
rare classes (multi-task learning as a regulariser, Caruana 1997).
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vision.engine.preprocess import CROP_MARGIN, nearest_shape
from vision.engine.runtime import batches
from vision.training.augment import AUGMENTATIONS, CANVAS_MARGIN, augment, mix
from vision.training.calibration import softmax
from vision.training.classifier_options import ClassifierOptions
from vision.training.dataset import ATTRIBUTES, Crops, Dataset, label_indices, load_crops, served_crops
from vision.training.files import append_row, atomic_path
from vision.training.losses import distillation_loss, one_hot, soft_cross_entropy
from vision.training.metrics import classification_metrics
from vision.training.network import (
    ARCHITECTURES,
    EMA,
    Network,
    build_model,
    in_squares,
    keep_statistics,
    resized,
    save_model,
    to_tensor,
)
from vision.training.run import RESULTS, STRIDE, Report, RunError, all_shapes, report_quarters
from vision.training.sampling import class_balanced_weights, trust
from vision.training.start import CHECKPOINT, HEAD, KEPT, is_of_a_run, open_weights, read_checkpoint, state_for
from vision.training.teacher import LITE, LiteNetwork, Teacher, save_teacher
from vision.training.widening import load_start

AT_ONCE = 64
"""How many crops of val the network gets together."""


@dataclass(slots=True)
class Samples:
    """What is learned from: crops, wide enough to augment, how much each can be trusted, the class index of every
    attribute (-1: no label), and of which of the network's shapes each is."""

    crops: Crops
    trust: torch.Tensor
    targets: dict[str, NDArray[np.int64]]
    kinds: NDArray[np.int64]


class ClassifierTraining:
    """One run in one folder: `last.pt` to resume from, `best.pt` to publish, `results.csv` as it goes."""

    def __init__(
        self,
        dataset: Dataset,
        base: Path,
        run: Path,
        options: ClassifierOptions,
        report: Report,
        device: str,
        teacher: Teacher | None = None,
    ) -> None:
        """Where the folder has a `last.pt` it goes on from there, else it starts from `base`; a teacher from ImageNet.

        The network is trained on `device`. On the processor, which draws all random numbers but those of dropout
        elsewhere, a run that was resumed ends with the same weights as one that was not.
        """
        self.dataset, self.run, self.options, self.report = dataset, run, options, report
        run.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.generator = torch.Generator().manual_seed(options.seed)
        self.augmentation = AUGMENTATIONS[options.augmentation]
        self.shapes = all_shapes(options.image_size, options.input_shapes)
        learnt = dict.fromkeys((*ATTRIBUTES, options.attribute))
        self.classes = {name: dataset.classes(name, options.minimum) for name in learnt}
        own = self.classes[options.attribute]
        if len(own) < 2:
            raise RunError(f"{options.attribute}: fewer than two classes have {options.minimum} examples.")
        counts = dataset.counts("train", options.attribute)
        frequencies = torch.tensor([counts[name] for name in own]) / sum(counts[name] for name in own)
        self.device = device
        self.offsets = (options.prior * frequencies.log()).to(device)
        self.teacher = teacher
        self._check_teacher()
        begun = (run / CHECKPOINT).exists()
        network: Any = self._build_network(pretrained=not begun)
        self.network: Network | LiteNetwork = network.to(device, memory_format=torch.channels_last)
        if not begun:
            self._load_base(base)
        self.ema = EMA(self.network, options.ema_decay)
        self.optimizer = self._make_optimizer()
        self.epoch = 0
        self.best = -1.0
        self.best_epoch = 0
        if begun:
            self._resume()

    def _build_network(self, *, pretrained: bool) -> Network | LiteNetwork:
        options = self.options
        auxiliary = {
            name: len(found) for name, found in self.classes.items() if name != options.attribute and len(found) > 1
        }
        own = self.classes[options.attribute]
        if options.architecture == LITE:
            return LiteNetwork(len(own), auxiliary, pretrained=pretrained)
        return Network(build_model(own, options.dropout, options.architecture), auxiliary, options.freeze)

    def _check_teacher(self) -> None:
        """Raise RunError for a teacher that knows other classes."""
        for name, found in (self.teacher.classes if self.teacher else {}).items():
            if list(found) != self.classes.get(name):
                raise RunError(f"The teacher's classes of {name} are others than those of this run.")

    def _load_base(self, base: Path) -> None:
        """Start from any YOLOv8 weights, detectors included, or from the `last.pt` of another attribute's run.

        Networks of several attributes take over what they can of smaller ones, see `load_start`.

        The latter has already trained a head for this attribute beside its own: the two change places.
        """
        if isinstance(self.network, LiteNetwork):
            return
        if not is_of_a_run(base):
            if self.options.heads or self.options.architecture != ARCHITECTURES[0]:
                load_start(self.network, open_weights(base, fuse=False)[1], self.classes, self.options.attribute)
                return
            self.network.model.load(open_weights(base, fuse=False)[1], verbose=False)
            return
        saved = read_checkpoint(base)
        if saved["fingerprint"] != self.dataset.fingerprint or saved["options"]["minimum"] != self.options.minimum:
            raise RunError(f"{base} was trained on other labels.")
        self.network.load_state_dict(state_for(saved, self.options.attribute))

    def _make_optimizer(self) -> torch.optim.AdamW:
        """AdamW; new linear layers learn twice as fast, biases and norms do not decay."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if parameter.requires_grad:
                factor = 2.0 if name.startswith((HEAD, "linear", "auxiliary")) else 1.0
                decay = self.options.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((factor, decay), []).append(parameter)
        return torch.optim.AdamW(
            [{"params": found, "factor": factor, "weight_decay": decay} for (factor, decay), found in groups.items()],
            lr=self.options.learning_rate,
        )

    def load_samples(self) -> Samples:
        """Decode the crops to learn from."""
        images = self.dataset.select("train", self.options.attribute)
        own = label_indices(images, self.options.attribute, self.classes[self.options.attribute])
        images = [image for image, index in zip(images, own, strict=True) if index >= 0]
        size = max(self.options.image_size, self.teacher.image_size if self.teacher else 0)
        size = round(size * (1 + 2 * CANVAS_MARGIN) / (1 + 2 * CROP_MARGIN))
        self.report(f"decoding {len(images)} images of train at {size} px")
        targets = {name: label_indices(images, name, found) for name, found in self.classes.items()}
        crops = load_crops(images, size, CANVAS_MARGIN)
        extents = (crops.windows[:, 2:] - crops.windows[:, :2]).tolist()
        kinds = [self.shapes.index(nearest_shape(self.shapes, width, height)) for width, height in extents]
        return Samples(crops, torch.tensor([trust(image) for image in images]), targets, np.array(kinds))

    def fit(self) -> None:
        """Train from the current epoch to the last one; none at all keeps what the start weights bring."""
        if self.options.epochs == 0:
            self.save_best()
        if self.epoch >= self.options.epochs or self.out_of_patience():
            return
        train = self.load_samples()
        val = self.dataset.select("val", self.options.attribute)
        self.report(f"decoding {len(val)} images of val at {self.options.image_size} px")
        crops = served_crops(val, self.shapes)
        targets = label_indices(val, self.options.attribute, self.classes[self.options.attribute])
        balanced = [self.options.attribute, *filter(None, [self.options.balance_with])]
        draw = class_balanced_weights(np.stack([train.targets[name] for name in balanced], axis=1))
        draw *= train.trust
        while self.epoch < self.options.epochs and not self.out_of_patience():
            started = time.monotonic()
            loss = self._train_epoch(train, draw)
            self.epoch += 1
            metrics = classification_metrics(
                softmax(self.predict(crops)), targets, self.classes[self.options.attribute]
            )
            self._keep_epoch(time.monotonic() - started, loss, metrics)
        if self.epoch < self.options.epochs:
            self.report(f"stopped: nothing better since epoch {self.best_epoch}")

    def _keep_epoch(self, seconds: float, loss: float, metrics: dict[str, Any]) -> None:
        """Save and report the epoch that has just ended; the best one is that of the highest mean of top-1 and F1."""
        fitness = (metrics["top1"] + metrics["macro_f1"]) / 2
        improved = fitness > self.best
        if improved:
            self.best, self.best_epoch = fitness, self.epoch
            self.save_best()
        self.save_checkpoint()
        if self.options.keep_epochs:
            shutil.copyfile(self.run / CHECKPOINT, self.run / KEPT.format(self.epoch))
        row = {
            "epoch": self.epoch,
            "seconds": round(seconds, 1),
            "loss": round(loss, 4),
            "val_top1": round(metrics["top1"], 4),
            "val_top3": round(metrics["top3"], 4),
            "val_macro_f1": round(metrics["macro_f1"], 4),
        }
        append_row(self.run / RESULTS, row)
        text = "  ".join(f"{name} {value}" for name, value in list(row.items())[1:])
        self.report(f"epoch {self.epoch}/{self.options.epochs}  {text}{'  *' if improved else ''}")

    def out_of_patience(self) -> bool:
        """Whether the last epochs have brought nothing better for too long."""
        return 0 < self.options.patience <= self.epoch - self.best_epoch

    def _train_epoch(self, train: Samples, draw: torch.Tensor) -> float:
        options, generator = self.options, self.generator
        self.network.train()
        if options.input_shapes:
            keep_statistics(self.network)
        shapes = self._epoch_shapes()
        order = torch.multinomial(draw, len(draw), replacement=True, generator=generator)
        steps = self._batches(order, train.kinds)
        total = 0.0
        for step, (kind, chosen) in enumerate(steps):
            report_quarters(self.report, self.epoch, options.epochs, step, len(steps))
            self._set_learning_rate(self.epoch + step / len(steps))
            index = chosen.numpy()
            canvases = torch.from_numpy(train.crops.squares[index])
            windows = torch.from_numpy(train.crops.windows[index])
            images = augment(canvases, windows, self._drawn_in(shapes[kind]), self.augmentation, generator)
            targets = {name: one_hot(values[index], len(self.classes[name])) for name, values in train.targets.items()}
            images, targets = mix(images, targets, self.augmentation, generator)
            images = images.contiguous(memory_format=torch.channels_last).to(self.device)
            targets = {name: values.to(self.device) for name, values in targets.items()}
            loss = self._loss(images, targets, shapes[kind])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimizer.step()
            self.ema.update(self.network)
            total += loss.item() / len(steps)
        return total

    def _batches(self, order: torch.Tensor, kinds: NDArray[np.int64]) -> list[tuple[int, torch.Tensor]]:
        """The examples of an epoch in batches, each of one shape, whose number comes first."""
        drawn = kinds[order.numpy()]
        found = [
            (kind, batch)
            for kind in np.unique(drawn).tolist()
            for batch in order[torch.from_numpy(drawn == kind)].split(self.options.batch)
        ]
        if len(self.shapes) == 1:
            return found
        return [found[number] for number in torch.randperm(len(found), generator=self.generator).tolist()]

    def _drawn_in(self, shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of images from which both the teacher, if there is one, and the network in this shape can see."""
        factor = max(1.0, self.teacher.image_size / max(shape)) if self.teacher else 1.0
        return round(shape[0] * factor), round(shape[1] * factor)

    def _loss(self, images: torch.Tensor, targets: dict[str, torch.Tensor], shape: tuple[int, int]) -> torch.Tensor:
        """The loss of one batch over all heads; the network sees it in `shape`, the teacher in a square of its own."""
        options = self.options
        taught: dict[str, torch.Tensor] = {}
        if self.teacher:
            side = self.teacher.image_size
            taught = self.teacher(resized(in_squares(images), (side, side)))
        own, auxiliary = self.network(resized(images, shape))
        loss = torch.zeros((), device=images.device)
        for name, logits in {options.attribute: own, **auxiliary}.items():
            found = soft_cross_entropy(logits, targets[name], options.label_smoothing)
            if name in taught:
                far = distillation_loss(logits, taught[name], options.distillation_temperature)
                found = (1 - options.distillation) * found + options.distillation * far
            loss = loss + (1.0 if name == options.attribute else options.auxiliary_weight) * found
        return loss

    def _epoch_shapes(self) -> Sequence[tuple[int, int]]:
        """The shapes of the training images: small ones first, while the network only finds its way.

        Even the last ones are smaller than those it serves, because cropping and zooming make garments appear larger
        in training than later (Touvron et al. 2019, "Fixing the train-test resolution discrepancy").
        """
        if self.options.first_size == self.options.last_size == 1.0:
            return self.shapes
        share = min(1.0, self.epoch / max(1.0, 0.6 * self.options.epochs))
        factor = self.options.first_size + (self.options.last_size - self.options.first_size) * share
        height, width = (
            [max(STRIDE, round(shape[side] * factor / STRIDE) * STRIDE) for shape in self.shapes] for side in (0, 1)
        )
        return list(zip(height, width, strict=True))

    def _set_learning_rate(self, epoch: float) -> None:
        """Linear warm-up, then a cosine down to a hundredth."""
        warmup, epochs = self.options.warmup_epochs, self.options.epochs
        if epoch < warmup:
            factor = (epoch + 0.01) / warmup
        else:
            progress = (epoch - warmup) / max(1e-6, epochs - warmup)
            factor = 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, progress))) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.learning_rate * group["factor"] * factor

    @torch.inference_mode()
    def predict(self, crops: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Logits (n, classes) of the averaged network, as it would be published, for crops (height, width, 3)."""
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.ema.state)
        self.network.eval()
        logits = np.empty((len(crops), len(self.classes[self.options.attribute])), np.float32)
        for numbers in batches([crop.shape for crop in crops], AT_ONCE):
            images = to_tensor(np.stack([crops[number].transpose(2, 0, 1) for number in numbers]))
            logits[numbers] = (self.network(images.to(self.device))[0] + self.offsets).cpu().numpy()
        self.network.load_state_dict(own)
        return logits

    def save_best(self) -> None:
        """Write the averaged network as an ordinary ultralytics checkpoint that `YOLO(path)` loads.

        One for each attribute in a folder of its own if it has several; a teacher's as `TrainedTeacher` opens it.
        """
        options = self.options
        if options.architecture == LITE:
            save_teacher(self.run / "best.pt", self.ema.state, options.attribute, self._offered(), options.image_size)
        for name in options.heads if options.architecture != LITE else ():
            (self.run / name).mkdir(exist_ok=True)
            self._save_head(name, self.run / name / "best.pt")
        if not options.heads:
            self._save_head(options.attribute, self.run / "best.pt")

    def _offered(self) -> dict[str, list[str]]:
        """The classes of each head that the network has."""
        return {
            name: found
            for name, found in self.classes.items()
            if name == self.options.attribute or name in self.network.auxiliary
        }

    def _save_head(self, attribute: str, path: Path) -> None:
        model = build_model(self.classes[attribute], architecture=self.options.architecture)
        prefix = "model."
        state = {key.removeprefix(prefix): value for key, value in self.ema.state.items() if key.startswith(prefix)}
        linear = HEAD.removeprefix(prefix)
        if attribute == self.options.attribute:
            state[f"{linear}.bias"] = state[f"{linear}.bias"] + self.offsets
        else:
            state |= {
                f"{linear}.{kind}": self.ema.state[f"auxiliary.{attribute}.{kind}"] for kind in ("weight", "bias")
            }
        model.load_state_dict(state)
        save_model(model, path, self.options.image_size)

    def save_checkpoint(self) -> None:
        """Write everything that the next epoch depends on."""
        with atomic_path(self.run / CHECKPOINT) as path:
            torch.save(
                {
                    "options": asdict(self.options),
                    "fingerprint": self.dataset.fingerprint,
                    "epoch": self.epoch,
                    "best": self.best,
                    "best_epoch": self.best_epoch,
                    "network": self.network.state_dict(),
                    "average": self.ema.state,
                    "updates": self.ema.updates,
                    "optimizer": self.optimizer.state_dict(),
                    "generator": self.generator.get_state(),
                    "torch_rng": torch.get_rng_state(),
                },
                path,
            )

    def _resume(self) -> None:
        """Go on where `last.pt` stopped. Raises RunError if it was made from other labels."""
        saved = read_checkpoint(self.run / CHECKPOINT)
        if saved["fingerprint"] != self.dataset.fingerprint:
            raise RunError(f"{self.run / CHECKPOINT} was trained on other labels.")
        self.network.load_state_dict(saved["network"])
        self.ema.state = {name: value.to(self.device) for name, value in saved["average"].items()}
        self.ema.updates = saved["updates"]
        self.optimizer.load_state_dict(saved["optimizer"])
        self.generator.set_state(saved["generator"])
        torch.set_rng_state(saved["torch_rng"])
        self.epoch, self.best = saved["epoch"], saved["best"]
        # A checkpoint from before there was a patience does not say it: it starts again.
        self.best_epoch = saved.get("best_epoch", self.epoch)
