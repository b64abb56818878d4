"""Fitting what a detector of top-level categories and the category classifier say together, on garments as found.

The detector's threshold, its temperature, the classifier's temperature and how much the detector counts depend on each
other: a classifier that is told the top-level category is surer, and one that sees boxes as they are found less so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.engine.crop_classifier import CropClassifier
from vision.engine.detector import Detections, Detector, top_categories
from vision.engine.manifest import GARMENT, MANIFEST_NAME, Manifest
from vision.engine.matching import match, overlaps
from vision.engine.preprocess import crop_garment
from vision.engine.results import Box
from vision.engine.runtime import load_networks
from vision.engine.taxonomy import CATEGORY, Taxonomy
from vision.evaluation.outfits import HARDLY_VISIBLE, LEAST_OVERLAP, LEAST_OVERLAP_ROUGH
from vision.evaluation.validation import FALSE_GARMENTS, RUNTIME_DRIFT
from vision.training.calibration import expected_calibration_error, fit_temperature, negative_log_likelihood, softmax
from vision.training.dataset import Dataset, LabelledImage, by_file, open_upright
from vision.training.files import write_json
from vision.training.run import Report

LOWEST = 0.1
"""Finds of a lower score are not looked at: no threshold is below."""
THRESHOLDS = tuple(percent / 100 for percent in range(20, 65))
WEIGHTS = tuple(tenth / 10 for tenth in range(16))
BATCH = 16
LEAST_PAIRS = 10


@dataclass(slots=True)
class Finds:
    """What was found in the images of val.

    Per garment that was found: the detector's scores of its classes, the classifier's logits, the index of the true
    category (-1: not offered), the find's score and that of the image's next best find. Besides, for each threshold:
    mistakes on complete images, which are garments missed and surplus boxes; and the best score in each image without
    a garment.
    """

    class_scores: list[NDArray[np.float32]] = field(default_factory=list)
    logits: list[NDArray[np.float32]] = field(default_factory=list)
    categories: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    mistakes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(THRESHOLDS), np.int64))
    without_garment: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What goes into the manifest; `error` is the expected calibration error of categories on val, with all of it.

    `outfit_temperature` is the classifier's in images with several garments; None where val has too few of them.
    """

    threshold: float
    finder_temperature: float
    temperature: float
    finder_weight: float
    error: float
    outfit_temperature: float | None = None


def calibrate_together(weights: Path, dataset: Dataset, report: Report) -> Fitted | None:
    """Fit both models of a weights folder on val and write what was found into its manifest.

    None, and no change, where its finder has no top-level categories, where it has no category classifier, or where
    hardly any garment of val is found.
    """
    manifest = Manifest.load(weights)
    finder, reader = manifest.models.get(GARMENT), manifest.models.get(CATEGORY)
    taxonomy = dataset.taxonomy
    if finder is None or reader is None or reader.task != "classify" or not top_categories(finder, taxonomy):
        return None
    networks = load_networks({GARMENT: finder, CATEGORY: reader}, "openvino")
    detector = Detector(replace(finder, threshold=LOWEST), networks[GARMENT], taxonomy)
    finds = _find(detector, CropClassifier(reader, networks[CATEGORY]), dataset)
    fitted = fit(finds, top_categories(finder, taxonomy), reader.classes, taxonomy)
    if fitted is None:
        report("too few garments of val were found to calibrate on")
        return None
    path = weights / MANIFEST_NAME
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    content["models"][GARMENT] |= {"threshold": fitted.threshold, "temperature": fitted.finder_temperature}
    content["models"][CATEGORY] |= {"temperature": fitted.temperature, "finder_weight": fitted.finder_weight}
    if fitted.outfit_temperature is not None:
        content["models"][CATEGORY]["outfit_temperature"] = fitted.outfit_temperature
    write_json(path, content)
    report(
        f"calibrated together: threshold {fitted.threshold}, finder's temperature {fitted.finder_temperature}, "
        f"temperature {fitted.temperature}, finder's weight {fitted.finder_weight}, ECE {fitted.error:.3f}"
    )
    return fitted


