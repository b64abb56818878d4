"""Precision, recall and average precision of a detector, as ultralytics measures them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.engine.compat import prepare_ultralytics
from classifier.engine.manifest import GARMENT
from classifier.engine.matching import Boxes, overlaps
from classifier.engine.preprocess import letterbox, to_batch
from classifier.engine.runtime import Network
from classifier.training.dataset import Photograph, open_upright
from classifier.training.evaluation.readings import BATCH

# The defaults of ultralytics' validator, with which the tables of the original system were made.
LEAST_SCORE = 0.001
OVERLAP_LIMIT = 0.7
MOST_DETECTIONS = 300
# A patience that does not run out: what is not done in time would be left out of the figures.
SECONDS_FOR_ONE = 3600.0


def detection_rows(
    network: Network, image_size: int, role: str, codes: Sequence[str], photographs: Sequence[Photograph]
) -> list[dict[str, Any]]:
    """P, R, mAP50 and mAP50-95 over all classes and of each one, as the rows of ultralytics' table.

    `codes` are the values that the network's classes stand for. Photographs whose box is rough, or whose label is none
    of these values, are left out; those without a garment count. The pictures are prepared by the engine, everything
    after the network is ultralytics': suppression within each class with several labels to a box, matching at IoU 0.50
    to 0.95, average precision over 101 points. P and R are those at the score of the best mean F1.

    Returns no row if no photograph is left that shows a garment.
    """
    prepare_ultralytics()
    from ultralytics.models.yolo.detect import DetectionValidator
    from ultralytics.utils.metrics import ap_per_class

    names = list(dict.fromkeys(codes))
    index_of_class = np.array([names.index(code) for code in codes])
    chosen = [photograph for photograph in photographs if _counts(photograph, role, names)]
    targets = [_targets(photograph, role, names) for photograph in chosen]
    if not any(len(target) for target in targets):
        return []
    with tempfile.TemporaryDirectory() as folder:  # the validator wants one, but writes nothing
        validator = DetectionValidator(save_dir=Path(folder))
    correct, scores, said = [], [], []
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        for photograph, target, found in zip(
            batch, targets[start : start + BATCH], _detect(network, image_size, batch), strict=True
        ):
            boxes, score, classes = found
            indices = index_of_class[classes]
            correct.append(_match(validator, photograph, target, boxes, indices))
            scores.append(score)
            said.append(indices)
    results = ap_per_class(
        np.concatenate(correct), np.concatenate(scores), np.concatenate(said), np.concatenate(targets)
    )
    precision, recall, average = results[2], results[3], results[5]
    order = results[6].tolist()
    whole = _row("all", len(chosen), np.concatenate(targets).size, precision.mean(), recall.mean(), average)
    rows = [whole]
    for index, name in enumerate(names):
        if index in order:
            at = order.index(index)
            images = sum(index in target for target in targets)
            rows.append(_row(name, images, images, precision[at], recall[at], average[at : at + 1]))
    return rows


def _row(
    name: str, images: int, boxes: int, precision: float, recall: float, average: NDArray[np.floating]
) -> dict[str, Any]:
    return {
        "class": name,
        "images": images,
        "boxes": boxes,
        "precision": float(precision),
        "recall": float(recall),
        "map50": float(average[:, 0].mean()),
        "map50_95": float(average.mean()),
    }


def _counts(photograph: Photograph, role: str, names: Sequence[str]) -> bool:
    return photograph.box is None or (photograph.box_ok and _name(photograph, role) in names)


def _name(photograph: Photograph, role: str) -> str:
    return GARMENT if role == GARMENT else photograph.labels[role]


def _targets(photograph: Photograph, role: str, names: Sequence[str]) -> NDArray[np.intp]:
    """The class indices of the true boxes: one, or none."""
    return np.array([] if photograph.box is None else [names.index(_name(photograph, role))], np.intp)


def _detect(
    network: Network, image_size: int, photographs: Sequence[Photograph]
) -> list[tuple[Boxes, NDArray[np.float32], NDArray[np.intp]]]:
    """Boxes as fractions, scores and classes of each photograph, by falling score."""
    import torch
    from ultralytics.utils.nms import non_max_suppression

    images = [open_upright(photograph.path) for photograph in photographs]
    squares = [letterbox(image, image_size) for image in images]
    raw = network.infer(to_batch([square for square, _ in squares]))
    kept = non_max_suppression(
        torch.from_numpy(raw),
        LEAST_SCORE,
        OVERLAP_LIMIT,
        multi_label=True,
        max_det=MOST_DETECTIONS,
        max_time_img=SECONDS_FOR_ONE,
    )
    found = []
    for rows, image, (_, geometry) in zip(kept, images, squares, strict=True):
        values = rows.numpy()
        boxes = geometry.to_fractions(values[:, :4], image.width, image.height)
        found.append((boxes, values[:, 4], values[:, 5].astype(np.intp)))
    return found


def _match(
    validator: Any, photograph: Photograph, target: NDArray[np.intp], boxes: Boxes, said: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which boxes (n) are right at each of the ten overlaps, as (n, 10)."""
    import torch

    if photograph.box is None or not len(boxes):
        return np.zeros((len(boxes), validator.niou), bool)
    shared = torch.from_numpy(overlaps(np.array([photograph.box], np.float32), boxes))
    correct: NDArray[np.bool_] = validator.match_predictions(
        torch.from_numpy(said), torch.from_numpy(target), shared
    ).numpy()
    return correct
