"""Two models on the same images: what each gets right that the other gets wrong, and whether that is chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vision.engine.results import Box
from vision.evaluation.readings import Reading

FEW = 25

Pair = tuple[Reading, Reading]
"""What the first and the second model say of one image."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The images of one topic by who is right, and the probability of such a difference between equal models."""

    topic: str
    both: int
    neither: int
    only_first: list[Pair]
    only_second: list[Pair]

    @property
    def images(self) -> int:
        """How many images both models were judged on."""
        return self.both + self.neither + len(self.only_first) + len(self.only_second)

    @property
    def p_value(self) -> float:
        """Two-sided p-value of McNemar's test, see `mcnemar`."""
        return mcnemar(len(self.only_first), len(self.only_second))

    @property
    def test(self) -> str:
        """The form of McNemar's test that `p_value` comes from: exact where few images are judged differently."""
        few = len(self.only_first) + len(self.only_second) < FEW
        return "exact binomial" if few else "chi-squared with continuity correction"


def compare(first: Sequence[Reading], second: Sequence[Reading], topic: str) -> Comparison:
    """Judge the images that both models have read and that are examples of the topic."""
    others = _by_row(second)
    pairs = [(ours, others[row]) for row, ours in _by_row(first).items() if ours.truth(topic) and row in others]
    groups: dict[tuple[bool, bool], list[Pair]] = {(a, b): [] for a in (True, False) for b in (True, False)}
    for ours, theirs in pairs:
        groups[ours.is_right(topic), theirs.is_right(topic)].append((ours, theirs))
    return Comparison(
        topic, len(groups[True, True]), len(groups[False, False]), groups[True, False], groups[False, True]
    )


def _by_row(readings: Sequence[Reading]) -> dict[tuple[Path, Box | None, int], Reading]:
    """Readings by their row of labels; garments of one image may have the same box, or none."""
    met: Counter[tuple[Path, Box | None]] = Counter()
    rows = {}
    for reading in readings:
        where = reading.image.path, reading.image.box
        rows[*where, met[where]] = reading
        met[where] += 1
    return rows


def changes(pairs: Sequence[Pair], topic: str) -> Counter[tuple[str, str, str]]:
    """How often (label, what the first says, what the second says) occurs."""
    return Counter((ours.truth(topic), ours.answer(topic).value, theirs.answer(topic).value) for ours, theirs in pairs)


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided p-value that two models are equally often right, from the cases in which just one of them is.

    McNemar 1947 in the form of Edwards 1948, with continuity correction; with fewer than FEW such cases the exact
    binomial test, because the chi-squared distribution is then a poor approximation.
    """
    total = only_first + only_second
    if total == 0:
        return 1.0
    if total < FEW:
        tail = sum(math.comb(total, count) for count in range(min(only_first, only_second) + 1))
        return min(1.0, float(2 * tail / 2**total))
    statistic = max(0, abs(only_first - only_second) - 1) ** 2 / total
    return math.erfc(math.sqrt(statistic / 2))
