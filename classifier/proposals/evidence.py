"""How probable it is that the product is the garment of a top-level category, and why.

A garment's share in a top-level category is the confidence of its box times the probability that its category
distribution (value and alternatives) gives to categories of it; a detector that names what it finds gives one score for
both, which counts once. An image speaks for a top-level category by its best garment, the one with the largest share.

What speaks for a top-level category (`FEATURES`) is averaged over the images that show a garment: a size chart or a care
label does not vote. The sum of the features times `WEIGHTS` is the logarithm of how much the top-level category has for it;
probabilities follow by comparing it with the others, and with `NONE`: that the product is nothing of what was found.
`benchmarks/outfit_weights.py` fits both on products composed of train photos, so that the probabilities are honest.
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

FEATURES = ("found", "alone", "prominent", "close_up", "named", "sure")
WEIGHTS: Mapping[str, float] = {
    "found": 1.0, "alone": 2.0, "prominent": 2.0, "close_up": 2.0, "named": 3.0, "sure": 1.0,
}  # fmt: skip
NONE = -1.0
_CLEARLY = 0.5  # from which share on a feature of an image is a reason that is shown
_LEAST = 1e-3
_CLOSE_FROM, _CLOSE_TO = 0.35, 0.7  # of the image's area: no close-up below, wholly one above


@dataclass(frozen=True, slots=True)
class Weighed:
    """A garment with its share in each top-level category (by code), its own, the most probable one, first."""

    garment: Seen
    shares: Mapping[str, float]
    score: float

    @property
    def own(self) -> str:
        """The most probable top-level category."""
        return next(iter(self.shares))

    def other(self, top_category: str) -> float:
        """How sure it is that this is a garment, but not of that top-level category."""
        return sum(share for level, share in self.shares.items() if level != top_category)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a top-level category: the features, the probability that follows, and the reasons to show."""

    features: Mapping[str, float]
    probability: float
    reasons: tuple[Reason, ...]


def weigh(
    images: Sequence[Sequence[Seen]], taxonomy: Taxonomy
) -> tuple[list[list[Weighed]], dict[str, AttributeValue]]:
    """Give the garments of each image their shares, and name the top-level categories by code.

    Images without a garment that has a category are left out.
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
            if masses:
                own = next(iter(masses))  # codes come with the most probable first
                factor = 1.0 if garment.named else garment.confidence
                ranked = sorted(masses.items(), key=lambda item: item[0] != own)
                shares = {level: factor * mass for level, mass in ranked}
                weighed.append(Weighed(garment, shares, max(garment.confidence, _LEAST)))
        if weighed:
            voting.append(weighed)
    return voting, levels


def judge(images: Sequence[Sequence[Weighed]], hint: Hint | None) -> dict[str, Evidence]:
    """Return the evidence for each top-level category that some garment may belong to, by its code.

    Args:
        images: what `weigh` made of the images that show garments.
        hint: what the product's name or SKU says.
    """
    levels = sorted({level for image in images for garment in image for level in garment.shares})
    features, reasons = {}, {}
    for level in levels:
        features[level], reasons[level] = _features(level, images, hint)
    scores = {level: sum(WEIGHTS[name] * value for name, value in found.items()) for level, found in features.items()}
    most = max([NONE, *scores.values()])
    total = math.exp(NONE - most) + sum(math.exp(score - most) for score in scores.values())
    return {
        level: Evidence(features[level], math.exp(scores[level] - most) / total, reasons[level]) for level in levels
    }


@dataclass(frozen=True, slots=True)
class _Image:
    """What one image says of a top-level category; each from 0 to 1."""

    vote: float
    found: float
    alone: float
    prominent: float
    close_up: float


def _look(level: str, garments: Sequence[Weighed]) -> _Image:
    best = max(garments, key=lambda garment: garment.shares.get(level, 0.0))
    vote = max(garment.score for garment in garments)
    share = min(best.shares.get(level, 0.0) / vote, 1.0)
    others = [garment for garment in garments if garment is not best]
    rival = max((garment.other(level) for garment in others), default=0.0)
    largest = max(prominence(garment) * garment.score for garment in garments)
    size = prominence(best) * best.score / largest
    close_up = (best.garment.area - _CLOSE_FROM) / (_CLOSE_TO - _CLOSE_FROM)
    return _Image(
        vote=vote,
        found=share,
        alone=share * max(1.0 - rival / vote, 0.0),
        prominent=share * size,
        close_up=share * min(max(close_up, 0.0), 1.0),
    )


def prominence(weighed: Weighed) -> float:
    """How large a garment is in its image, and how near to the middle of its width."""
    x1, _y1, x2, _y2 = weighed.garment.box
    return math.sqrt(weighed.garment.area) * (1.0 - abs(x1 + x2 - 1.0) / 2)


def _features(
    level: str, images: Sequence[Sequence[Weighed]], hint: Hint | None
) -> tuple[dict[str, float], tuple[Reason, ...]]:
    looks = [_look(level, garments) for garments in images]
    votes = sum(look.vote for look in looks)
    found = sum(look.vote * look.found for look in looks) / votes
    features = {
        "found": found,
        "alone": sum(look.vote * look.alone for look in looks) / votes,
        "prominent": sum(look.vote * look.prominent for look in looks) / votes,
        "close_up": sum(look.vote * look.close_up for look in looks) / votes,
        "named": float(hint is not None and hint.top_category == level),
        "sure": math.log(max(found, _LEAST)),
    }
    several = sum(len(garments) > 1 for garments in images)
    counts = (
        (ReasonCode.FOUND, sum(look.found >= _CLEARLY for look in looks), len(looks)),
        (ReasonCode.ALONE, sum(look.alone >= _CLEARLY for look in looks), len(looks)),
        (
            ReasonCode.LARGEST,
            sum(look.prominent >= _CLEARLY and look.prominent >= 0.99 * look.found for look in looks) if several else 0,
            len(looks),
        ),
        (ReasonCode.CLOSE_UP, sum(look.close_up >= _CLEARLY for look in looks), len(looks)),
    )
    reasons = [Reason(code, images=count, total=total) for code, count, total in counts if count]
    if hint is not None:
        code = ReasonCode.NAME if hint.top_category == level else ReasonCode.NAME_DIFFERS
        reasons.append(Reason(code, word=hint.word))
    return features, tuple(reasons)
