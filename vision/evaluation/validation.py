"""Validation of a run's weights on val: the content of metrics.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.engine.crop_classifier import CropClassifier
from vision.engine.detector import Detector
from vision.engine.manifest import GARMENT, ModelSpec
from vision.engine.runtime import MirroredNetwork, Tensor, TorchNetwork
from vision.evaluation.detection import detection_rows
from vision.evaluation.metrics import garment_metrics
from vision.evaluation.readings import (
    NOTHING,
    Reading,
    labelled,
    read_probabilities,
    read_with_detector,
)
from vision.training.calibration import (
    BINS,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)
from vision.training.dataset import Dataset, LabelledImage, label_indices, load_crops
from vision.training.metrics import classification_metrics, confusion_matrix

LOWEST_THRESHOLD = 0.25
FALSE_GARMENTS = 1 / 10
# OpenVINO and a worker's faster decoding move a score by about this much.
RUNTIME_DRIFT = 0.02


@dataclass(frozen=True, slots=True)
class Validation:
    """The content of metrics.json, the confusion (a row for each true class) and what was said of each image."""

    metrics: dict[str, Any]
    confusion: list[list[int]]
    readings: list[Reading]


def evaluate_classifier(
    dataset: Dataset,
    checkpoint: Path,
    attribute: str,
    classes: Sequence[str],
    image_size: int,
    mirror: Path | None = None,
) -> Validation:
    """Scores, calibration and confusion on val, on crops by the true boxes and their mirror images, as in service.

    `mirror` is the checkpoint that looks at the mirror images, if it is another one. Classes that are not offered
    count as wrong.
    """
    images = dataset.select("val", attribute)
    straight, mirrored = (
        TorchNetwork(path.read_bytes(), task="classify", device="cpu") for path in (checkpoint, mirror or checkpoint)
    )
    spec = ModelSpec(attribute, attribute, "classify", tuple(classes), image_size, {})
    logits = crop_outputs(images, CropClassifier(spec, MirroredNetwork(straight, mirrored)))
    targets = label_indices(images, attribute, classes)
    temperature = fit_temperature(logits, targets)
    before, after = softmax(logits), softmax(logits, temperature)
    metrics = {
        "val": classification_metrics(after, targets, classes),
        "calibration": {
            "bins": BINS,
            "temperature": round(temperature, 4),
            "ece_before": expected_calibration_error(before, targets),
            "ece_after": expected_calibration_error(after, targets),
            "nll_before": negative_log_likelihood(logits, targets, 1.0),
            "nll_after": negative_log_likelihood(logits, targets, temperature),
        },
    }
    confusion = confusion_matrix(after.argmax(axis=1), targets, len(classes)).tolist()
    return Validation(metrics, confusion, read_probabilities(images, attribute, classes, after))


def crop_outputs(images: Sequence[LabelledImage], classifier: CropClassifier) -> Tensor:
    """A classifier's raw output (n, outputs) for the garments in the true boxes, cut as the engine cuts them."""
    squares = load_crops(images, classifier.spec.input_size, classifier.spec.margin).squares
    return classifier.run(list(squares.transpose(0, 2, 3, 1)))


def evaluate_detector(
    dataset: Dataset, checkpoint: Path, role: str, classes: Sequence[str], image_size: int
) -> Validation:
    """Scores and confusion on val: what the most confident box of each image says.

    The threshold is chosen here: the lowest one from LOWEST_THRESHOLD on at which at most FALSE_GARMENTS of the
    images without a garment yield one.
    """
    spec = ModelSpec(role, role, "detect", tuple(classes), image_size, {}, threshold=LOWEST_THRESHOLD)
    network = TorchNetwork(checkpoint.read_bytes(), task="detect", device="cpu")
    images = dataset.select("val")
    readings = read_with_detector(Detector(spec, network, dataset.taxonomy), images, classes)
    threshold = choose_threshold([reading.score for reading in readings if reading.image.box is None])
    threshold = round(threshold + RUNTIME_DRIFT, 2)
    readings = [reading if reading.score >= threshold else _silenced(reading) for reading in readings]
    measured: dict[str, Any] = {"threshold": threshold, **garment_metrics(readings)}
    table = detection_rows(network, image_size, role, classes, images, dataset.taxonomy)
    metrics = {"val": measured, "detection": table}
    if role == GARMENT:
        found = sum(reading.image.box is not None and reading.box is not None for reading in readings)
        return Validation(metrics, [[found]], readings)
    examples = labelled(readings, role)
    targets = label_indices((reading.image for reading in examples), role, classes)
    # One more column for "nothing found", which is right for nobody.
    columns = [*classes, NOTHING]
    said = np.array([columns.index(reading.answer(role).value) for reading in examples])
    classified = classification_metrics(np.eye(len(columns))[said], targets, columns)
    del classified["top3"], classified["per_class"][NOTHING]
    measured |= classified
    return Validation(metrics, confusion_matrix(said, targets, len(columns))[:-1].tolist(), readings)


def _silenced(reading: Reading) -> Reading:
    return replace(reading, box=None, score=0.0, said=dict.fromkeys(reading.said, ()))


def choose_threshold(scores_without_garment: Sequence[float]) -> float:
    """The lowest score from LOWEST_THRESHOLD on, in steps of 0.01, that keeps false garments rare."""
    scores: NDArray[np.float64] = np.array(scores_without_garment, np.float64)
    for percent in range(round(LOWEST_THRESHOLD * 100), 95):
        if not len(scores) or (scores >= percent / 100).mean() <= FALSE_GARMENTS:
            return percent / 100
    return 0.95
