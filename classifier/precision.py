"""How sure one can be of a precision that was counted, and which threshold follows from that. Knows no Django.

The bound is Wilson's score interval (E. B. Wilson 1927, "Probable inference, the law of succession, and statistical
inference", JASA 22), which holds for the few mistakes and small counts that are met here, where the usual
mean ± z·s is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

ONE_SIDED = NormalDist().inv_cdf(0.95)  # a bound that 5 % of samples miss
TWO_SIDED = NormalDist().inv_cdf(0.975)  # an interval that 5 % of samples miss


def wilson_interval(right: int, total: int, z: float = TWO_SIDED) -> tuple[float, float]:
    """Return the lower and upper bound of a share of which `right` of `total` were counted; (0, 1) for no count."""
    if total == 0:
        return 0.0, 1.0
    share, square = right / total, z * z / total
    middle = (share + square / 2) / (1 + square)
    reach = z * math.sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def lower_bound(right: int, total: int) -> float:
    """Return the one-sided 95 % lower bound of a share."""
    return wilson_interval(right, total, ONE_SIDED)[0]


def least_decisions(precision: float) -> int:
    """How many decisions, all of them right, the lower bound needs to reach `precision`: 133 for 0.98.

    Raises:
        ValueError: the precision is not between 0 and 1, both excluded; no count proves that nothing is ever wrong.
    """
    if not 0 < precision < 1:
        raise ValueError("precision must lie between 0 and 1")
    return math.ceil(precision * ONE_SIDED**2 / (1 - precision))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A proposal: its confidence, and whether a person found it right; None where nobody looked."""

    confidence: float
    right: bool | None


@dataclass(frozen=True, slots=True)
class Point:
    """What accepting from one threshold on would have meant."""

    threshold: float
    decisions: int
    right: int
    coverage: float

    @property
    def precision(self) -> float:
        """The share of decisions at or above the threshold that found the proposal right."""
        return self.right / self.decisions if self.decisions else 0.0

    @property
    def lower_bound(self) -> float:
        """What the precision is at least, as far as the count can tell."""
        return lower_bound(self.right, self.decisions)


def curve(outcomes: Iterable[Outcome]) -> list[Point]:
    """Return a point for each confidence that occurs, the highest first.

    Coverage is the share of all outcomes at or above the threshold, so also of those that nobody looked at.
    """
    ordered = sorted(outcomes, key=lambda outcome: -outcome.confidence)
    points: list[Point] = []
    decisions = right = 0
    for place, outcome in enumerate(ordered, start=1):
        if outcome.right is not None:
            decisions += 1
            right += outcome.right
        if place < len(ordered) and ordered[place].confidence == outcome.confidence:
            continue
        points.append(Point(outcome.confidence, decisions, right, place / len(ordered)))
    return points


def choose(points: Sequence[Point], precision: float) -> Point | None:
    """Return the point of most coverage whose lower bound reaches `precision`, if any does."""
    reached = [point for point in points if point.lower_bound >= precision]
    return min(reached, key=lambda point: point.threshold, default=None)
