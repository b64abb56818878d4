"""How probable it is that the product is the garment of a top-level category, and why.

The garments of all images are grouped by their most probable top-level category. What tells which group is the
product (`FEATURES`) is looked at in the images that show a garment: a size chart or a care label does not vote. The sum
of the features times their `WEIGHTS` says how much a group has for it, in logarithms; comparing it with the other
groups, and with `none` (that the product is nothing of what was found), gives the group's probability. The group may be
misread as a whole, so its probability is shared out among top-level categories as the category distributions of its
garments say. Last comes the name: what it mentions becomes more probable, by `named` (a logarithm too).

`benchmarks/outfit_weights.py` fits all of these on products composed of train photos, so that probabilities are honest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.models import CATEGORY, AttributeValue
from catalog.proposal import Reason, ReasonCode
from catalog.selectors import Taxonomy
from classifier.proposals.seen import Seen
from classifier.proposals.words import Hint


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each feature counts. `agreement`: 0, several garments of a group say no more than one; 1, each of them
    counts in full."""

    features: Mapping[str, float]
    none: float
    named: float
    agreement: float


FEATURES = ("found", "often", "alone", "prominent", "close_up", "wide", "tall", "certain")
WEIGHTS = Weights(
    features={
        "found": 0.1, "often": 0.6, "alone": 0.9, "prominent": 0.3, "close_up": 0.9, "wide": 1.3, "tall": 1.1,
        "certain": 1.5,
    },
    none=-0.5,
    named=2.5,
    agreement=0.1,
)  # fmt: skip
_LEAST = 1e-3
_LEAST_MASS = 0.01  # of a top-level category that a garment's distribution does not name


@dataclass(frozen=True, slots=True)
class Weighed:
    """A garment with the probabilities of its top-level categories (by code), the most probable category's first.

    `score` is how sure the detector is.
    """

    garment: Seen
    masses: Mapping[str, float]
    score: float

    @property
    def own(self) -> str:
        """The most probable top-level category."""
        return next(iter(self.masses))

    @property
    def prominence(self) -> float:
        """How large it is in its image, and how near to the middle of its width."""
        x1, _y1, x2, _y2 = self.garment.box
        return math.sqrt(self.garment.area) * (1.0 - abs(x1 + x2 - 1.0) / 2)

    def share(self, top_category: str) -> float:
        """How sure it is that this is a garment, and of that top-level category.

        A detector that names what it finds gives one score for both, which counts once.
        """
        mass = self.masses.get(top_category, 0.0)
        return mass if self.garment.named else self.score * mass


@dataclass(frozen=True, slots=True)
class Evidence:
    """How probable a top-level category is, and the reasons to show."""

    probability: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """All garments whose most probable top-level category is the same: the features, and what they are in truth."""

    top_category: str
    features: Mapping[str, float]
    garments: tuple[Weighed, ...]

    def masses(self, agreement: float) -> dict[str, float]:
        """The probability of each top-level category: the garments' distributions, multiplied and renormalised.

        Each counts with the power `number ** (agreement - 1)`; what a lone garment says is what it is.
        """
        levels = {level for weighed in self.garments for level in weighed.masses}
        power = len(self.garments) ** (agreement - 1.0)
        logs = {
            level: power * sum(math.log(max(weighed.masses.get(level, 0.0), _LEAST_MASS)) for weighed in self.garments)
            for level in levels
        }
        named = max(sum(weighed.masses.values()) for weighed in self.garments)
        total = sum(math.exp(log) for log in logs.values())
        return {level: min(named, 1.0) * math.exp(log) / total for level, log in logs.items()}


def weigh(
    images: Sequence[Sequence[Seen]], taxonomy: Taxonomy
) -> tuple[list[list[Weighed]], dict[str, AttributeValue]]:
    """Return the garments of each image with their top-level categories, and those by their codes.

    Garments of which neither a model nor a person says a category are left out, and so are images without others.
    """
    levels: dict[str, AttributeValue] = {}
    voting = []
    for garments in images:
        weighed = []
        for garment in garments:
            masses: dict[str, float] = defaultdict(float)
            for value, probability in garment.resolved(CATEGORY, taxonomy):
                top_category = taxonomy.top_categories.get(value.pk)
                if top_category is not None:
                    levels[top_category.code] = top_category
                    masses[top_category.code] += probability
            level = taxonomy.resolve(CATEGORY, garment.top_category) if garment.top_category else None
            if level is not None:  # a person says what it is, whatever models take it for
                levels[level.code] = level
                masses = {level.code: 1.0}
            if masses:
                weighed.append(Weighed(garment, masses, max(garment.confidence, _LEAST)))
        if weighed:
            voting.append(weighed)
    return voting, levels


