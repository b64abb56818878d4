"""How many answers change when the networks compute in another precision than f32, on the same images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vision.engine import DecodeError, Engine, Garment, ImageResult
from vision.engine.matching import match, overlaps

SAME_GARMENT = 0.5


@dataclass(slots=True)
class Changes:
    """Garments found in f32 and in the other precision, and of those found by both how many answers differ by role."""

    both: int = 0
    missed: int = 0
    surplus: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """For people."""
        yours = [f"garments: {self.both} found by both, {self.missed} missed, {self.surplus} new"]
        shares = ((role, self.changed[role], count) for role, count in self.compared.items())
        return yours + [f"{role}: {changed} of {count} ({changed / count:.1%})" for role, changed, count in shares]


def measure(reference: Engine, other: Engine, paths: Sequence[Path]) -> Changes:
    """Let both look at these images; what cannot be decoded is left out."""
    found = Changes()
    for first, second in zip(reference.classify_many(paths), other.classify_many(paths), strict=True):
        if not isinstance(first, DecodeError) and not isinstance(second, DecodeError):
            _compare(first, second, found)
    return found


def _compare(first: ImageResult, second: ImageResult, found: Changes) -> None:
    pairs = list(_pairs(first.garments, second.garments))
    found.both += len(pairs)
    found.missed += len(first.garments) - len(pairs)
    found.surplus += len(second.garments) - len(pairs)
    for mine, other in pairs:
        for role, said in mine.attributes.items():
            theirs = other.attributes[role]
            found.compared[role] += 1
            found.changed[role] += (said.value if said else None) != (theirs.value if theirs else None)


def _pairs(first: Sequence[Garment], second: Sequence[Garment]) -> Iterator[tuple[Garment, Garment]]:
    values = overlaps(_boxes(first), _boxes(second))
    return ((first[row], second[column]) for row, column in match(values, SAME_GARMENT).items())


def _boxes(garments: Iterable[Garment]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([garment.box for garment in garments], np.float32).reshape(-1, 4)
