"""What finished weights are worth on val: the figures of metrics.json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.crop_classifier import CropClassifier
from classifier.engine.detector import Detector
from classifier.engine.manifest import GARMENT, ModelSpec
from classifier.engine.matching import overlaps
from classifier.engine.preprocess import CROP_MARGIN
from classifier.engine.runtime import MirroredNetwork, TorchNetwork
from classifier.training.calibration import (
    BINS,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    softmax,
)
from classifier.training.dataset import Dataset, Photograph, label_indices, load_crops, open_upright
from classifier.training.scores import classification_scores, confusion_matrix

BATCH = 16
LOWEST_THRESHOLD = 0.25
FALSE_GARMENTS = 1 / 10
# OpenVINO and a worker's faster decoding move a score by about this much.
RUNTIME_DRIFT = 0.02


def evaluate_classifier(
    dataset: Dataset,
    checkpoint: Path,
    attribute: str,
    classes: Sequence[str],
    image_size: int,
    mirror: Path | None = None,
) -> dict[str, Any]:
    """Scores, calibration and confusion on val, on crops by the true boxes and their mirror images, as in service.

    `mirror` is the checkpoint that looks at the mirror images, if it is another one. Classes that are not offered
    count as wrong.
    """
    photographs = dataset.select("val", attribute)
    squares = load_crops(photographs, image_size, CROP_MARGIN).squares.transpose(0, 2, 3, 1)
    spec = ModelSpec(attribute, attribute, "classify", tuple(classes), image_size, {})
    straight, mirrored = (
        TorchNetwork(path.read_bytes(), task="classify", device="cpu") for path in (checkpoint, mirror or checkpoint)
    )
    network = MirroredNetwork(straight, mirrored)
    logits = CropClassifier(spec, network).run(list(squares))
    targets = label_indices(photographs, attribute, classes)
    temperature = fit_temperature(logits, targets)
    before, after = softmax(logits), softmax(logits, temperature)
    return {
        "val": classification_scores(after, targets, classes),
        "calibration": {
            "bins": BINS,
            "temperature": round(temperature, 4),
            "ece_before": expected_calibration_error(before, targets),
            "ece_after": expected_calibration_error(after, targets),
            "nll_before": negative_log_likelihood(logits, targets, 1.0),
            "nll_after": negative_log_likelihood(logits, targets, temperature),
        },
        "confusion": confusion_matrix(after.argmax(axis=1), targets, len(classes)).tolist(),
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """The most confident detection in a photograph: score 0 and class -1 if there is none."""

    photograph: Photograph
    score: float
    index: int
    overlap: float


def evaluate_detector(
    dataset: Dataset, checkpoint: Path, role: str, classes: Sequence[str], image_size: int
) -> dict[str, Any]:
    """Scores and confusion on val: what the most confident box of each photograph says.

    The threshold is chosen here: the lowest one from LOWEST_THRESHOLD on at which at most FALSE_GARMENTS of the
    photographs without a garment yield one.
    """
    spec = ModelSpec(role, role, "detect", tuple(classes), image_size, {}, threshold=LOWEST_THRESHOLD)
    detector = Detector(spec, TorchNetwork(checkpoint.read_bytes(), task="detect", device="cpu"))
    answers = list(_answers(detector, dataset.select("val")))
    threshold = choose_threshold([answer.score for answer in answers if answer.photograph.box is None])
    threshold = round(threshold + RUNTIME_DRIFT, 2)
    negatives = [answer for answer in answers if answer.photograph.box is None]
    garments = [answer for answer in answers if answer.photograph.box is not None]
    found = [answer for answer in garments if answer.score >= threshold]
    exact = [answer.overlap for answer in found if answer.photograph.box_ok]
    figures: dict[str, Any] = {
        "threshold": threshold,
        "garments": len(garments),
        "recall": len(found) / max(1, len(garments)),
        "negatives": len(negatives),
        "negatives_with_garment": sum(answer.score >= threshold for answer in negatives) / max(1, len(negatives)),
        "median_iou": float(np.median(exact)) if exact else 0.0,
        "iou_n": len(exact),
        "share_iou_over_half": float(np.mean([overlap > 0.5 for overlap in exact])) if exact else 0.0,
    }
    if role == GARMENT:
        return {"val": figures, "confusion": [[len(found)]]}
    labelled = [answer for answer in garments if answer.photograph.labels[role]]
    targets = label_indices((answer.photograph for answer in labelled), role, classes)
    said = np.array([answer.index if answer.score >= threshold else len(classes) for answer in labelled])
    # One more column for "nothing found", which is right for nobody.
    certain = np.eye(len(classes) + 1)[said]
    scores = classification_scores(certain, targets, [*classes, "(nothing)"])
    del scores["top3"], scores["per_class"]["(nothing)"]
    confusion = confusion_matrix(said, targets, len(classes) + 1)[:-1]
    return {"val": figures | scores, "confusion": confusion.tolist()}


def _answers(detector: Detector, photographs: Sequence[Photograph]) -> Iterator[Answer]:
    for start in range(0, len(photographs), BATCH):
        batch = photographs[start : start + BATCH]
        for photograph, found in zip(batch, detector.find([open_upright(item.path) for item in batch]), strict=True):
            if not len(found.scores):
                yield Answer(photograph, 0.0, -1, 0.0)
                continue
            overlap = 0.0
            if photograph.box is not None:
                overlap = float(overlaps(found.boxes[:1], np.array([photograph.box], np.float32))[0, 0])
            yield Answer(photograph, float(found.scores[0]), int(found.classes[0]), overlap)


def choose_threshold(scores_without_garment: Sequence[float]) -> float:
    """The lowest score from LOWEST_THRESHOLD on, in steps of 0.01, that keeps false garments rare."""
    scores: NDArray[np.float64] = np.array(scores_without_garment, np.float64)
    for percent in range(round(LOWEST_THRESHOLD * 100), 95):
        if not len(scores) or (scores >= percent / 100).mean() <= FALSE_GARMENTS:
            return percent / 100
    return 0.95
