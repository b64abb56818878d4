"""Precision, recall and average precision of a detector, as ultralytics measures them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.engine.compat import prepare_ultralytics
from vision.engine.matching import Boxes, overlaps
from vision.engine.preprocess import letterbox, to_batch
from vision.engine.results import Box
from vision.engine.runtime import Network
from vision.engine.taxonomy import Taxonomy
from vision.evaluation.readings import BATCH
from vision.training.dataset import LabelledImage, by_file, open_upright, true_boxes

# The defaults of ultralytics' validator, with which the tables of the original system were made.
LEAST_SCORE = 0.001
OVERLAP_LIMIT = 0.7
MOST_DETECTIONS = 300
# A patience that does not run out: what is not done in time would be left out of the metrics.
SECONDS_FOR_ONE = 3600.0


def detection_rows(
    network: Network,
    image_size: int,
    role: str,
    codes: Sequence[str],
    images: Sequence[LabelledImage],
    taxonomy: Taxonomy | None = None,
) -> list[dict[str, Any]]:
    """P, R, mAP50 and mAP50-95 over all classes and of each one, as the rows of ultralytics' table.

    `codes` are the values that the network's classes stand for; `taxonomy`, by default the project's, says which
    garments cannot have one. Images with a rough box, or with a garment whose value is unknown or none of these,
    are left out; those without a garment count. The engine prepares the annotated,
    everything after the network is ultralytics': suppression within each class with several labels to a box, matching
    at IoU 0.50 to 0.95, average precision over 101 points. P and R are those at the score of the best mean F1.

    Returns no row if no image is left that shows a garment.
    """
    prepare_ultralytics()
    from ultralytics.models.yolo.detect import DetectionValidator
    from ultralytics.utils.metrics import ap_per_class

    names = list(dict.fromkeys(codes))
    index_of_class = np.array([names.index(code) for code in codes])
    taxonomy = taxonomy or Taxonomy.load()
    annotated = [
        _Annotated(rows[0].path, targets)
        for rows in by_file(images)
        if (targets := true_boxes(rows, role, names, taxonomy)) is not None
    ]
    if not any(one.targets for one in annotated):
        return []
    with tempfile.TemporaryDirectory() as folder:  # the validator wants one, but writes nothing
        validator = DetectionValidator(save_dir=Path(folder))
    correct, scores, said = [], [], []
    for start in range(0, len(annotated), BATCH):
        batch = annotated[start : start + BATCH]
        for one, (boxes, score, classes) in zip(batch, _detect(network, image_size, batch), strict=True):
            indices = index_of_class[classes]
            correct.append(_match(validator, one, boxes, indices))
            scores.append(score)
            said.append(indices)
    true = np.array([index for one in annotated for index, _ in one.targets])
    results = ap_per_class(np.concatenate(correct), np.concatenate(scores), np.concatenate(said), true)
    precision, recall, average, present = results[2], results[3], results[5], results[6].tolist()
    rows = [_row("all", len(annotated), len(true), precision.mean(), recall.mean(), average)]
    for at, index in enumerate(present):
        shown = sum(any(index == target for target, _ in one.targets) for one in annotated)
        count = int((true == index).sum())
        rows.append(_row(names[index], shown, count, precision[at], recall[at], average[at : at + 1]))
    return rows


@dataclass(frozen=True, slots=True)
class _Annotated:
    """An image with the class index and the box of each of its garments."""

    path: Path
    targets: tuple[tuple[int, Box], ...]


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


def _detect(
    network: Network, image_size: int, annotated: Sequence[_Annotated]
) -> list[tuple[Boxes, NDArray[np.float32], NDArray[np.intp]]]:
    """Boxes as fractions, scores and classes of each image, by falling score."""
    import torch
    from ultralytics.utils.nms import non_max_suppression

    opened = [open_upright(one.path) for one in annotated]
    squares = [letterbox(image, (image_size, image_size)) for image in opened]
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
    for rows, image, (_, geometry) in zip(kept, opened, squares, strict=True):
        values = rows.numpy()
        boxes = geometry.to_fractions(values[:, :4], image.width, image.height)
        found.append((boxes, values[:, 4], values[:, 5].astype(np.intp)))
    return found


def _match(validator: Any, one: _Annotated, boxes: Boxes, said: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which boxes (n) are right at each of the ten overlaps, as (n, 10)."""
    import torch

    if not one.targets or not len(boxes):
        return np.zeros((len(boxes), validator.niou), bool)
    classes = torch.tensor([index for index, _ in one.targets])
    shared = torch.from_numpy(overlaps(np.array([box for _, box in one.targets], np.float32), boxes))
    correct: NDArray[np.bool_] = validator.match_predictions(torch.from_numpy(said), classes, shared).numpy()
    return correct
