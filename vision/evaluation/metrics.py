"""Metrics of a model, from what it said of labelled images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision.engine.manifest import GARMENT
from vision.evaluation.readings import NOTHING, Reading, labelled
from vision.training.calibration import calibration_error, reliability_bins
from vision.training.metrics import classification_metrics, confusion_matrix, coverage_rows


def garment_metrics(readings: Sequence[Reading]) -> dict[str, Any]:
    """How many garments are found, how well their boxes fit, and how often something else passes as one.

    Only good boxes are compared; one that was not found overlaps by 0.
    """
    garments = [reading for reading in readings if reading.image.box is not None]
    negatives = [reading for reading in readings if reading.image.box is None]
    exact = [reading.overlap for reading in garments if reading.image.box_ok]
    return {
        "garments": len(garments),
        "recall": _share([reading.box is not None for reading in garments]),
        "negatives": len(negatives),
        "negatives_with_garment": _share([reading.box is not None for reading in negatives]),
        "median_iou": float(np.median(exact)) if exact else 0.0,
        "iou_n": len(exact),
        "share_iou_over_half": _share([overlap > 0.5 for overlap in exact]),
    }


def attribute_metrics(readings: Sequence[Reading], attribute: str) -> dict[str, Any]:
    """Top-1, top-3, macro-F1, calibration, coverage and confusion over the images that carry a label.

    Nothing found, and a class that the model does not know, are wrong. An image of which nothing was said has no
    confidence: it does not count in the calibration, and is never covered.
    """
    examples = labelled(readings, attribute)
    truths = [reading.truth(attribute) for reading in examples]
    known = {value.value for reading in examples for value in reading.said[attribute]}
    classes = [*sorted(known | set(truths)), NOTHING]
    place = {name: index for index, name in enumerate(classes)}
    probabilities = np.zeros((len(examples), len(classes)))
    for row, reading in zip(probabilities, examples, strict=True):
        row[place[NOTHING]] = not reading.said[attribute]
        for value in reading.said[attribute]:
            row[place[value.value]] = value.confidence
    targets = np.array([place[truth] for truth in truths], np.int64)
    first = probabilities.argmax(axis=1)
    spoken = first != place[NOTHING]
    confidence, right = np.where(spoken, probabilities.max(axis=1), 0.0), first == targets
    bins = reliability_bins(confidence[spoken], right[spoken])
    metrics = classification_metrics(probabilities, targets, classes)
    del metrics["per_class"][NOTHING], metrics["not_offered"]
    return metrics | {
        "ece": calibration_error(bins),
        "reliability": bins,
        "coverage": coverage_rows(confidence, right),
        "confusion": {
            "rows": classes[:-1],
            "columns": classes,
            "counts": confusion_matrix(first, targets, len(classes))[:-1].tolist(),
        },
    }


def topics_of(readings: Sequence[Reading], *, finds_garments: bool) -> list[str]:
    """What can be judged in these readings: `garment`, and the attributes that the model says and people labelled."""
    attributes = readings[0].said if readings else {}
    return [GARMENT] * finds_garments + [name for name in attributes if labelled(readings, name)]


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
