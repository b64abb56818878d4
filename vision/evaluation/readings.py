"""What a model says of each image, in one form for every kind of model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vision.engine.attributes import LEAST_OVERLAP
from vision.engine.crop_classifier import visible_shares
from vision.engine.detector import Detector
from vision.engine.errors import DecodeError
from vision.engine.manifest import GARMENT
from vision.engine.matching import match, overlaps
from vision.engine.results import Alternative, AttributeResult, Box
from vision.training.dataset import LabelledImage, by_file, open_upright

if TYPE_CHECKING:
    from vision.engine import Engine

NOTHING = "(nothing)"
TOP_LEVEL = "top_category"
"""What a detector of top-level categories says of a garment. No table of labels has it as a column."""
BATCH = 16

Said = dict[str, tuple[Alternative, ...]]
"""The values of each attribute that a model answers for, best first; none where it has nothing to say."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model says of one row of labels: the box that answers for it with that box's score, and its values.

    A topic is an attribute, or `garment`: whether there is one at all, with the values `garment` and `(nothing)`.
    """

    image: LabelledImage
    box: Box | None = None
    score: float = 0.0
    said: Said = field(default_factory=dict)

    def answer(self, topic: str) -> Alternative:
        """The first value and its confidence; `(nothing)` with 0 where nothing was said."""
        if topic == GARMENT:
            return Alternative(GARMENT if self.box else NOTHING, self.score)
        values = self.said.get(topic)
        return values[0] if values else Alternative(NOTHING, 0.0)

    def truth(self, topic: str) -> str:
        """The label; empty where the image has none, which makes it no example of the topic."""
        if topic == GARMENT:
            return GARMENT if self.image.box else NOTHING
        return self.image.labels.get(topic, "")

    def is_right(self, topic: str) -> bool:
        """Whether the first value is the label."""
        return self.answer(topic).value == self.truth(topic)

    @property
    def overlap(self) -> float:
        """Intersection over union of the box and the true one; 0 where either is missing."""
        if self.box is None or self.image.box is None:
            return 0.0
        return float(overlaps(*(np.array([box], np.float32) for box in (self.box, self.image.box)))[0, 0])


@dataclass(frozen=True, slots=True)
class Found:
    """A garment that a model found in an image: the box with its score, and the values."""

    box: Box
    score: float
    said: Said


def labelled(readings: Sequence[Reading], topic: str) -> list[Reading]:
    """The readings of those images that are examples of the topic."""
    return [reading for reading in readings if reading.truth(topic)]


def read_with_engine(engine: Engine, images: Sequence[LabelledImage]) -> list[Reading]:
    """What the whole pipeline says, through the same calls as `manage.py classify`.

    An image that cannot be decoded is one in which nothing was found.
    """
    roles = [spec.role for spec in engine.manifest.attributes]
    files = by_file(images)
    readings = []
    for rows, result in zip(files, engine.classify_many(rows[0].path for rows in files), strict=True):
        garments = () if isinstance(result, DecodeError) else result.garments
        found = [
            Found(garment.box, garment.confidence, {role: _values(garment.attributes.get(role)) for role in roles})
            for garment in garments
        ]
        readings += pair(rows, found, roles)
    return readings


def read_with_detector(detector: Detector, images: Sequence[LabelledImage], codes: Sequence[str]) -> list[Reading]:
    """What a single detector says: its box, whose class is the value. `codes` are the values of its classes."""
    roles = [detector.spec.role]
    if detector.spec.role == GARMENT:
        roles = [TOP_LEVEL] if len(set(codes)) > 1 else []
    files = by_file(images)
    readings = []
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        opened = [open_upright(rows[0].path) for rows in batch]
        for rows, detections in zip(batch, detector.find(opened), strict=True):
            found = [
                Found(_box(box), float(score), {role: (Alternative(codes[index], float(score)),) for role in roles})
                for box, score, index in zip(detections.boxes, detections.scores, detections.classes, strict=True)
            ]
            readings += pair(rows, found, roles)
    return readings


def read_probabilities(
    images: Sequence[LabelledImage], attribute: str, codes: Sequence[str], probabilities: NDArray[np.floating]
) -> list[Reading]:
    """What a classifier's probabilities (n, classes) say of the garments in the true boxes.

    Classes that stand for the same value count together, and nothing is said of what cannot be seen, as in the engine.
    """
    readings = []
    for image, row in zip(images, probabilities, strict=True):
        best = sorted((visible_shares(row, codes) or {}).items(), key=lambda item: -item[1])
        said = tuple(Alternative(code, share) for code, share in best)
        readings.append(Reading(image, image.box, 1.0, {attribute: said}))
    return readings


def pair(rows: Sequence[LabelledImage], found: Sequence[Found], roles: Sequence[str]) -> list[Reading]:
    """What was found in one file, by falling score, as an answer for each of its rows.

    Where there is only one row, the surest garment; several are matched one to one, for the greatest overlap. `roles`
    are the attributes that nothing is said of where nothing was found.
    """
    if len(rows) == 1:
        pairs = {0: 0} if found else {}
    else:
        true = np.array([row.box or (0.0, 0.0, 0.0, 0.0) for row in rows], np.float32)
        boxes = np.array([garment.box for garment in found], np.float32).reshape(-1, 4)
        pairs = match(overlaps(true, boxes), LEAST_OVERLAP)
    readings = []
    for number, row in enumerate(rows):
        if number in pairs:
            garment = found[pairs[number]]
            readings.append(Reading(row, garment.box, garment.score, garment.said))
        else:
            readings.append(Reading(row, said=dict.fromkeys(roles, ())))
    return readings


def _values(result: AttributeResult | None) -> tuple[Alternative, ...]:
    return (Alternative(result.value, result.confidence), *result.alternatives) if result else ()


def _box(edges: Iterable[float]) -> Box:
    x1, y1, x2, y2 = (float(edge) for edge in edges)
    return x1, y1, x2, y2
