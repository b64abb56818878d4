"""Trains a YOLOv8n-cls classifier of one attribute on the garments' crops.

One backbone learns all labels of an image at once: auxiliary linear heads for the other attributes are trained beside
the wanted one and dropped at the end. They cost nothing and keep the backbone from memorising rare classes
(multi-task learning as a regulariser, Caruana 1997).
"""

from __future__ import annotations

import math
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vision.engine.preprocess import CROP_MARGIN
from vision.training.augment import AUGMENTATIONS, CANVAS_MARGIN, augment, mix
from vision.training.calibration import softmax
from vision.training.dataset import ATTRIBUTES, Crops, Dataset, LabelledImage, label_indices, load_crops
from vision.training.files import append_row, atomic_path
from vision.training.losses import one_hot, soft_cross_entropy
from vision.training.metrics import classification_metrics
from vision.training.network import EMA, Network, build_model, save_model, to_tensor
from vision.training.run import RESULTS, Report, RunError, report_quarters
from vision.training.sampling import class_balanced_weights
from vision.training.start import CHECKPOINT, HEAD, KEPT, is_of_a_run, open_weights, read_checkpoint, state_for


@dataclass(frozen=True, slots=True)
class ClassifierOptions:
    """What a run is made of; saved in its checkpoint, so that it resumes as it was started.

    Training ends early when `patience` epochs have brought nothing better on val; 0 never gives up. `prior` is how much
    of its training frequency's logarithm each class's logit gains: a negative one helps rare classes, where class
    balancing did not suffice (logit adjustment, Menon et al. 2021).
    """

    attribute: str
    image_size: int = 224
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
    seed: int = 1
    threads: int = 2


@dataclass(slots=True)
class Samples:
    """Crops of one split with the class index of every attribute (-1: no label)."""

    images: list[LabelledImage]
    crops: Crops
    targets: dict[str, NDArray[np.int64]]