def fit(finds: Finds, top_levels: Sequence[str], classes: Sequence[str], taxonomy: Taxonomy) -> Fitted | None:
    """The threshold of fewest mistakes, then the temperatures and the weight of least negative log-likelihood.

    `top_levels` are what the detector's classes stand for, `classes` those of the classifier. The rule that a very sure
    detector has the last word is left out here: it makes no probabilities.
    """
    threshold = choose_threshold(finds)
    found = [number for number, score in enumerate(finds.scores) if score >= threshold]
    categories = np.array([finds.categories[number] for number in found], np.int64)
    if (categories >= 0).sum() < LEAST_PAIRS:
        return None
    logits = np.stack([finds.logits[number] for number in found])
    scores = np.log(np.maximum(np.stack([finds.class_scores[number] for number in found]), 1e-9))
    parents = [taxonomy.parent_of(CATEGORY, code) or code for code in classes]
    place = {name: index for index, name in enumerate(top_levels)}
    own = np.array([place.get(parents[index], -1) if index >= 0 else -1 for index in categories])
    finder_temperature = round(fit_temperature(scores, own), 4)
    least = int(np.argmin(scores.mean(axis=0)))
    columns = np.array([place.get(parent, least) for parent in parents])
    told = np.log(np.maximum(softmax(scores, finder_temperature), 1e-12))[:, columns]
    best: tuple[float, float, float] | None = None
    for weight in WEIGHTS:
        temperature = _fit_with(logits, weight * told, categories)
        loss = negative_log_likelihood(logits / temperature + weight * told, categories, 1.0)
        if best is None or loss < best[0] - 1e-4:  # of equal ones that which leaves more to the classifier
            best = loss, temperature, weight
    assert best is not None
    _, temperature, weight = best
    outfit = np.array([finds.beside[number] >= threshold for number in found])
    temperatures = np.full(len(found), temperature)
    apart = min((categories[outfit] >= 0).sum(), (categories[~outfit] >= 0).sum()) >= LEAST_PAIRS
    if apart:
        for part in (outfit, ~outfit):
            temperatures[part] = _fit_with(logits[part], weight * told[part], categories[part])
    alone = temperatures[~outfit][0] if apart else temperature
    error = expected_calibration_error(softmax(logits / temperatures[:, None] + weight * told), categories)
    several = round(float(temperatures[outfit][0]), 4) if apart else None
    return Fitted(threshold, finder_temperature, round(float(alone), 4), weight, error, several)


def _fit_with(logits: NDArray[np.floating], told: NDArray[np.floating], targets: NDArray[np.int64]) -> float:
    """The temperature of the logits alone, where what the detector told is added to them afterwards."""
    candidates = np.exp(np.linspace(math.log(0.3), math.log(4.0), 40))
    losses = [negative_log_likelihood(logits / value + told, targets, 1.0) for value in candidates]
    return float(candidates[int(np.argmin(losses))])


def choose_threshold(finds: Finds) -> float:
    """The threshold of fewest mistakes among those at which images without a garment rarely yield one."""
    empty = np.array(finds.without_garment)
    silent = [not len(empty) or (empty >= value - RUNTIME_DRIFT).mean() <= FALSE_GARMENTS for value in THRESHOLDS]
    if not any(silent):
        return THRESHOLDS[-1]
    allowed = np.where(silent, finds.mistakes, np.iinfo(np.int64).max)
    return THRESHOLDS[int(np.argmin(allowed))]


def _find(detector: Detector, classifier: CropClassifier, dataset: Dataset) -> Finds:
    """Look for the garments of val, and at each that is found."""
    finds = Finds()
    files = by_file(dataset.select("val"))
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        images = [open_upright(rows[0].path) for rows in batch]
        crops, pairs = [], []
        for rows, image, found in zip(batch, images, detector.find(images), strict=True):
            if rows[0].box is None:
                finds.without_garment.append(float(found.scores.max(initial=0.0)))
                continue
            matched = _match(rows, found)
            if rows[0].complete:
                finds.mistakes += _mistakes(rows, found, matched)
            for number, index in matched.items():
                if rows[number].labels.get(CATEGORY) and HARDLY_VISIBLE not in rows[number].flag:
                    x1, y1, x2, y2 = (float(edge) for edge in found.boxes[index])
                    box: Box = (x1, y1, x2, y2)
                    crops.append(crop_garment(image, box, classifier.spec.shapes, classifier.spec.margin))
                    pairs.append((rows[number].labels[CATEGORY], found, index))
        if crops:
            first = classifier.spec.first_output
            output = classifier.run(crops)[:, first : first + len(classifier.spec.classes)]
            finds.logits += list(output)
        classes = list(classifier.spec.classes)
        for category, found, index in pairs:
            finds.categories.append(classes.index(category) if category in classes else -1)
            finds.class_scores.append(found.class_scores[index])
            finds.scores.append(float(found.scores[index]))
            finds.beside.append(float(np.delete(found.scores, index).max(initial=0.0)))
    return finds


def _match(rows: Sequence[LabelledImage], found: Detections) -> dict[int, int]:
    """Which find is which row's garment, by the overlap that the row's box asks for."""
    shared = overlaps(np.array([row.box for row in rows], np.float32), found.boxes)
    least = np.array([LEAST_OVERLAP if row.box_ok else LEAST_OVERLAP_ROUGH for row in rows])
    return match(np.where(shared >= least[:, None], shared, 0.0).astype(np.float32), LEAST_OVERLAP_ROUGH)


def _mistakes(rows: Sequence[LabelledImage], found: Detections, matched: dict[int, int]) -> NDArray[np.int64]:
    """At each threshold, the garments that are missed and the finds that are none; hardly visible ones are neither."""
    surplus = [float(score) for index, score in enumerate(found.scores) if index not in matched.values()]
    targets = [
        float(found.scores[matched[number]]) if number in matched else 0.0
        for number, row in enumerate(rows)
        if row.labels.get(CATEGORY) and HARDLY_VISIBLE not in row.flag
    ]
    return np.array(
        [sum(score < value for score in targets) + sum(score >= value for score in surplus) for value in THRESHOLDS]
    )
