"""What the models say of a product over all of its images: one candidate for each top-level category that they show.

`Product.proposal` is a Proposal. What the database stores is what `dump` makes of it, and `parse` reads that again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Acceptance(StrEnum):
    """Whether a proposed value may be auto-accepted: classifier.quality.thresholds says so."""

    NONE = ""
    ACCEPT = "accept"
    SAMPLE = "sample"  # it could be, but it is one of the sample that people review all the same


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another value of the attribute, by its code, and how probable it is."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class ProposedValue:
    """The value that is proposed for one attribute, by its code.

    `calibrated`: the confidence is a measured probability. `prediction` is the id of the prediction that a decision on
    the value answers; it may have been pruned since. `model` is the name of the model version that made it.
    """

    value: str
    confidence: float
    calibrated: bool
    alternatives: tuple[Alternative, ...]
    prediction: int
    model: str
    acceptance: Acceptance = Acceptance.NONE

    @property
    def options(self) -> tuple[ProposedValue | Alternative, ...]:
        """The value itself and its alternatives, the most probable first."""
        return (self, *self.alternatives)


class ReasonCode(StrEnum):
    """What speaks for a candidate, or against it."""

    FOUND = "found"
    ALONE = "alone"
    LARGEST = "largest"
    CLOSE_UP = "close_up"
    NAME = "name"
    NAME_DIFFERS = "name_differs"  # the one that speaks against it


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate is as probable as it is.

    `images` of the `total` images that show any garment speak for it; `word` is the one in the product's name or SKU.
    """

    code: ReasonCode
    images: int = 0
    total: int = 0
    word: str = ""

    @property
    def text(self) -> str:
        """The reason for people, in the active language."""
        return str(_TEXTS[self.code]) % {"n": self.images, "m": self.total, "word": self.word}


_TEXTS = {
    ReasonCode.FOUND: _("found in %(n)s of %(m)s photos that show clothes"),
    ReasonCode.ALONE: _("alone in %(n)s of %(m)s photos"),
    ReasonCode.LARGEST: _("largest in %(n)s of %(m)s photos"),
    ReasonCode.CLOSE_UP: _("fills most of %(n)s of %(m)s photos"),
    ReasonCode.NAME: _("the name says “%(word)s”"),
    ReasonCode.NAME_DIFFERS: _("but the name says “%(word)s”"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A garment that the product may be: what the models say of one top-level category.

    `confidence`: how probable it is that the product is this one. `images` of `total` images show it, `garments` are
    the ids of the garments that do, the best first. `chosen`: the models chose this one, without a person. `reasons`:
    why it is as probable as it is; a proposal that was stored before there were any has none.
    """

    top_category: str
    confidence: float
    images: int
    total: int
    garments: tuple[int, ...]
    attributes: Mapping[str, ProposedValue]
    chosen: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """The candidates, by falling confidence; none where the models found no garment."""

    candidates: tuple[Candidate, ...] = ()

    def candidate(self, top_category: str | None) -> Candidate | None:
        """Return the candidate of the top-level category with that code, if there is one."""
        return next((found for found in self.candidates if found.top_category == top_category), None)

    @property
    def chosen(self) -> Candidate | None:
        """The candidate that the models chose without a person."""
        return next((found for found in self.candidates if found.chosen), None)

    def with_chosen(self, top_category: str | None) -> Proposal:
        """Return the same proposal, with the candidate of that top-level category marked as the models' choice."""
        return Proposal(tuple(replace(found, chosen=found.top_category == top_category) for found in self.candidates))


def dump(proposal: Proposal) -> list[dict[str, Any]]:
    """Return the proposal as the database stores it."""
    return [asdict(candidate) for candidate in proposal.candidates]


def parse(stored: Sequence[Mapping[str, Any]]) -> Proposal:
    """Return the proposal that `dump` stored. Raises KeyError where it was not `dump` that did."""
    return Proposal(tuple(_candidate(entry) for entry in stored))


def _candidate(entry: Mapping[str, Any]) -> Candidate:
    return Candidate(
        top_category=entry["top_category"],
        confidence=entry["confidence"],
        images=entry["images"],
        total=entry["total"],
        garments=tuple(entry["garments"]),
        attributes={code: _proposed_value(value) for code, value in entry["attributes"].items()},
        chosen=entry["chosen"],
        reasons=tuple(
            Reason(ReasonCode(found["code"]), found["images"], found["total"], found["word"])
            for found in entry.get("reasons", ())
        ),
    )


def _proposed_value(entry: Mapping[str, Any]) -> ProposedValue:
    return ProposedValue(
        value=entry["value"],
        confidence=entry["confidence"],
        calibrated=entry["calibrated"],
        alternatives=tuple(Alternative(other["value"], other["confidence"]) for other in entry["alternatives"]),
        prediction=entry["prediction"],
        model=entry["model"],
        acceptance=Acceptance(entry["acceptance"]),
    )
