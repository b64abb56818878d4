"""Which garments that models found count no more, because a person's garment counts in their place.

Who moves, resizes or removes a model's box has judged the garment in that place, and so those that later runs find
there. A person's garment covers:

- the model's garment that it replaces, itself or through changes between, and whatever else of the same top-level
  category overlaps that by `SAME` (IoU); where nobody says what one of the two is, whatever overlaps it;
- what overlaps its own box by as much and is of its own top-level category.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vision.engine.results import Box

SAME = 0.5


@dataclass(frozen=True, slots=True)
class Judged:
    """A garment of an image. `by_person` and what follows it are columns of `Garment`; `level`: its top-level category,
    None where nothing says it. `counts`: a model's that may count, or a person's that nobody changed or took back."""

    pk: int
    box: Box
    level: str | None
    counts: bool
    by_person: bool = False
    absent: bool = False
    replaces: int | None = None


def covered(garments: Iterable[Judged]) -> dict[int, int]:
    """Return which person's garment covers each model's garment of one image that is covered, by their ids."""
    known = {garment.pk: garment for garment in garments}
    found = [garment for garment in known.values() if not garment.by_person and garment.counts]
    covering: dict[int, int] = {}
    for person in known.values():
        if not (person.by_person and person.counts):
            continue
        origin = _origin(person, known)
        for garment in found:
            if garment.pk not in covering and _covers(person, origin, garment):
                covering[garment.pk] = person.pk
    return covering


def _origin(person: Judged, known: Mapping[int, Judged]) -> Judged | None:
    """The model's garment that stood at the beginning of a person's changes; None for one that was drawn."""
    garment: Judged | None = person
    while garment is not None and garment.by_person:
        garment = known.get(garment.replaces) if garment.replaces is not None else None
    return garment


def _covers(person: Judged, origin: Judged | None, garment: Judged) -> bool:
    if origin is not None:
        same_level = None in (origin.level, garment.level) or origin.level == garment.level
        if origin.pk == garment.pk or (same_level and overlap(origin.box, garment.box) >= SAME):
            return True
    same_level = person.level is not None and person.level == garment.level
    return not person.absent and same_level and overlap(person.box, garment.box) >= SAME


def overlap(first: Box, second: Box) -> float:
    """Return the intersection over union of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / max(areas - shared, 1e-12)
