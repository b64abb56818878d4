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
from vision.engine.runtime import MirroredNetwork, Network, Tensor, TorchNetwork
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.evaluation.detection import detection_rows
from vision.evaluation.metrics import garment_metrics
from vision.evaluation.readings import (
    NOTHING,
    TOP_LEVEL,
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
from vision.training.dataset import Dataset, LabelledImage, label_indices, served_crops
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
    shapes: Sequence[tuple[int, int]],
    mirror: Path | None = None,
    *,
    mirrored: bool = True,
) -> Validation:
    """Scores, calibration and confusion on val, on crops by the true boxes, as in service.

    A `mirrored` network looks at their mirror images as well, or that of the checkpoint `mirror` does. Classes that are
    not offered count as wrong. Where some of the garments are worn, these and the others have figures of their own.
    """
    images = dataset.select("val", attribute)
    network: Network = TorchNetwork(checkpoint.read_bytes(), task="classify", device="cpu")
    if mirrored:
        other = TorchNetwork(mirror.read_bytes(), task="classify", device="cpu") if mirror else network
        network = MirroredNetwork(network, other)
    spec = ModelSpec(attribute, attribute, "classify", tuple(classes), shapes[0][0], {}, input_shapes=tuple(shapes[1:]))
    logits = crop_outputs(images, CropClassifier(spec, network))
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
    if any(image.worn for image in images):
        metrics["kinds"] = _by_kind(images, after, targets, classes)
    confusion = confusion_matrix(after.argmax(axis=1), targets, len(classes)).tolist()
    return Validation(metrics, confusion, read_probabilities(images, attribute, classes, after))


def _by_kind(
    images: Sequence[LabelledImage],
    probabilities: NDArray[np.floating],
    targets: NDArray[np.int64],
    classes: Sequence[str],
) -> dict[str, dict[str, float]]:
    """The figures and the calibration error of flat and of worn garments."""
    worn = np.array([image.worn for image in images])
    figures = {}
    for kind, rows in (("flat", ~worn), ("worn", worn)):
        if rows.any():
            found = classification_metrics(probabilities[rows], targets[rows], classes)
            error = expected_calibration_error(probabilities[rows], targets[rows])
            kept = ("n", "top1", "top3", "macro_f1", "macro_classes")
            figures[kind] = {name: found[name] for name in kept} | {"ece": error}
    return figures


def crop_outputs(images: Sequence[LabelledImage], classifier: CropClassifier) -> Tensor:
    """A classifier's raw output (n, outputs) for the garments in the true boxes, cut as the engine cuts them."""
    return classifier.run(served_crops(images, classifier.spec.shapes, classifier.spec.margin))


def evaluate_detector(
    dataset: Dataset, checkpoint: Path, role: str, classes: Sequence[str], shapes: Sequence[tuple[int, int]]
) -> Validation:
    """Scores and confusion on val: what the most confident box of each image says.

    The threshold is chosen here: the lowest one from LOWEST_THRESHOLD on at which at most FALSE_GARMENTS of the
    images without a garment yield one.
    """
    size, narrow = shapes[0][0], tuple(shapes[1:])
    spec = ModelSpec(role, role, "detect", tuple(classes), size, {}, threshold=LOWEST_THRESHOLD, input_shapes=narrow)
    network = TorchNetwork(checkpoint.read_bytes(), task="detect", device="cpu")
    images = dataset.select("val")
    readings = read_with_detector(Detector(spec, network, dataset.taxonomy), images, classes)
    threshold = choose_threshold([reading.score for reading in readings if reading.image.box is None])
    threshold = round(threshold + RUNTIME_DRIFT, 2)
    readings = [reading if reading.score >= threshold else _silenced(reading) for reading in readings]
    measured: dict[str, Any] = {"threshold": threshold, **garment_metrics(readings)}
    table = detection_rows(network, size, role, classes, images, dataset.taxonomy)
    metrics = {"val": measured, "detection": table}
    if role == GARMENT and len(classes) > 1:
        confusion = _top_level_confusion(readings, classes, dataset.taxonomy)
        measured["top_level"] = float(np.trace(confusion) / max(1, confusion[:, :-1].sum()))
        return Validation(metrics, confusion.tolist(), readings)
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


def _top_level_confusion(readings: Sequence[Reading], classes: Sequence[str], taxonomy: Taxonomy) -> NDArray[np.int64]:
    """A row for each top-level category, a column for each and one for nothing found."""
    columns = [*classes, NOTHING]
    pairs = [
        (columns.index(str(parent)), columns.index(reading.answer(TOP_LEVEL).value))
        for reading in readings
        if (parent := taxonomy.parent_of(CATEGORY, reading.image.labels.get(CATEGORY, ""))) in classes
    ]
    targets, said = np.array(pairs, np.int64).reshape(-1, 2).T
    return confusion_matrix(said, targets, len(columns))[:-1]


def _silenced(reading: Reading) -> Reading:
    return replace(reading, box=None, score=0.0, said=dict.fromkeys(reading.said, ()))


def choose_threshold(scores_without_garment: Sequence[float]) -> float:
    """The lowest score from LOWEST_THRESHOLD on, in steps of 0.01, that keeps false garments rare."""
    scores: NDArray[np.float64] = np.array(scores_without_garment, np.float64)
    for percent in range(round(LOWEST_THRESHOLD * 100), 95):
        if not len(scores) or (scores >= percent / 100).mean() <= FALSE_GARMENTS:
            return percent / 100
    return 0.95
