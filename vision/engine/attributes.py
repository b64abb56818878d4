"""Reading one attribute of every garment in a batch of images, with a model of either kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .crop_classifier import CropClassifier, best_values, combined, visible_shares
from .detector import Detections, Detector
from .manifest import NOT_VISIBLE, ModelSpec
from .matching import match, overlaps
from .preprocess import Shapes, crop_garment
from .results import AttributeResult, Box
from .runtime import Tensor
from .taxonomy import CATEGORY, Taxonomy

LEAST_OVERLAP = 0.3
"""A detector's box says something about a garment only if they overlap by this much (IoU)."""


@dataclass(slots=True)
class Subject:
    """A garment that was found in image number `image` of a batch, and what is known of it so far.

    `top_levels` is how probable the detector takes each top-level category to be, empty where it does not say.
    `outfit`: other garments were found in the image too. `hidden` lists the attributes that the image does not show.
    """

    image: int
    box: Box
    confidence: float
    top_levels: Mapping[str, float] = field(default_factory=dict)
    outfit: bool = False
    attributes: dict[str, AttributeResult | None] = field(default_factory=dict)
    hidden: list[str] = field(default_factory=list)


class Crops:
    """The garments' crops of one batch, and what networks made of them.

    Each is cut once for all models that want it in the same shapes and margin, and shown once to each network, however
    many models share that.
    """

    def __init__(self, images: Sequence[Image.Image]) -> None:
        self.images = images
        self._cut: dict[tuple[int, Box, Shapes, float], NDArray[np.uint8]] = {}
        self._outputs: dict[tuple[int, int, Box], Tensor] = {}

    def of(self, subject: Subject, shapes: Shapes, margin: float) -> NDArray[np.uint8]:
        """The garment in the nearest of `shapes`: (height, width, 3) RGB bytes."""
        key = (subject.image, subject.box, shapes, margin)
        if key not in self._cut:
            self._cut[key] = crop_garment(self.images[subject.image], subject.box, shapes, margin)
        return self._cut[key]

    def outputs(self, subjects: Sequence[Subject], classifier: CropClassifier) -> Tensor:
        """The raw outputs (n, outputs) of the classifier's network for these garments."""
        spec = classifier.spec
        keys = [(id(classifier.network), subject.image, subject.box) for subject in subjects]
        new = {key: subject for key, subject in zip(keys, subjects, strict=True) if key not in self._outputs}
        if new:
            rows = classifier.run([self.of(subject, spec.shapes, spec.margin) for subject in new.values()])
            self._outputs.update(zip(new, rows, strict=True))
        return np.stack([self._outputs[key] for key in keys])


class NotVisible:
    """What a model says of an attribute that an image does not show, as the sleeves under a coat."""


Answer = AttributeResult | NotVisible | None
"""A value, that it cannot be seen, or nothing."""


class Reader(Protocol):
    """Gives each of some garments its answer for one attribute, None where the model has nothing to say."""

    spec: ModelSpec

    def read(self, subjects: Sequence[Subject], crops: Crops) -> Sequence[Answer]: ...


class ClassifierReader:
    """Looks at each garment's crop."""

    def __init__(self, classifier: CropClassifier, taxonomy: Taxonomy) -> None:
        self.spec = classifier.spec
        self._classifier = classifier
        self._taxonomy = taxonomy
        self._codes = [taxonomy.code_of(self.spec.role, name) for name in self.spec.classes]

    def read(self, subjects: Sequence[Subject], crops: Crops) -> Sequence[Answer]:
        outfit = [subject.outfit for subject in subjects]
        probabilities = self._classifier.probabilities(crops.outputs(subjects, self._classifier), outfit)
        return [self._answer(subject, row) for subject, row in zip(subjects, probabilities, strict=True)]

    def _answer(self, subject: Subject, probabilities: Tensor) -> Answer:
        shares = visible_shares(probabilities, self._codes)
        if shares is None:
            return NotVisible()
        if self.spec.role == CATEGORY and subject.top_levels:
            shares = combined(shares, subject.top_levels, self.spec.finder_weight, self._taxonomy)
        return best_values(shares, self.spec, self._taxonomy) if shares else None


class DetectorReader:
    """Looks at whole images; each of its boxes belongs to at most one garment, so that the overlaps sum to most.

    The system that this replaces took the nearest box for each garment, and so gave one box to several.
    """

    def __init__(self, detector: Detector, taxonomy: Taxonomy) -> None:
        self.spec = detector.spec
        self._detector = detector
        self._taxonomy = taxonomy

    def read(self, subjects: Sequence[Subject], crops: Crops) -> Sequence[Answer]:
        images = sorted({subject.image for subject in subjects})
        found = self._detector.find([crops.images[index] for index in images])
        results: list[Answer] = [None] * len(subjects)
        for image, detections in zip(images, found, strict=True):
            here = [number for number, subject in enumerate(subjects) if subject.image == image]
            boxes = np.array([subjects[number].box for number in here], np.float32)
            pairs = match(overlaps(boxes, detections.boxes), LEAST_OVERLAP)
            for row, column in _surest(pairs, detections, self.spec.overlap).items():
                seen = self.spec.classes[detections.classes[column]] != NOT_VISIBLE
                answer = detected_value(detections, column, self.spec, self._taxonomy) if seen else NotVisible()
                results[here[row]] = answer
        return results


def _surest(pairs: Mapping[int, int], detections: Detections, overlap: float) -> dict[int, int]:
    """The same pairs of a garment and a box, but a surer box in the same place speaks where no other garment needs it.

    Boxes of two values may lie nearly on top of each other: they belong to two garments, or they are two opinions of
    one.
    """
    free = set(range(len(detections.boxes))) - set(pairs.values())
    near = overlaps(detections.boxes, detections.boxes) > overlap
    chosen = {}
    for row, column in pairs.items():
        chosen[row] = min({column, *(other for other in free if near[column, other])})  # by falling score
        free.discard(chosen[row])
    return chosen


def detected_value(detections: Detections, index: int, spec: ModelSpec, taxonomy: Taxonomy) -> AttributeResult:
    """The class of one detection as an attribute: a score, not a probability, and without alternatives."""
    code = taxonomy.code_of(spec.role, spec.classes[detections.classes[index]])
    return AttributeResult(
        value=code,
        confidence=float(detections.scores[index]),
        alternatives=(),
        calibrated=False,
        model=spec.name,
        parent=taxonomy.parent_of(spec.role, code),
    )