def judge(images: Sequence[Sequence[Weighed]], hint: Hint | None, weights: Weights = WEIGHTS) -> dict[str, Evidence]:
    """Return the evidence for each top-level category that some garment may belong to, by its code.

    Args:
        images: what `weigh` made of the images that show garments.
        hint: what the product's name or SKU says.
        weights: how much each feature counts.
    """
    probabilities = combine(group(images), hint, weights)
    return {level: Evidence(share, _reasons(level, images, hint)) for level, share in probabilities.items()}


def combine(groups: Sequence[Group], hint: Hint | None, weights: Weights) -> dict[str, float]:
    """The probability of each top-level category; what is missing to 1 is that the product is none of them."""
    scores = [sum(weights.features[name] * value for name, value in found.features.items()) for found in groups]
    most = max([weights.none, *scores])
    odds: dict[str, float] = defaultdict(float)
    nothing = math.exp(weights.none - most)
    for found, score in zip(groups, scores, strict=True):
        share = math.exp(score - most)
        masses = found.masses(weights.agreement)
        nothing += share * (1.0 - sum(masses.values()))
        for level, mass in masses.items():
            odds[level] += share * mass
    if hint is not None and hint.top_category in odds:
        odds[hint.top_category] *= math.exp(weights.named)
    total = nothing + sum(odds.values())
    return {level: share / total for level, share in sorted(odds.items())}


def group(images: Sequence[Sequence[Weighed]]) -> list[Group]:
    """The groups of the images' garments, with the features of each."""
    levels = sorted({weighed.own for garments in images for weighed in garments})
    votes = sum(max(weighed.score for weighed in garments) for garments in images)
    groups = []
    for level in levels:
        members = tuple(weighed for garments in images for weighed in garments if weighed.own == level)
        looks = [_look(level, garments) for garments in images]
        features = {
            "found": sum(look.found for look in looks) / votes,
            "often": sum(look.often for look in looks) / votes,
            "alone": max(look.alone for look in looks),
            "prominent": sum(look.prominent for look in looks) / votes,
            "close_up": max(look.close_up for look in looks),
            "wide": max(look.wide for look in looks),
            "tall": max(look.tall for look in looks),
            "certain": math.log(max(weighed.score for weighed in members)),
        }
        groups.append(Group(level, features, members))
    return groups


@dataclass(frozen=True, slots=True)
class _Look:
    """What one image says of a top-level category: each from 0 to how sure the detector is of the garment."""

    found: float = 0.0
    often: float = 0.0
    alone: float = 0.0
    prominent: float = 0.0
    close_up: float = 0.0
    wide: float = 0.0
    tall: float = 0.0


def _look(level: str, garments: Sequence[Weighed]) -> _Look:
    own = [weighed for weighed in garments if weighed.own == level]
    if not own:
        return _Look()
    others = [weighed for weighed in garments if weighed.own != level]
    counts: dict[str, float] = defaultdict(float)
    for weighed in garments:
        counts[weighed.own] += weighed.score
    best = max(own, key=lambda weighed: weighed.score * weighed.prominence)
    score = max(weighed.score for weighed in own)
    largest = max(weighed.score * weighed.prominence for weighed in garments)
    rival = max((weighed.score for weighed in others), default=0.0)
    x1, y1, x2, y2 = best.garment.box
    return _Look(
        found=score,
        often=score * counts[level] / max(counts.values()),
        alone=max(score - rival, 0.0),
        prominent=score * best.score * best.prominence / largest,
        close_up=score * _ramp(best.garment.area, 0.35, 0.7),
        wide=score * _ramp(x2 - x1, 0.7, 0.95),
        tall=score * _ramp(y2 - y1, 0.7, 0.95),
    )


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, and in a straight line between them."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _reasons(level: str, images: Sequence[Sequence[Weighed]], hint: Hint | None) -> tuple[Reason, ...]:
    """What people can see for themselves: in how many images the garment is found, alone, the largest, close up."""
    looks = [(_look(level, garments), garments) for garments in images]
    shown = [(look, garments) for look, garments in looks if look.found]
    counts = {
        ReasonCode.FOUND: len(shown),
        ReasonCode.ALONE: sum(all(weighed.own == level for weighed in garments) for _look, garments in shown),
        ReasonCode.LARGEST: sum(_is_largest(level, garments) for _look, garments in shown),
        ReasonCode.CLOSE_UP: sum(look.close_up >= look.found / 2 for look, _garments in shown),
    }
    reasons = [Reason(code, images=count, total=len(images)) for code, count in counts.items() if count]
    if hint is not None:
        code = ReasonCode.NAME if hint.top_category == level else ReasonCode.NAME_DIFFERS
        reasons.append(Reason(code, word=hint.word))
    return tuple(reasons)


def _is_largest(level: str, garments: Sequence[Weighed]) -> bool:
    """Whether the largest garment is of that top-level category, and not the only kind there is."""
    largest = max(garments, key=lambda weighed: weighed.prominence)
    return largest.own == level and any(weighed.own != level for weighed in garments)
