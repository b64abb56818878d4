"""What a model says of each photograph, in one form for every kind of model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifier.engine.detector import Detector
from classifier.engine.errors import DecodeError
from classifier.engine.manifest import GARMENT
from classifier.engine.matching import overlaps
from classifier.engine.preprocess import Box
from classifier.engine.results import Alternative
from classifier.training.dataset import Photograph, open_upright

if TYPE_CHECKING:
    from classifier.engine import Engine

NOTHING = "(nothing)"
BATCH = 16

Said = dict[str, tuple[Alternative, ...]]
"""The values of each attribute that a model answers for, best first; none where it has nothing to say."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a model says of one photograph: its surest box with that box's score, and the values of that garment.

    A topic is an attribute, or `garment`: whether there is one at all, with the values `garment` and `(nothing)`.
    """

    photograph: Photograph
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
        """The label; empty where the photograph has none, which makes it no example of the topic."""
        if topic == GARMENT:
            return GARMENT if self.photograph.box else NOTHING
        return self.photograph.labels.get(topic, "")

    def is_right(self, topic: str) -> bool:
        """Whether the first value is the label."""
        return self.answer(topic).value == self.truth(topic)

    @property
    def overlap(self) -> float:
        """Intersection over union of the box and the true one; 0 where either is missing."""
        if self.box is None or self.photograph.box is None:
            return 0.0
        return float(overlaps(*(np.array([box], np.float32) for box in (self.box, self.photograph.box)))[0, 0])


def labelled(readings: Sequence[Reading], topic: str) -> list[Reading]:
    """The readings of those photographs that are examples of the topic."""
    return [reading for reading in readings if reading.truth(topic)]


def read_with_engine(engine: Engine, photographs: Sequence[Photograph]) -> list[Reading]:
    """What the whole pipeline says, through the same door as `manage.py classify`.

    A photograph that cannot be decoded is one in which nothing was found.
    """
    roles = [spec.role for spec in engine.manifest.attributes]
    readings = []
    results = engine.classify_many(photograph.path for photograph in photographs)
    for photograph, result in zip(photographs, results, strict=True):
        if isinstance(result, DecodeError) or not result.garments:
            readings.append(Reading(photograph, said=dict.fromkeys(roles, ())))
            continue
        garment = result.garments[0]
        found = {role: garment.attributes.get(role) for role in roles}
        said = {
            role: (Alternative(value.value, value.confidence), *value.alternatives) if value else ()
            for role, value in found.items()
        }
        readings.append(Reading(photograph, garment.box, garment.confidence, said))
    return readings


def read_with_detector(detector: Detector, photographs: Sequence[Photograph], codes: Sequence[str]) -> list[Reading]:
    """What a single detector says: its surest box, whose class is the value. `codes` are the values of its classes."""
    role = detector.spec.role
    readings = []
    for start in range(0, len(photographs), BATCH):
        batch = photographs[start : start + BATCH]
        for photograph, found in zip(batch, detector.find([open_upright(item.path) for item in batch]), strict=True):
            if not len(found.scores):
                readings.append(Reading(photograph, said={} if role == GARMENT else {role: ()}))
                continue
            x1, y1, x2, y2 = (float(edge) for edge in found.boxes[0])
            score = float(found.scores[0])
            said: Said = {} if role == GARMENT else {role: (Alternative(codes[found.classes[0]], score),)}
            readings.append(Reading(photograph, (x1, y1, x2, y2), score, said))
    return readings


def read_probabilities(
    photographs: Sequence[Photograph], attribute: str, codes: Sequence[str], probabilities: NDArray[np.floating]
) -> list[Reading]:
    """What a classifier's probabilities (n, classes) say of the garments in the true boxes."""
    readings = []
    for photograph, row in zip(photographs, probabilities, strict=True):
        values = tuple(Alternative(codes[index], float(row[index])) for index in np.argsort(-row, kind="stable"))
        readings.append(Reading(photograph, photograph.box, 1.0, {attribute: values}))
    return readings