class ClassifierTraining:
    """One run in one folder: `last.pt` to resume from, `best.pt` to publish, `results.csv` as it goes."""

    def __init__(
        self, dataset: Dataset, base: Path, run: Path, options: ClassifierOptions, report: Report, device: str
    ) -> None:
        """Where the folder has a `last.pt` it goes on from there, else it starts from `base`.

        The network is trained on `device`. On the processor, which draws all random numbers but those of dropout
        elsewhere, a run that was resumed ends with the same weights as one that was not.
        """
        self.dataset, self.run, self.options, self.report = dataset, run, options, report
        run.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(options.threads)
        torch.manual_seed(options.seed)
        self.generator = torch.Generator().manual_seed(options.seed)
        self.augmentation = AUGMENTATIONS[options.augmentation]
        learnt = dict.fromkeys((*ATTRIBUTES, options.attribute))
        self.classes = {name: dataset.classes(name, options.minimum) for name in learnt}
        own = self.classes[options.attribute]
        if len(own) < 2:
            raise RunError(f"{options.attribute}: fewer than two classes have {options.minimum} examples.")
        counts = dataset.counts("train", options.attribute)
        frequencies = torch.tensor([counts[name] for name in own]) / sum(counts[name] for name in own)
        self.device = device
        self.offsets = (options.prior * frequencies.log()).to(device)
        auxiliary = {
            name: len(found) for name, found in self.classes.items() if name != options.attribute and len(found) > 1
        }
        model = build_model(own, options.dropout)
        network: Any = Network(model, auxiliary, options.freeze)
        self.network: Network = network.to(device, memory_format=torch.channels_last)
        begun = (run / CHECKPOINT).exists()
        if not begun:
            self._load_base(base)
        self.ema = EMA(self.network, options.ema_decay)
        self.optimizer = self._make_optimizer()
        self.epoch = 0
        self.best = -1.0
        self.best_epoch = 0
        if begun:
            self._resume()

    def _load_base(self, base: Path) -> None:
        """Start from any YOLOv8n weights, detectors included, or from the `last.pt` of another attribute's run.

        The latter has already trained a head for this attribute beside its own: the two change places.
        """
        if not is_of_a_run(base):
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
                factor = 2.0 if name.startswith((HEAD, "auxiliary")) else 1.0
                decay = self.options.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((factor, decay), []).append(parameter)
        return torch.optim.AdamW(
            [{"params": found, "factor": factor, "weight_decay": decay} for (factor, decay), found in groups.items()],
            lr=self.options.learning_rate,
        )

    def load_samples(self, split: str) -> Samples:
        """Decode the crops of one split: wide canvases to augment for train, what the engine would cut for val."""
        images = self.dataset.select(split, self.options.attribute)
        own = label_indices(images, self.options.attribute, self.classes[self.options.attribute])
        if split == "train":
            images = [image for image, index in zip(images, own, strict=True) if index >= 0]
        size, margin = self.options.image_size, CROP_MARGIN
        if split == "train":
            size, margin = round(size * (1 + 2 * CANVAS_MARGIN) / (1 + 2 * CROP_MARGIN)), CANVAS_MARGIN
        self.report(f"decoding {len(images)} images of {split} at {size} px")
        targets = {name: label_indices(images, name, found) for name, found in self.classes.items()}
        return Samples(images, load_crops(images, size, margin), targets)

    def fit(self) -> None:
        """Train from the current epoch to the last one; none at all keeps what the start weights bring."""
        if self.options.epochs == 0:
            self.save_best()
        if self.epoch >= self.options.epochs or self.out_of_patience():
            return
        train, val = self.load_samples("train"), self.load_samples("val")
        balanced = [self.options.attribute, *filter(None, [self.options.balance_with])]
        draw = class_balanced_weights(np.stack([train.targets[name] for name in balanced], axis=1))
        while self.epoch < self.options.epochs and not self.out_of_patience():
            started = time.monotonic()
            loss = self._train_epoch(train, draw)
            self.epoch += 1
            metrics = classification_metrics(
                softmax(self.predict(val.crops)),
                val.targets[self.options.attribute],
                self.classes[self.options.attribute],
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
        order = torch.multinomial(draw, len(draw), replacement=True, generator=generator)
        batches = order.split(options.batch)
        size = self._epoch_size()
        total = 0.0
        for step, chosen in enumerate(batches):
            report_quarters(self.report, self.epoch, options.epochs, step, len(batches))
            self._set_learning_rate(self.epoch + step / len(batches))
            index = chosen.numpy()
            canvases = torch.from_numpy(train.crops.squares[index])
            windows = torch.from_numpy(train.crops.windows[index])
            images = augment(canvases, windows, size, self.augmentation, generator)
            targets = {name: one_hot(values[index], len(self.classes[name])) for name, values in train.targets.items()}
            images, targets = mix(images, targets, self.augmentation, generator)
            images = images.contiguous(memory_format=torch.channels_last).to(self.device)
            targets = {name: values.to(self.device) for name, values in targets.items()}
            logits, auxiliary = self.network(images)
            loss = soft_cross_entropy(logits, targets[options.attribute], options.label_smoothing)
            for name, values in auxiliary.items():
                loss = loss + options.auxiliary_weight * soft_cross_entropy(
                    values, targets[name], options.label_smoothing
                )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimizer.step()
            self.ema.update(self.network)
            total += loss.item() / len(batches)
        return total

    def _epoch_size(self) -> int:
        """Side of the training images: small ones first, while the network only finds its way.

        Even the last ones are smaller than those it serves, because cropping and zooming make garments appear larger
        in training than later (Touvron et al. 2019, "Fixing the train-test resolution discrepancy").
        """
        share = min(1.0, self.epoch / max(1.0, 0.6 * self.options.epochs))
        factor = self.options.first_size + (self.options.last_size - self.options.first_size) * share
        return max(32, round(self.options.image_size * factor / 32) * 32)

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
    def predict(self, crops: Crops) -> NDArray[np.float32]:
        """Logits (n, classes) of the averaged network, as it would be published."""
        own = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.ema.state)
        self.network.eval()
        logits = [
            (self.network(to_tensor(crops.squares[start : start + 64]).to(self.device))[0] + self.offsets).cpu().numpy()
            for start in range(0, len(crops.squares), 64)
        ]
        self.network.load_state_dict(own)
        return np.concatenate(logits)

    def save_best(self) -> None:
        """Write the averaged network as an ordinary ultralytics checkpoint that `YOLO(path)` loads."""
        model = build_model(self.classes[self.options.attribute])
        prefix = "model."
        state = {key.removeprefix(prefix): value for key, value in self.ema.state.items() if key.startswith(prefix)}
        bias = f"{HEAD.removeprefix(prefix)}.bias"
        state[bias] = state[bias] + self.offsets
        model.load_state_dict(state)
        save_model(model, self.run / "best.pt", self.options.image_size)

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
